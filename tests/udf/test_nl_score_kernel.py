"""The n-gram model: the native kernel equals the reference on any text, in any batch, with any settings."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udf.nl_score import features
from udf.nl_score.features import NgramSettings
from udf.nl_score.ngram_model import NgramModel

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.lists(
    st.sampled_from(["for (i=0; i<9; i++)", "the quick", "  \n\t", "№ 12", "“quoted”", "日本", "\ufffd", "été", "\x00", "🙂",
                     "\u2028"]),
    max_size=8,
).map("".join)  # fmt: skip
shapes = st.builds(NgramSettings, st.integers(1, 12), st.integers(1, 7), st.integers(1, 7), st.sampled_from([0.0, 5.0]))


def model_of(shape: NgramSettings) -> NgramModel:
    weights = np.random.default_rng(0).normal(size=2**shape.buckets_log2).astype(np.float32)
    return NgramModel(weights, 0.25, shape)


@settings(max_examples=300)
@given(st.lists(texts, min_size=1, max_size=8), shapes)
def test_kernel_equals_reference(rows: list[str], shape: NgramSettings) -> None:
    model = model_of(shape)
    found = model.log_odds(pa.array(rows, pa.string()))
    expected = [features.log_odds(text, model.weights, model.bias, shape) for text in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@given(st.lists(texts, min_size=1, max_size=5), shapes)
def test_ngrams_for_training_are_those_that_are_scored(rows: list[str], shape: NgramSettings) -> None:
    buckets, counts = model_of(shape).ngrams(pa.array(rows, pa.string()))
    expected, lengths = [], []
    for text in rows:
        symbols = features.symbols(text)
        parts = [
            features.buckets(symbols, shape.character_orders, 0, shape.buckets_log2),
            features.buckets(features.shape(symbols), shape.shape_orders, 1, shape.buckets_log2),
        ]
        expected += parts[0] + parts[1]
        lengths.append([len(part) for part in parts])
    assert buckets.tolist() == expected
    assert counts.tolist() == lengths


@given(st.lists(st.none() | texts, max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_rows_do_not_depend_on_their_batch(rows: list[str | None], start: int, length: int) -> None:
    model, column = model_of(NgramSettings(10)), pa.array(rows, pa.string())
    whole = model.log_odds(column)
    np.testing.assert_array_equal(model.log_odds(column[start : start + length]), whole[start : start + length])


@pytest.mark.parametrize(
    ("text", "symbols", "shape"),
    [
        ("Ab  12\n\tc", "Ab 00 c", "Aa 0 a"),
        ("“été” — \ufffdЖ日", "\x02\x05t\x05\x02 \x04 \x06\x08", "\x02a\x02 \x04 a"),
        ("foo_Bar(x1);", "foo_Bar(x0);", "a_Aa(a0);"),
        (" \n\u3000", "", ""),
    ],
)
def test_worked_cases(text: str, symbols: str, shape: str) -> None:
    assert features.symbols(text) == symbols
    assert features.shape(symbols) == shape


def test_ranges_ascend_to_the_last_code_point() -> None:
    ends = [last for last, _ in features.RANGES]
    assert ends == sorted(set(ends)) and ends[-1] == 0x10FFFF


def test_every_code_point_beyond_ascii_has_the_symbol_of_the_reference() -> None:
    model = model_of(NgramSettings(12, 1, 1, 0.0))
    # Two on each side of every border of the ranges, so that a slip of one shows.
    points = sorted({last + step for last, _ in features.RANGES for step in (-1, 0, 1, 2)} - set(range(0xD7FE, 0xE002)))
    rows = [chr(point) + "x" for point in points if point <= 0x10FFFF]
    expected = [features.log_odds(text, model.weights, model.bias, model.settings) for text in rows]
    np.testing.assert_allclose(model.log_odds(pa.array(rows)), expected, rtol=1e-12)


def test_a_repeated_phrase_says_no_more_than_once() -> None:
    model = model_of(NgramSettings(14, shrinkage=0.0))
    once, often = model.log_odds(pa.array(["some words here " * 8, "some words here " * 80]))
    assert math.isclose(once, often, abs_tol=0.05)


def test_unusable_arguments_are_refused() -> None:
    native = model_of(NgramSettings(4))._native
    for offsets in ([0, 5], [3, 1], [-1, 2], []):
        with pytest.raises(ValueError, match="offsets"):
            native.log_odds(np.array(offsets, dtype=np.int64), b"abc", 1)
    for shape in (NgramSettings(4, 8), NgramSettings(4, 5, 0), NgramSettings(31)):
        with pytest.raises(ValueError, match=r"orders|buckets"):
            _ = NgramModel(np.zeros(16, dtype=np.float32), 0.0, shape)._native
    with pytest.raises(ValueError, match="weights"):
        _ = NgramModel(np.zeros(15, dtype=np.float32), 0.0, NgramSettings(4))._native
