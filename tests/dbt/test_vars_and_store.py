"""Vars that do not fit what the store holds stop a run before anything is built."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.conftest import PROJECT, Commands
from tests.dbt.conftest import evaluate, land


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"prompt_length": 21},
            "the vars prompt_length and continuation_length are 21 and 32, and the store's windows have 52",
        ),
        (
            {"prompt_length": 20, "taxonomy_datasets": ["sample", "sampel"]},
            "taxonomy_datasets names the dataset sampel, which is not in the store; expected some of sample, or an empty list",
        ),
    ],
)
def test_vars_that_do_not_fit_the_store_are_refused(
    commands: Commands, variables: dict[str, Any], expected: str
) -> None:
    land(commands.database, "c", [list(range(52))], shard_id=1)
    evaluate(commands.database, "sample", "c", [(0, 0)], window=52)
    command = commands.dbt_command("run", "--select", "stg_corpora", "--vars", json.dumps(variables))
    result = subprocess.run(command, cwd=PROJECT, env=commands.dbt_environment(), capture_output=True, text=True)
    assert result.returncode != 0
    assert expected in result.stdout
