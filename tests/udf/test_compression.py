"""Code lengths: the Huffman code against a heap and against its bounds, the paper's against its published column."""

from __future__ import annotations

import csv
import heapq
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udf.compression import huffman_code_length, paper_huffman_coding_length

ANNOTATED = Path(__file__).resolve().parents[3] / "shared" / "data" / "annotated_sequences.csv"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text("ab\n0é", max_size=60)


def plain_code(text: str) -> dict[str, int]:
    """The length of each character's Huffman code, by a heap of subtrees."""
    heap = [(count, number, [character]) for number, (character, count) in enumerate(Counter(text).items())]
    heapq.heapify(heap)
    lengths = dict.fromkeys(text, 1 if len(heap) == 1 else 0)
    number = len(heap)
    while len(heap) > 1:
        (first, _, left), (second, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        for character in left + right:
            lengths[character] += 1
        heapq.heappush(heap, (first + second, number, left + right))
        number += 1
    return lengths


def one(function, text: str | None) -> float | None:
    return function(pa.array([text], pa.string()))[0].as_py()


@pytest.mark.parametrize(
    ("text", "huffman", "paper"),
    [
        ("", 0.0, 0.0),
        ("aaaa", 1.0, 0.0),
        ("abab", 1.0, 1.0),
        ("aab", 1.0, 4 / 3),
        ("abcd", 2.0, 2.0),
        ("aabc", 1.5, 1.5),
        ("éé日日", 1.0, 1.0),
        (None, None, None),
    ],
)
def test_worked_cases(text: str | None, huffman: float | None, paper: float | None) -> None:
    assert one(huffman_code_length, text) == pytest.approx(huffman)
    assert one(paper_huffman_coding_length, text) == pytest.approx(paper)


@given(texts)
def test_huffman_is_the_optimal_prefix_code(text: str) -> None:
    counts, lengths, found = Counter(text), plain_code(text), one(huffman_code_length, text)
    if not text:
        assert found == 0
        return
    assert found == pytest.approx(sum(counts[c] * lengths[c] for c in counts) / len(text), rel=1e-15)
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    assert entropy - 1e-12 <= found <= entropy + 1
    if len(counts) > 1:  # Kraft's equality: the code wastes nothing
        assert sum(Fraction(1, 2**length) for length in lengths.values()) == 1


@given(texts)
def test_paper_is_the_shannon_code(text: str) -> None:
    counts = Counter(text)
    expected = 0
    for count in counts.values():
        bits = 0
        while count << bits < len(text):
            bits += 1
        expected += count * bits
    assert one(paper_huffman_coding_length, text) == pytest.approx(expected / max(len(text), 1), rel=1e-12)
    if len(counts) > 1:
        assert one(paper_huffman_coding_length, text) >= one(huffman_code_length, text) - 1e-12


@settings(max_examples=50)
@given(st.lists(st.none() | texts, max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_rows_do_not_depend_on_their_batch(rows: list[str | None], start: int, length: int) -> None:
    column = pa.array(rows, pa.string())
    for function in (huffman_code_length, paper_huffman_coding_length):
        whole = function(column).to_pylist()
        assert function(column[start : start + length]).to_pylist() == whole[start : start + length]
        assert [value is None for value in whole] == [row is None for row in rows]
        assert whole == [one(function, row) for row in rows]


def test_a_large_alphabet_and_a_long_text() -> None:
    alphabet = "".join(chr(0x4E00 + number) for number in range(3000))
    assert one(huffman_code_length, alphabet) == pytest.approx((3000 * 12 - (4096 - 3000)) / 3000)
    assert one(huffman_code_length, "ab" * 500_000) == 1


def test_parity_with_the_published_column() -> None:
    if not ANNOTATED.exists():
        pytest.skip("needs ../shared/data/annotated_sequences.csv, which is not part of the project")
    with ANNOTATED.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = paper_huffman_coding_length(pa.array([row["text"] for row in rows])).to_pylist()
    assert len(rows) == 1476
    for row, value in zip(rows, found, strict=True):
        assert value == pytest.approx(float(row["seed_huffman_coding_length"]), rel=1e-12, abs=0), row["sequence_id"]
