"""The fast scan against the obvious one, on random input, in every way that it can be run."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtax_native import QueryTable, instruction_sets, reference
from tests.native.strategies import Case, cases

SETS = instruction_sets()


def counts(table: QueryTable, case: Case, **how: object) -> list[list[tuple[tuple[int, ...], int, int]]]:
    """The result of a scan in the form of the reference."""
    row_offsets, queries, occurrences, first = table.scan(case.values(), case.offsets(), **how)
    entries = [
        (tuple(int(token) for token in table.window(query)), int(count), int(offset))
        for query, count, offset in zip(queries.tolist(), occurrences, first, strict=True)
    ]
    return [entries[begin:end] for begin, end in pairwise(row_offsets)]


@settings(max_examples=400)
@given(cases(), st.sampled_from([64, 64, 40, 3, 0]))
def test_a_scan_counts_what_the_reference_counts(case: Case, hash_bits: int) -> None:
    """`hash_bits` below 64 weakens every hash, down to one value for all: collisions must cost time only."""
    table = QueryTable.build(case.window_array(), 1, _hash_bits=hash_bits)
    expected = reference.scan(case.windows, case.sequences)
    for name in SETS:
        for threads in (1, 2):
            assert counts(table, case, threads=threads, instruction_set=name) == expected, (name, threads)


@settings(max_examples=100)
@given(cases())
def test_a_find_knows_every_window_and_no_other(case: Case) -> None:
    table = QueryTable.build(case.window_array())
    rows = case.windows + [row[: case.length] for row in case.sequences if len(row) >= case.length]
    values = np.array(rows, dtype=np.uint32).reshape(-1)
    index = table.find(values, np.arange(len(rows) + 1) * case.length, 2)
    assert (index >= 0).tolist() == reference.find(case.windows, rows)
    for row, at in zip(rows, index, strict=True):
        assert at < 0 or table.window(at).tolist() == row


def random_tokens(n: int, seed: int = 0, most: int = 50_000) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, most, n).astype(np.uint16)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_sequence_in_many_parts_is_counted_as_one(name: str, threads: int) -> None:
    """Longer than one task and one chunk: windows across the borders, and one that occurs on both sides of them."""
    tokens = random_tokens(700_000)
    needle = random_tokens(32, seed=1)
    chunk, part = 2048, 1 << 18
    places = [0, chunk - 1, chunk + 60, part - 31, part + 9, part + 60, 2 * part - 1, len(tokens) - 32]
    for place in places:
        tokens[place : place + 32] = needle
    others = np.stack([tokens[at : at + 32] for at in range(part - 40, part + 8)])
    table = QueryTable.build(np.concatenate([others, needle[None]]))
    row_offsets, queries, occurrences, first = table.scan(tokens, np.array([0, len(tokens)]), threads, name)
    assert row_offsets.tolist() == [0, len(queries)]
    assert (np.diff(first) > 0).all()
    found = {tuple(table.window(q)): (c, f) for q, c, f in zip(queries.tolist(), occurrences, first, strict=True)}
    assert found[tuple(needle)] == (len(places), 0)
    assert set(found) == {tuple(row) for row in others} | {tuple(needle)}


def test_windows_do_not_cross_sequences() -> None:
    tokens = random_tokens(100)
    table = QueryTable.build(tokens[30:62].reshape(1, 32))
    assert len(table.scan(tokens, np.array([0, 61, 100]))[1]) == 0
    assert len(table.scan(tokens, np.array([0, 62, 100]))[1]) == 1
    assert table.scan(tokens, np.array([30, 62]))[3].tolist() == [0]


def test_overlapping_occurrences_all_count() -> None:
    zeros = np.zeros(2049, np.uint16)
    table = QueryTable.build(zeros[:32].reshape(1, 32))
    _, queries, occurrences, first = table.scan(zeros, np.array([0, 2049]))
    assert (queries.tolist(), occurrences.tolist(), first.tolist()) == ([0], [2018], [0])


def test_many_queries_around_one_gram_are_all_told_apart() -> None:
    """A bucket of thousands: windows that share their anchor's gram, and differ elsewhere."""
    tokens = np.zeros((5000, 32), np.uint16)
    tokens[:, 0] = np.arange(1, 5001)
    tokens[:, 31] = np.arange(1, 5001) * 7
    table = QueryTable.build(tokens)
    _, queries, occurrences, _ = table.scan(tokens.ravel(), np.arange(5001) * 32, 2)
    assert sorted(queries.tolist()) == list(range(5000))
    assert set(occurrences.tolist()) == {1}


@pytest.mark.parametrize("threads", [1, 2])
def test_a_large_table_holds_every_window(threads: int) -> None:
    """Enough windows for several parts of the parallel build, with repeats, against a scan that meets each."""
    tokens = random_tokens(60_000 + 31, most=65_536)
    windows = np.lib.stride_tricks.sliding_window_view(tokens, 32)
    table = QueryTable.build(np.concatenate([windows, windows[::3]]), threads)
    assert len(table) == 60_000
    _, queries, occurrences, first = table.scan(tokens, np.array([0, len(tokens)]), threads)
    assert first.tolist() == list(range(60_000))
    assert np.array_equal(np.sort(queries), np.arange(60_000))
    assert (occurrences == 1).all()
    assert np.array_equal(table.find(windows.ravel(), np.arange(60_001) * 32), queries)


def test_nothing_to_count_and_nothing_to_count_in() -> None:
    none = QueryTable.build(np.empty((0, 32), np.uint16))
    tokens = random_tokens(100)
    assert none.scan(tokens, np.array([0, 50, 100]))[0].tolist() == [0, 0, 0]
    assert none.find(tokens[:32], np.array([0, 32])).tolist() == [-1]
    some = QueryTable.build(tokens[:32].reshape(1, 32))
    assert some.scan(tokens[:0], np.array([0]))[0].tolist() == [0]
    assert some.scan(tokens[:0], np.array([0, 0, 0]))[0].tolist() == [0, 0, 0]
