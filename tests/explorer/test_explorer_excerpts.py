"""What the list shows of a text that was searched: what the database found is in sight, and marked."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from memtax import store
from memtax.explorer import statements
from memtax.explorer.display import CONTINUATION_SHOWN, PROMPT_SHOWN, head, tail, visible
from memtax.explorer.excerpts import excerpt, occurrences

CONNECTION = duckdb.connect()
# The last ones are those whose capitals are not as others': Python's lower() makes two letters of one, or looks around it.
LETTERS = "aB<&\u202e\n éÉΣσςİi\u212ak"
WHOLE = "text"


def marks(shown: str) -> list[str]:
    return [html.unescape(re.sub(r"<[^>]*>", "", mark)) for mark in re.findall(r"<mark>(.*?)</mark>", shown)]


@given(st.text(LETTERS, max_size=100), st.text(LETTERS, max_size=200), st.text(LETTERS, max_size=3))
def test_marks_change_nothing_else_and_nothing_is_markup(prompt: str, continuation: str, wanted: str) -> None:
    shown = excerpt(None, prompt, continuation, wanted, WHOLE, match_case=False)
    plain = [half.replace("<mark>", "").replace("</mark>", "") for half in shown]
    if not wanted:
        assert plain == [visible(tail(prompt), line_ends=False), visible(head(continuation), line_ends=False)]
    for half, text, room in zip(plain, (prompt, continuation), (PROMPT_SHOWN, CONTINUATION_SHOWN), strict=True):
        assert half.strip("…") in visible(text, line_ends=False)
        assert half.startswith("…") or visible(text[:room], line_ends=False).startswith(half.strip("…"))
        assert "…" in half or half == visible(text, line_ends=False)


@given(
    st.text(LETTERS, max_size=100),
    st.text(LETTERS, max_size=200),
    st.text(LETTERS, min_size=1, max_size=3),
    st.sampled_from([WHOLE, "prompt_text", "continuation_text"]),
    st.booleans(),
)
def test_what_the_database_finds_is_marked(
    prompt: str, continuation: str, wanted: str, within: str, match_case: bool
) -> None:
    condition = statements.text_condition(wanted, within, match_case=match_case)
    texts = {WHOLE: prompt + continuation, "prompt_text": prompt, "continuation_text": continuation}
    query = f"select {condition.text} from (select ? as {within})"
    ((matches,),) = CONNECTION.execute(query, [*condition.parameters, texts[within]]).fetchall()
    shown = excerpt(texts[WHOLE], prompt, continuation, wanted, within, match_case=match_case)
    assert ("<mark>" in "".join(shown)) == matches


NEEDLE = "needle"


@pytest.mark.parametrize(
    ("prompt", "continuation", "within", "expected"),
    [
        (NEEDLE + " " + 200 * "x", "y", WHOLE, ([NEEDLE], [])),
        (200 * "x" + NEEDLE + 200 * "x", "y", WHOLE, ([NEEDLE], [])),
        # Across the edge of what is shown without a search.
        (200 * "x" + NEEDLE + 67 * "x", "y", WHOLE, ([NEEDLE], [])),
        ("x", 138 * "y" + NEEDLE + 200 * "y", WHOLE, ([], [NEEDLE])),
        (200 * "x", 500 * "y" + NEEDLE, WHOLE, ([], [NEEDLE])),
        # Across the turn, and elsewhere too.
        (NEEDLE + 200 * "x" + "nee", "dle" + 200 * "y", WHOLE, (["nee"], ["dle"])),
        # Another one is in sight.
        (NEEDLE + 200 * "x", "y" + NEEDLE, WHOLE, ([], [NEEDLE])),
        # Only what was searched counts.
        (NEEDLE + 200 * "x", 300 * "y" + NEEDLE, "continuation_text", ([], [NEEDLE])),
        (NEEDLE + 200 * "x", NEEDLE, "prompt_text", ([NEEDLE], [])),
        ("nee", "dle", "prompt_text", ([], [])),
    ],
)
def test_the_cut_goes_where_it_was_found(
    prompt: str, continuation: str, within: str, expected: tuple[list[str], list[str]]
) -> None:
    for match_case, wanted in ((True, NEEDLE), (False, NEEDLE.upper())):
        shown = excerpt(None, prompt, continuation, wanted, within, match_case=match_case)
        assert (marks(shown.prompt), marks(shown.continuation)) == expected
        assert len(re.sub("<[^>]*>|…", "", shown.prompt)) <= PROMPT_SHOWN
        assert len(re.sub("<[^>]*>|…", "", shown.continuation)) <= CONTINUATION_SHOWN
    assert "<mark>" not in "".join(excerpt(None, prompt, continuation, NEEDLE.upper(), within, match_case=True))


def test_a_text_longer_than_there_is_room_for_shows_its_beginning() -> None:
    wanted = 20 * NEEDLE
    shown = excerpt(None, wanted + 80 * "x", "y", wanted, WHOLE, match_case=True)
    assert shown.prompt == f"<mark>{wanted[:PROMPT_SHOWN]}</mark>…"


def test_a_space_that_the_tokenizer_puts_between_the_halves_is_found() -> None:
    shown = excerpt("the cat sat", "the cat", "sat", "cat sat", WHOLE, match_case=True)
    assert shown == ("the <mark>cat</mark>", "<mark> sat</mark>")


def test_occurrences_do_not_overlap() -> None:
    assert list(occurrences("aAaAa", "aa", (0, 5), match_case=False)) == [(0, 2), (2, 4)]
    assert list(occurrences("aAaAa", "aa", (0, 5), match_case=True)) == []
    assert list(occurrences("aa", "", (0, 2), match_case=True)) == []


def test_the_list_shows_what_was_found(unkind: Path, open_store: Callable[[Path], TestClient], tmp_path: Path) -> None:
    copy = Path(shutil.copy(unkind, tmp_path / "memtax.duckdb"))
    prompt, continuation = "needle " + 200 * "x" + "pin", "head" + 200 * "y"
    with store.writing(copy) as connection:
        connection.execute(
            "update feat_sequence__text set text = ?, prompt_text = ?, continuation_text = ? where sequence_id = 4",
            [prompt + continuation, prompt, continuation],
        )
    client = open_store(copy)
    for query, expected in (("needle", ["needle"]), ("PINHEAD", ["pin", "head"])):
        assert marks(client.get(f"/sequences?q={query}").text) == 2 * expected
