"""The prompt of `memtax query`: several questions, one after another, with history and completion."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click
import duckdb
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output

from memtax.errors import MemtaxError
from memtax.query.completion import SqlCompleter, vocabulary_of
from memtax.query.output import show
from memtax.query.statement import ask, message_of

LEAVE = ("exit", "quit", "\\q", ".exit", ".quit")
WELCOME = "SQL over the store, read-only. A statement ends with ; and Enter, Tab completes, Ctrl-D leaves."

# Opens the store. It is closed after every statement: an open reader would keep dbt from writing.
Opener = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


def run_prompt(opened: Opener, limit: int | None = None, source: Input | None = None, to: Output | None = None) -> None:
    """Ask until the user leaves.

    Args:
        opened: opens the store for one statement.
        limit: rows of each result, at most.
        source: where keys come from, if not the terminal.
        to: where the prompt is drawn, if not on the terminal.

    Raises:
        MemtaxError: the store cannot be opened even once.
    """
    completer = SqlCompleter()
    with opened() as connection:
        completer.vocabulary = vocabulary_of(connection)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history_file())),
        auto_suggest=AutoSuggestFromHistory(),
        completer=completer,
        complete_while_typing=False,
        multiline=True,
        key_bindings=_key_bindings(),
        prompt_continuation="   ...> ",
        input=source,
        output=to,
    )
    click.echo(WELCOME)
    while True:
        try:
            text = session.prompt("memtax> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text.rstrip(";").strip().lower() in LEAVE:
            return
        if text.strip("; \n"):
            _answer(opened, text, limit, completer)


def history_file() -> Path:
    """Where the prompt keeps what was asked; for its owner alone, since queries may quote a corpus."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    path = state / "memtax" / "query_history"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return path


def _answer(opened: Opener, text: str, limit: int | None, completer: SqlCompleter) -> None:
    try:
        with opened() as connection:
            # dbt may have built more since the last statement.
            completer.vocabulary = vocabulary_of(connection)
            show(connection, ask(connection, text, {}, limit))
    except MemtaxError as error:
        click.echo(str(error), err=True)
    except duckdb.Error as error:
        click.echo(message_of(error), err=True)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _key_bindings() -> KeyBindings:
    bindings = KeyBindings()

    @Condition
    def is_complete() -> bool:
        text = get_app().current_buffer.text.strip()
        return not text or text.endswith(";") or text.lower() in LEAVE

    @bindings.add("enter", filter=is_complete)
    def accept(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return bindings
