"""extraction_probability() against exact arithmetic."""

import math
from decimal import Decimal, getcontext

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udf.errors import UdfError
from udf.extraction import extraction_probability


def call(logs, samples):
    return extraction_probability(pa.array(logs, pa.float64()), pa.array(samples, pa.int64())).to_pylist()


def exactly(log_probability: float, samples: int) -> float:
    getcontext().prec = 400
    miss = 1 - Decimal(log_probability).exp()
    return float(1 - miss**samples)


@given(st.floats(-700, 0), st.integers(1, 10_000))
def test_equals_exact_arithmetic(log_probability: float, samples: int) -> None:
    assert call([log_probability], [samples])[0] == pytest.approx(exactly(log_probability, samples), rel=1e-9)


def test_extremes() -> None:
    assert call([-1e-18, 0.0, -math.inf, -800.0, math.log(0.5)], [1, 1, 10**9, 10, 1]) == pytest.approx(
        [1.0, 1.0, 0.0, 0.0, 0.5]
    )
    # A naive 1 - (1 - p)^n gives 0 here.
    assert call([math.log(1e-20)], [1000])[0] == pytest.approx(1e-17)
    assert call([None, -1.0, math.nan], [1, None, 1]) == [None, None, None]
    assert call([], []) == []


@pytest.mark.parametrize(
    ("logs", "samples", "message"), [(0.1, 1, "log-probability of 0.1"), (-1.0, 0, "got 0 samples")]
)
def test_what_is_no_probability_is_refused(logs, samples, message) -> None:
    with pytest.raises(UdfError, match=message):
        call([logs], [samples])
