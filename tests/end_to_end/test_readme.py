"""What the README shows runs: its SQL on the demo's store, and the commands that it names exist."""

from __future__ import annotations

import re

import pytest

from tests.conftest import PROJECT, Commands

README = (PROJECT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", README, flags=re.DOTALL)
MODEL_QUERIES = re.findall(
    r"```sql\n(.*?)```", (PROJECT / "docs" / "models.md").read_text(encoding="utf-8"), flags=re.DOTALL
)


def test_there_are_five_queries() -> None:
    assert len(QUERIES) >= 5


@pytest.mark.parametrize("sql", QUERIES, ids=[query.splitlines()[0][:60] for query in QUERIES])
def test_a_query_of_the_readme_runs_and_finds_something(demo: Commands, sql: str) -> None:
    result = demo.memtax("query", sql, "--format", "csv")
    assert len(result.stdout.splitlines()) > 1


@pytest.mark.parametrize("number", range(len(MODEL_QUERIES)))
def test_a_query_of_the_page_on_models_runs(demo: Commands, number: int) -> None:
    result = demo.memtax("query", MODEL_QUERIES[number], "--format", "csv")
    rows = len(result.stdout.splitlines()) - 1
    # No score was published for the demo: the query that compares with published ones finds nothing there.
    assert (rows > 0) == ("published" not in MODEL_QUERIES[number])


def test_the_map_of_folders_is_true() -> None:
    named = re.findall(r"^\| `([\w./]+)/?` \|", README, flags=re.MULTILINE)
    assert named
    for place in named:
        assert (PROJECT / place).exists(), place
