"""Histograms, hashes and comparisons of tokens against the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtax_native import count_tokens, ngram_equal, ngram_hash, read_pass, reference

ROWS = st.lists(st.lists(st.integers(0, 65_535), max_size=12), max_size=6)
DTYPES = st.sampled_from([np.uint16, np.uint32])
HASH_OF_1_2_3 = 1604700162816139508


def flat(rows: list[list[int]], dtype: type) -> tuple[np.ndarray, np.ndarray]:
    return np.array([t for row in rows for t in row], dtype), np.cumsum([0, *map(len, rows)])


@given(st.lists(st.integers(0, 300), max_size=200), DTYPES, st.sampled_from([None, 301, 65_536, 100_000]))
def test_counts_are_those_of_the_reference(tokens: list[int], dtype: type, size: int | None) -> None:
    counts = count_tokens(np.array(tokens, dtype), size, 2)
    expected = reference.count_tokens(tokens, size)
    assert counts[: len(expected)].tolist() == expected
    assert not counts[len(expected) :].any()


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
@pytest.mark.parametrize("threads", [1, 2])
def test_many_tokens_are_counted_as_numpy_does(dtype: type, threads: int) -> None:
    tokens = np.random.default_rng(0).zipf(1.3, 1_500_001).clip(0, 65_535).astype(dtype)
    tokens[1_000_000:1_200_000] = 65_535
    assert np.array_equal(count_tokens(tokens, 65_536, threads), np.bincount(tokens, minlength=65_536))


@pytest.mark.parametrize("occurrences", [255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_a_counter_that_comes_round_loses_nothing(occurrences: int, dtype: type) -> None:
    """Counters are bytes inside: neighbours and the tail of a block included."""
    tokens = np.repeat(np.array([7, 8, 65_535], dtype), occurrences)
    counts = count_tokens(tokens, 65_536, 2)
    assert counts[[7, 8, 65_535]].tolist() == [occurrences] * 3
    assert counts.sum() == 3 * occurrences


def test_ids_beyond_16_bits_are_counted() -> None:
    tokens = np.array([70_000, 3, 70_000], np.uint32)
    counts = count_tokens(tokens)
    assert (len(counts), counts[3], counts[70_000]) == (70_001, 1, 2)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_a_token_beyond_the_size_is_refused(dtype: type) -> None:
    with pytest.raises(ValueError, match="token 9 among those to count, but size is 9"):
        count_tokens(np.array([1, 9], dtype), 9)


@given(ROWS, DTYPES, st.integers(-1, 8), st.integers(-1, 8))
def test_hashes_are_those_of_the_reference(rows: list[list[int]], dtype: type, start: int, length: int) -> None:
    values, offsets = flat(rows, dtype)
    expected = [reference.ngram_hash(row, start, length) or 0 for row in rows]
    assert ngram_hash(values, offsets, start, length).tolist() == expected
    each = np.full(len(rows), start, np.int32), np.full(len(rows), length, np.int64)
    assert ngram_hash(values, offsets.astype(np.int32), *each).tolist() == expected


def test_the_hash_stays_what_it_is() -> None:
    """Stored hashes must mean the same after an upgrade."""
    assert ngram_hash(np.array([1, 2, 3], np.uint16), np.array([0, 3]), 0, 3).tolist() == [HASH_OF_1_2_3]


@given(ROWS, ROWS, DTYPES, DTYPES)
def test_rows_are_equal_where_their_tokens_are(
    a: list[list[int]], b: list[list[int]], dtype_a: type, dtype_b: type
) -> None:
    b = [*b, *a][: len(a)]
    expected = [reference.ngram_equal(x, y) for x, y in zip(a, b, strict=True)]
    assert ngram_equal(*flat(a, dtype_a), *flat(b, dtype_b)).tolist() == expected


@given(st.binary(max_size=300))
def test_a_read_pass_reads_every_byte(content: bytes) -> None:
    words = np.frombuffer(content + bytes(-len(content) % 8), np.uint64)
    assert read_pass(np.frombuffer(content, np.uint8), 2) == int(np.bitwise_xor.reduce(words, initial=0))
