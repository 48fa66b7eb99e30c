"""Probabilistic extraction: how likely a continuation is to be produced in several tries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from udf.errors import UdfError
from udf.registry import udf


@udf([pa.float64(), pa.int64()], pa.float64())
def extraction_probability(log_probability: pa.Array, samples: pa.Array) -> pa.Array:
    """The probability that at least one of n independent samples is the continuation: 1 − (1 − p)^n.

    A sequence is (n, p)-discoverably extractable (Hayes et al., arXiv 2410.19482) where this is at least p.

    Args:
        log_probability: natural logarithm of the probability p of one sample, at most 0; −infinity for 0.
        samples: n, at least 1.

    Returns:
        a probability per row, as −expm1(n · log(1 − p)), so that neither a p of 1e-300 nor one of 1 − 1e-17 is lost. NULL
        where an argument is NULL or the logarithm is NaN.

    Raises:
        UdfError: a logarithm above 0 (by more than rounding), or a number of samples below 1.
    """
    valid = log_probability.is_valid().to_numpy(zero_copy_only=False) & samples.is_valid().to_numpy(
        zero_copy_only=False
    )
    logs = log_probability.fill_null(0).to_numpy(zero_copy_only=False)
    counts = samples.fill_null(1).to_numpy(zero_copy_only=False)
    valid = valid & ~np.isnan(logs)
    logs = np.where(valid, logs, 0.0)
    if (logs > 1e-6).any():
        raise UdfError(f"extraction_probability() got a log-probability of {logs.max()}; expected 0 at most")
    if (counts[valid] < 1).any():
        raise UdfError(f"extraction_probability() got {counts[valid].min()} samples; expected 1 or more")
    with np.errstate(divide="ignore", invalid="ignore"):
        # log(1 − p) from log p: which of the two forms is exact depends on which of p and 1 − p is the small one.
        logs = np.minimum(logs, 0.0)
        misses = np.where(logs > -np.log(2), np.log(-np.expm1(logs)), np.log1p(-np.exp(logs)))
        found = -np.expm1(counts * misses)
    # Adding 0 turns the −0 of an impossible continuation into 0.
    return pa.array(found + 0.0, mask=~valid)
