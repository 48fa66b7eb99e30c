"""Every kind of pattern that the plain flags have to know, in invented texts, and what they must leave alone."""

from __future__ import annotations

import pytest

from udf.templating.items import split
from udf.templating.rules import find_match, find_pattern

# Name: text, step.
COUNTERS = {
    "in prose": ("The steps, as said: step 1; step 2; step 3; step 4; step 5; step 6; step 7; step 8.", 1),
    "partial first and last item": ('ue="29"/>\n <R n="30" v="30"/>\n <R n="31" v="31"/>\n <R n="32" v="32"/>\n <R', 1),
    "interleaved": ("a 1 b 90 c 7\na 2 b 80 c 7\na 3 b 70 c 7\na 4 b 60 c 7\n", 1),
    "hexadecimal": ("0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22,", 1),
    "hexadecimal without a prefix": ("9D 9E 9F A0 A1 A2 A3 A4 A5 A6 A7 A8", 1),
    "escapes": (r"\u00e9 \u00ea \u00eb \u00ec \u00ed", 1),
    "decimals": ("0.25, 0.30, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6", 0.05),
    "letters": ("(a) yes (b) yes (c) yes (d) yes", 1),
    "capitals": ("Annex A, Annex B, Annex C, Annex D", 1),
    "zero-padded": ("img_0098.png img_0099.png img_0100.png img_0101.png", 1),
    "dates across a month": ("2012-02-27\n2012-02-28\n2012-02-29\n2012-03-01\n2012-03-02\n2012-03-03\n2012-03-04\n", 1),
    "dates with slashes": ("02/24/12, 02/25/12, 02/26/12, 02/27/12, ", 1),
    "times across an hour": ("09:57 ok\n09:58 ok\n09:59 ok\n10:00 ok\n10:01 ok\n10:02 ok\n", 1),
    "weekdays": ("Mon: 9-5, Tue: 9-5, Wed: 9-5, Thu: 9-5", 1),
    "months": ("April 2001 May 2001 June 2001 July 2001", 1),
    "wrap-around": ("27\n28\n29\n30\n31\n1\n2\n3\n4\n5\n6\n7\n", 1),
    "nested": ("(0,0) (0,1) (0,2) (0,3) (1,0) (1,1) (1,2) (1,3) (2,0) (2,1) (2,2) (2,3)", 1),
    "inside words": ("foo7bar foo8bar foo9bar foo10bar foo11bar", 1),
    "Roman numerals": ("(i), (ii), (iii), (iv), (v), (vi), (vii)", 1),
    "number words": ("one, two, three, four, five", 1),
    "through zero": ("-3, -2, -1, 0, 1, 2, 3, 4", 1),
    "downwards": ("10... 9... 8... 7... 6...", -1),
    "by tens": ("10 20 30 40 50", 10),
    "addresses": ("10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4", 1),
    "an odd line": ("Part 1\nPart 2\nPart 3\nPart 4\nTHE END\nPart 5\nPart 6\nPart 7\nPart 8\n", 1),
    "line breaks at will": ("1, 2, 3, 4, 5,\n6, 7, 8, 9, 10,\n11, 12, 13, 14", 1),
}
REPEATS = {
    "one value": "0, 0, 0, 0, 0, 0, 0, 0",
    "line breaks at will": "0xff, 0xff, 0xff, 0xff,\n    0xff, 0xff, 0xff, 0xff,\n 0xff, 0xff",
    "a sentence": "All rights reserved. All rights reserved. All rights reserved. All rights",
    "a ragged start": "ise. Noise. Noise. Noise. Noise. Noise. Noise. Noise. Noi",
    "a long unit": "The quick brown fox jumps over the lazy dog and is off. " * 2 + "The quick bro",
    "a unit inside a word": "abcabcabcabcabcabcabc",
    "one character": "-" * 40,
    "beyond ASCII": "日本日本日本日本日本日本",
    "a few exceptions": "0, 0, 0, 0, 0, 0, 0, 70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0",
}
NOTHING = {
    "prose": "It rained all day, so we stayed in and read what we had brought, and nobody minded much.",
    "code": "def area(width, height):\n    return width * height\n\nprint(area(3, 4))\n",
    "irregular numbers": "8 3 9 1 7 7 2 4 6 0 5 5 1 8 2",
    "squares": "1 4 9 16 25 36 49 64",
    "two numbers": "from 1 to 2",
    "white space": " \n\n\n\n \t  ",
    "indentation": "if a:\n                b\n                        else:\n                c",
    "empty": "",
}


@pytest.mark.parametrize("name", COUNTERS)
def test_counters(name: str) -> None:
    text, step = COUNTERS[name]
    pattern = find_pattern(text)
    assert pattern is not None and pattern.kind == "counter" and pattern.is_templating
    assert pattern.step == pytest.approx(step)


@pytest.mark.parametrize("name", REPEATS)
def test_repeats(name: str) -> None:
    pattern = find_pattern(REPEATS[name])
    assert pattern is not None and pattern.kind == "repeat" and pattern.is_templating and pattern.step is None


@pytest.mark.parametrize("name", NOTHING)
def test_nothing(name: str) -> None:
    pattern = find_pattern(NOTHING[name])
    assert pattern is None or not pattern.is_templating


def test_a_pattern_in_a_longer_text_is_reported_but_does_not_decide() -> None:
    pattern = find_pattern("Before we begin, a word on what it is for and how it came about. 1, 2, 3, 4, 5, 6, 7, 8")
    assert pattern is not None and pattern.kind == "counter" and not pattern.is_templating
    assert 0.15 < pattern.coverage < 0.4


def test_what_was_found() -> None:
    assert find_pattern("a7; a8; a9; a10; ") == ("counter", 4, 1.0, 1.0)
    assert find_pattern("no \n no \n no \n no \n ") == ("repeat", 5, None, 1.0)
    assert find_pattern("x" * 9 + "abcdefghi") == ("repeat", 1, None, 0.5)


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("Before we begin, a word. 1, 2, 3, 4, 5, 6, 7, 8", ["1, 2, 3, 4, 5, 6, 7, 8"]),
        ("no \n no \n no \n no \n ", ["no \n no \n no \n no \n "]),
        ("x" * 12 + "abcdefghi" + "x" * 12, ["x" * 12, "x" * 12]),
        ("a line\n\n  \tb line\n\n  \tc line\n\n  \td line", ["a line\n\n  \tb line\n\n  \tc line\n\n  \td line"]),
    ],
)
def test_where_it_was_found(text: str, covered: list[str]) -> None:
    found = find_match(text)
    assert found is not None and found.pattern == find_pattern(text)
    assert [text[start:end].strip(" ") for start, end in found.spans] == [piece.strip(" ") for piece in covered]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("T12::a_3", ["T", "12", ":", ":", "a", "_", "3"]),
        ("v1.2.3 at 4.5", ["v", "1", ".", "2", ".", "3", " ", "at", " ", "4.5"]),
        ("2001-02-03 -4 x-5", ["2001", "-", "02", "-", "03", " ", "-4", " ", "x", "-", "5"]),
        ("0x1F 0xg -0x2", ["0x1F", " ", "0", "xg", " ", "-", "0x2"]),
        ("a \n\t b", ["a", " ", "b"]),
        ("1.1234567 1234567890.5", ["1", ".", "1234567", " ", "1234567890", ".", "5"]),
    ],
)
def test_items(text: str, pieces: list[str]) -> None:
    items = split(text)
    assert [item.text for item in items] == pieces
    assert sum(item.length for item in items) == len(text)
