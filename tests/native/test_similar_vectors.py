"""Counting similar vectors: every instruction set against float64 brute force, and against math.fsum where it is close."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtax_native import _similarity as native
from memtax_native import reference

SETS = native.instruction_sets()
THRESHOLDS = [0.8, 0.9]


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    vectors = rng.standard_normal(shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def near_thresholds(rng: np.random.Generator, query: np.ndarray, n: int, distance: float) -> np.ndarray:
    """Vectors whose cosine with `query` is within `distance` of a threshold, of all lengths."""
    direction = query / np.linalg.norm(query)
    cosine = rng.choice(THRESHOLDS, n) + rng.uniform(-distance, distance, n)
    other = rng.standard_normal((n, len(query)))
    other -= (other @ direction)[:, None] * direction
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    vectors = cosine[:, None] * direction + np.sqrt(1 - cosine**2)[:, None] * other
    return (vectors * rng.uniform(1e-3, 1e3, (n, 1))).astype(np.float32)


def brute_force(queries: np.ndarray, references: np.ndarray, own: np.ndarray) -> np.ndarray:
    a, b = queries.astype(np.float64), references.astype(np.float64)
    with np.errstate(invalid="ignore"):
        cosine = a @ b.T / (np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1))
    cosine = np.nan_to_num(cosine, nan=-2)
    # Sums in another order differ in the last bits: what is closer than that is left to the test of math.fsum.
    assert (np.abs(cosine[..., None] - THRESHOLDS) > 1e-13).all()
    cosine[own >= 0, own[own >= 0]] = -2
    return np.stack([(cosine >= threshold).sum(axis=1) for threshold in THRESHOLDS], axis=1)


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize(
    ("n_queries", "n_references", "dimensions"),
    [(1, 1, 384), (97, 65, 384), (200, 700, 384), (5, 130, 3), (7, 64, 100)],
)
def test_counts_equal_float64(instruction_set: str, n_queries: int, n_references: int, dimensions: int) -> None:
    rng = np.random.default_rng(n_references)
    centers = unit(rng, (5, dimensions))
    noise = 0.4 / np.sqrt(dimensions)
    queries, references = (
        (centers[rng.integers(0, 5, n)] + noise * rng.standard_normal((n, dimensions))).astype(np.float32)
        for n in (n_queries, n_references)
    )
    references[n_references // 2] = 0
    references[0] = queries[0]
    own = np.full(n_queries, -1)
    own[0] = 0
    packed = native.References(references, 2)
    counts, pairs = packed.count(native.Queries(queries, instruction_set), THRESHOLDS, own, 10**6, 2)
    expected = brute_force(queries, references, own)
    assert counts.tolist() == expected.tolist()
    assert n_references == 1 or counts.sum() > 0
    assert np.bincount(pairs[:, 0], minlength=n_queries).tolist() == expected[:, 0].tolist()
    assert np.bincount(pairs[pairs[:, 2] == 2, 0], minlength=n_queries).tolist() == expected[:, 1].tolist()


@pytest.mark.parametrize("instruction_set", SETS)
@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-7, 1e-9, 1e-12]), st.sampled_from([3, 64, 384]))
def test_vectors_at_a_threshold_are_decided_as_fsum_decides(
    instruction_set: str, seed: int, distance: float, dimensions: int
) -> None:
    rng = np.random.default_rng(seed)
    queries = (unit(rng, (2, dimensions)) * rng.uniform(0.1, 10)).astype(np.float32)
    references = np.concatenate(
        [near_thresholds(rng, query, 20, distance) for query in queries]
        + [queries, queries * 2, np.zeros_like(queries)]
    )
    own = np.array([40, -1])
    counts, _ = native.References(references).count(native.Queries(queries, instruction_set), THRESHOLDS, own, 0, 1)
    expected = reference.count_similar(queries.tolist(), references.tolist(), THRESHOLDS, own.tolist())
    assert counts.tolist() == expected


@settings(max_examples=50)
@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(
            st.lists(st.sampled_from([0.0, 1.0, -1.0, 3.0, 1e-30, 1e30, 0.1]), min_size=n, max_size=n),
            min_size=1,
            max_size=8,
        )
    ),
    st.sampled_from([[-1.0, 1.0], [0.0, 0.6], [0.8], [0.5, 0.5]]),
)
def test_vectors_of_any_scale_are_decided_as_fsum_decides(rows: list[list[float]], thresholds: list[float]) -> None:
    vectors = np.array(rows, dtype=np.float32)
    own = np.arange(len(rows))
    expected = reference.count_similar(vectors.tolist(), vectors.tolist(), thresholds, own.tolist())
    packed = native.References(vectors)
    for instruction_set in SETS:
        counts, _ = packed.count(native.Queries(vectors, instruction_set), thresholds, own, 0, 1)
        assert counts.tolist() == expected, instruction_set


@pytest.mark.parametrize("instruction_set", SETS)
def test_the_largest_sums_of_codes_do_not_overflow(instruction_set: str) -> None:
    ones = np.ones((1, 65_536), np.float32)
    packed = native.References(np.concatenate([ones, -ones]))
    for query in (ones, -ones):
        counts, pairs = packed.count(native.Queries(query, instruction_set), [-1.0, 1.0], None, 2)
        assert counts.tolist() == [[2, 1]]
        assert pairs[pairs[:, 1] == (query[0, 0] < 0), 2].tolist() == [2]
    with pytest.raises(ValueError, match=r"at most 65,536 dimensions"):
        native.Queries(np.ones((1, 65_537), np.float32))


@pytest.mark.parametrize("instruction_set", SETS)
def test_no_rows(instruction_set: str) -> None:
    none, one = np.empty((0, 384), np.float32), np.ones((1, 384), np.float32)
    assert native.References(one).count(native.Queries(none, instruction_set), [0.8])[0].shape == (0, 1)
    assert native.References(none).count(native.Queries(one, instruction_set), [0.8])[0].tolist() == [[0]]


def test_more_pairs_than_asked_for_are_counted_and_not_returned() -> None:
    vectors = np.ones((300, 8), np.float32)
    packed, queries = native.References(vectors), native.Queries(vectors)
    counts, pairs = packed.count(queries, THRESHOLDS, None, 300 * 300 - 1, 2)
    assert (counts == 300).all()
    assert pairs is None
    assert len(packed.count(queries, THRESHOLDS, None, 300 * 300, 2)[1]) == 300 * 300


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    vectors = np.ones((70, 8), np.float32)
    vectors[66, 3] = bad
    with pytest.raises(ValueError, match="row 66 holds a number that is not finite"):
        native.References(vectors)
    with pytest.raises(ValueError, match="row 66 holds a number that is not finite"):
        native.Queries(vectors)


def test_arguments_are_checked() -> None:
    vectors = np.ones((2, 8), np.float32)
    packed, queries = native.References(vectors), native.Queries(vectors)
    with pytest.raises(TypeError):
        native.References(vectors.astype(np.float64))
    with pytest.raises(ValueError, match="two dimensions"):
        native.References(vectors[0])
    with pytest.raises(ValueError, match="queries have 4 dimensions, references 8"):
        packed.count(native.Queries(np.ones((2, 4), np.float32)), THRESHOLDS)
    for thresholds in ([], [0.9, 0.8], [1.5], [np.nan]):
        with pytest.raises(ValueError, match="threshold"):
            packed.count(queries, thresholds)
    with pytest.raises(ValueError, match="own must hold one reference for each query"):
        packed.count(queries, [0.8], np.zeros(3, np.int64))
    with pytest.raises(ValueError, match=r"this processor and build have: .*portable"):
        native.Queries(vectors, "sse9")


def test_exact_cosine_is_that_of_rounded_sums() -> None:
    import math

    rng = np.random.default_rng(1)
    for _ in range(200):
        a, b = (
            (rng.standard_normal(384) * 10.0 ** rng.integers(-8, 8, 384)).astype(np.float32).reshape(1, -1).repeat(2, 0)
        )
        b = b[rng.permutation(384)]
        dot, aa, bb = (
            math.fsum(float(x) * float(y) for x, y in zip(*pair, strict=True)) for pair in ((a, b), (a, a), (b, b))
        )
        assert native.exact_cosine(a, b) == dot / (math.sqrt(aa) * math.sqrt(bb))
