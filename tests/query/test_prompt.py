"""The prompt of `memtax query`, driven by keys: completion, history, errors, and that it lets go of the store."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from memtax import store
from memtax.query.completion import SqlCompleter, Vocabulary
from memtax.query.prompt import history_file, run_prompt
from memtax.session import reading_session
from tests.conftest import PROJECT


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Types keys at the prompt of a store with one table; returns what was printed."""
    monkeypatch.setenv("MEMTAX_PROJECT", str(PROJECT))
    monkeypatch.setenv("MEMTAX_DATABASE", str(tmp_path / "memtax.duckdb"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with store.writing() as connection:
        connection.execute("create table main.windows_of_one (sequence_number bigint, score double)")
        connection.execute("insert into main.windows_of_one values (41, 0.5)")

    def type_keys(keys: str) -> str:
        with create_pipe_input() as source:
            source.send_text(keys)
            run_prompt(reading_session, source=source, to=DummyOutput())
        captured = capsys.readouterr()
        return captured.out + captured.err

    return type_keys


def test_a_statement_may_take_lines_and_its_result_is_shown(typed: Callable[[str], str]) -> None:
    output = typed("select sequence_number + 1 as n\rfrom windows_of_one;\r\x04")
    assert "42" in output


def test_an_error_ends_nothing_and_nothing_is_written(typed: Callable[[str], str]) -> None:
    output = typed("select nonsense;\rdrop table windows_of_one;\rselect 6 * 7 as n;\rquit;\r")
    assert "nonsense" in output
    assert "only reads" in output
    assert "42" in output
    assert "Traceback" not in output


def test_what_was_asked_is_remembered_for_its_owner_alone(typed: Callable[[str], str]) -> None:
    typed("select 1234 as n;\r\x04")
    assert "select 1234" in history_file().read_text(encoding="utf-8")
    assert stat.S_IMODE(history_file().stat().st_mode) == 0o600
    assert "1234" in typed("\x1b[A\r\x04")


def test_the_store_is_free_between_statements(typed: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0

    def counted():
        nonlocal opened
        opened += 1
        return reading_session()

    with create_pipe_input() as source:
        source.send_text("select 1;\rselect 2;\r\x04")
        run_prompt(counted, source=source, to=DummyOutput())
    assert opened == 3
    with store.writing() as connection:
        connection.execute("select 1")


def test_columns_of_the_named_table_come_first() -> None:
    completer = SqlCompleter()
    completer.vocabulary = Vocabulary({"features": ("loss", "Odd Name"), "dim_models": ("model",)}, ("templating",))

    def complete(text: str, cursor: int | None = None) -> list[str]:
        document = Document(text, len(text) if cursor is None else cursor)
        return [c.text for c in completer.get_completions(document, CompleteEvent(completion_requested=True))]

    assert complete("from f") == ["features"]
    assert complete("select  from features", 7)[:2] == ["loss", '"Odd Name"']
    assert "model" not in complete("select  from features", 7)
    assert "templating(" in complete("select temp")
