"""Mappings of other evaluations' columns: the example in docs/ingest.md lands, and what means nothing is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from memtax import store
from memtax.datasets.mapping import read_mapping
from memtax.errors import SourceError
from tests.conftest import PROJECT, Commands

EXAMPLE = re.findall(
    r"```yaml\n(.*?)```", (PROJECT / "docs" / "ingest.md").read_text(encoding="utf-8"), flags=re.DOTALL
)[0]


def test_the_example_lands(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "harness.yml").write_text(EXAMPLE, encoding="utf-8")
    rows = [
        {"doc_id": i, "start": 8 * i, "prompt_ids": [i] * 32, "target_ids": [100 + i] * 32 + [0], "exact_match": i / 4}
        for i in range(4)
    ]
    source = tmp_path / "results.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arguments = ["ingest", "sequences", "harness", source, "--corpus", "mine", "--mapping", tmp_path / "harness.yml"]
    assert "landed 4 windows" in commands.memtax(*arguments).stdout
    assert "already landed" in commands.memtax(*arguments).stdout
    with store.reading(commands.database) as connection:
        windows = connection.execute(
            "select sequence_id, token_offset, tokens, model, revision, score from raw.evaluated_sequences "
            "inner join raw.published_scores using (corpus, sequence_id, token_offset) order by 1"
        ).fetchall()
    assert windows == [(i, 8 * i, [i] * 32 + [100 + i] * 32, "my-model", "step1000", i / 4) for i in range(4)]
    (tmp_path / "harness.yml").write_text(EXAMPLE.replace("[0, 64]", "[1, 65]"), encoding="utf-8")
    assert "is there and differs" in commands.memtax(*arguments, check=False).stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tokens: a", "needs sequence_id"),
        ("sequence_id: [", "cannot be read"),
        ("{sequence_id: a, colour: b}", "has colour"),
        ("{sequence_id: a, token_span: [3, 1]}", r"expected \[first, last \+ 1\]"),
        ("{sequence_id: a, token_offset: -1}", "a number from 0"),
        ("{sequence_id: a, tokens: 5}", "a list of columns"),
        ("{sequence_id: a, scores: [b]}", "COLUMN: MODEL"),
    ],
)
def test_a_mapping_that_means_nothing_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "mapping.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=expected):
        read_mapping(path)
