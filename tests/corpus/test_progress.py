"""Progress on a terminal: what a name holds is shown as it is."""

import io
import sys

import pytest

from memtax.corpus.progress import shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_name_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with shown("landing [/x]") as progress:
        progress(0.5, "[/y] sequences")
    assert "landing [/x]" in terminal.getvalue()
    assert "[/y] sequences" in terminal.getvalue()
