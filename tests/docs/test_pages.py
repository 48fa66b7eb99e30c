"""What docs/ shows runs on the demo's store: questions in SQL, and the cells of the page on Python."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest

from memtax.session import reading_session
from tests.conftest import PROJECT, Commands

QUESTIONS = re.findall(
    r"\*\*(\d+\. .*?)\*\*\n\n```sql\n(.*?)```",
    (PROJECT / "docs" / "queries.md").read_text(encoding="utf-8"),
    flags=re.DOTALL,
)
MODELS = re.findall(r"```sql\n(.*?)```", (PROJECT / "docs" / "models.md").read_text(encoding="utf-8"), flags=re.DOTALL)
CELLS = re.findall(
    r"```python\n(.*?)```", (PROJECT / "docs" / "python.md").read_text(encoding="utf-8"), flags=re.DOTALL
)


@pytest.fixture
def store_of_the_demo(demo: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMTAX_DATABASE", "MEMTAX_PROJECT"):
        monkeypatch.setenv(name, demo.environment[name])


def test_there_are_twenty_questions() -> None:
    assert [title.split(".")[0] for title, _ in QUESTIONS] == [str(number) for number in range(1, 21)]


@pytest.mark.usefixtures("store_of_the_demo")
@pytest.mark.parametrize(("title", "sql"), QUESTIONS, ids=[title for title, _ in QUESTIONS])
def test_a_question_finds_something(title: str, sql: str) -> None:
    with reading_session() as connection:
        assert connection.execute(sql).fetchall(), title


@pytest.mark.usefixtures("store_of_the_demo")
@pytest.mark.parametrize("sql", MODELS, ids=range(len(MODELS)))
def test_a_query_about_models_runs(sql: str) -> None:
    """Whether it finds something depends on what was asked for by vars; one that runs a model is only bound."""
    with reading_session() as connection:
        connection.execute(("describe " if "score_continuation" in sql else "") + sql).fetchall()


def test_a_published_score_is_not_compared_with_itself() -> None:
    """Windows that are memorized, that were generated after a miss, that were not, and one without a model."""
    (query,) = [sql for sql in MODELS if "largest_difference" in sql and "published" in sql]
    with duckdb.connect() as connection:
        connection.execute("create schema intermediate")
        connection.execute(
            "create table fct_memorization as select 'c' as corpus, 0 as token_offset, 'main' as revision, * from (values "
            "(0, 'm', 32, true, 1.0, 0.75), (1, 'm', 3, false, 0.25, 0.5), (2, 'm', 0, false, 0.125, 0.125), "
            "(3, 'n', 0, false, null, 1.0), (4, 'o', null, true, 1.0, 1.0)) as known(sequence_id, model, "
            "greedy_match_length, memorized, memorization_score, published_memorization_score)"
        )
        connection.execute(
            "create table intermediate.int_sequence_model__generations as select 'c' as corpus, 1 as sequence_id, "
            "0 as token_offset, 'm' as model, 'main' as revision, 0.25 as generated_memorization_score"
        )
        assert connection.execute(query).fetchall() == [("m", "main", 3, 2, 2, 0.25), ("n", "main", 1, 0, 0, None)]


@pytest.mark.usefixtures("store_of_the_demo")
def test_the_cells_run_in_order() -> None:
    assert len(CELLS) >= 6
    names: dict[str, Any] = {}
    for cell in CELLS:
        exec(compile(cell, "docs/python.md", "exec"), names)
