"""The paper's filter in worked cases, each showing one line of its description; parity is in test_templating_labels."""

from __future__ import annotations

import pytest

from udf.templating.paper import paper_flags, paper_items

INCREMENTS, REPEATS, NEITHER = (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        ("a1b 22", ["a", 1, "b", 22]),
        ("0x10 0b11 1_000 007", [16, 3, 1000, 7]),
        ("-5 +5", ["-", 5, 5]),
        ('say "x"\n\tdon\'t', ["say", "x", "dont"]),
        ("a\\nb c\\xff \\ ", ["ab", "cff"]),
        ("bell\x07 nbsp\xa0end", ["bell", 7, "nbsp", "end"]),
        ("zero\u200bwidth", ["zerou", 200, "bwidth"]),
    ],
)
def test_items(text: str, items: list) -> None:
    found = paper_items(text)
    joined = "".join(str(item) for item in found)
    assert joined == "".join(str(item) for item in items)
    assert [item for item in found if isinstance(item, int)] == [item for item in items if isinstance(item, int)]


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("", NEITHER),
        ("1 2", NEITHER),
        ("1 2 3", INCREMENTS),
        ("3 2 0", INCREMENTS),  # c - 2b + a is negative, and no absolute value is taken
        ("1 2 4", NEITHER),
        ("5 5 5", NEITHER),  # no step; and as characters nothing is left to compare after the ends
        ("1 2 3 4", INCREMENTS),
        ("9 2 3 4 5 7", INCREMENTS),  # the ends are dropped
        ("1 2 3 9 5 6 7 8", NEITHER),
        ("a 1 b a 2 b a 3 b a 4 b", INCREMENTS),
        ("0xff, 0xff, 0xff, 0xff, 0xff,\n0xff, 0xff", NEITHER),  # constant as words is not repeating
        ("ababababab", REPEATS),
        ("xabababay", REPEATS),
        ("aaa", NEITHER),
        ("aaaa", REPEATS),
        ("abcdefgh", NEITHER),
    ],
)
def test_flags(text: str, flags: tuple[bool, bool]) -> None:
    assert paper_flags(text) == flags


def test_numbers_that_python_refuses_to_convert_do_not_crash() -> None:
    digits = "9" * 5000
    assert paper_flags(f"{digits} {digits} 0x{'f' * 5000}") == NEITHER
