"""Random corpora of many shapes, with spans too short and too long for the scan to look for, on both engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.conftest import Commands
from tests.spark.corpora import fill, land_scores
from tests.spark.parity import column, read_tables, require_equal_on_spark

# The scan looks for 8 to 128 tokens: prompts are too short for it, whole windows too long.
PROMPT = 7
CONTINUATION = 124
MODELS = ["+features", "+duplicate_occurrences", "+token_frequencies"]


def test_random_corpora_are_equal_on_both_engines(tmp_path: Path, make_commands: Callable[[Path], Commands]):
    commands = make_commands(tmp_path / "memtax.duckdb")
    fill(commands, np.random.default_rng(2), PROMPT + CONTINUATION)
    land_scores(commands)
    select = ["--select", *MODELS]
    settings = json.dumps({"embed_with": "", "prompt_length": PROMPT, "continuation_length": CONTINUATION})
    commands.dbt("run", *select, "--vars", settings)
    counts = column(read_tables(commands.database), "feat_sequence__duplicates", "sequence_duplicates")
    assert max(counts) > 1 and min(counts) == 0, "some occur often, and what was taken from elsewhere never"
    require_equal_on_spark(commands, "--", *select, "--vars", settings)
