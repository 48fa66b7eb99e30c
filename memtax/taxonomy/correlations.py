"""How each feature goes with memorization: Pearson, Spearman and Chatterjee's xi, with p-values.

Chatterjee's xi asks whether memorization is *any* function of the feature (S. Chatterjee, JASA 116, 2021). Rows are sorted by
the feature; how ties are broken changes the value. The protocol `corrected` takes the mean over all random orders of the
ties, which for a label of two values has a closed form, so that nothing depends on a seed or on how a file is sorted;
`paper` keeps the order of its table. The paper's ranks are less by one, which matters where few rows are memorized: of 1 %
of 2,000, xi of a feature that says nothing is 0.9 instead of 0.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from scipy import stats

from memtax.taxonomy.join_counts import few_changes_p_value

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

METHODS = ("pearson", "spearman", "xi")
PUBLISHED_TIES = {"pearson": "as they are", "spearman": "mean ranks", "xi": "in the order of the source"}
TIES = PUBLISHED_TIES | {"xi": "mean over all random orders"}


def published_correlation(method: str, feature: Floats, labels: Bools) -> tuple[float, float]:
    """The paper's correlation of a feature with the label, and its p-value.

    Args:
        method: one of METHODS.
        feature: (n,).
        labels: (n,).

    Returns:
        NaN, NaN where a column is constant (xi: 0 and NaN).
    """
    if method == "xi":
        return xi(feature, labels)
    return _scipy_correlation(method, feature, labels)


def correlation(method: str, feature: Floats, labels: Bools) -> tuple[float, float]:
    """The same, with xi as its mean over all orders of tied rows; its p-value is that of the mean."""
    if method == "xi":
        return expected_xi(feature, labels)
    return _scipy_correlation(method, feature, labels)


def expected_xi(feature: Floats, labels: Bools) -> tuple[float, float]:
    """Chatterjee's xi with ties broken at random, in expectation, and its one-sided p-value; NaN where a column is constant.

    With two labels, n₀ and n₁ of them, xi is 1 − n · changes / (2 n₀ n₁): it depends on the order only through the number of
    neighbours that differ. Among m tied rows, k of them memorized, 2 k (m − k) / m neighbours differ on average; across the
    border of two groups with shares p and q, p (1 − q) + q (1 − p).

    The mean over the orders varies less than a single one, so that it has a null distribution of its own.
    """
    n = len(feature)
    positive = int(labels.sum())
    if n < 2 or np.ptp(feature) == 0 or positive in (0, n):
        return float("nan"), float("nan")
    order = np.argsort(feature, kind="stable")
    sorted_feature = feature[order]
    starts = np.flatnonzero(np.append(True, sorted_feature[1:] != sorted_feature[:-1]))
    sizes = np.diff(np.append(starts, n)).astype(np.float64)
    memorized = np.add.reduceat(labels[order].astype(np.float64), starts)
    share = memorized / sizes
    changes = np.sum(2 * memorized * (1 - share)) + np.sum(share[:-1] + share[1:] - 2 * share[:-1] * share[1:])
    value = float(1 - n * changes / (2 * positive * (n - positive)))
    return value, few_changes_p_value(changes, sizes, positive)


def xi(feature: Floats, labels: npt.NDArray) -> tuple[float, float]:
    """The paper's xi with ties of the feature in the given order, and its one-sided asymptotic p-value.

    xi = 1 − n Σ |r[i+1] − r[i]| / (2 Σ l (n − l)) over rows sorted by the feature, r the ascending and l the descending rank of
    the label, ties at their maximum; both less one, a fault of the paper's. 0 for a constant feature.
    """
    n = len(feature)
    if n < 2 or np.ptp(feature) == 0:
        return 0.0, float("nan")
    sorted_labels = labels[np.argsort(feature, kind="stable")]
    r, descending = (ranks - 1 for ranks in _ranks(sorted_labels))
    denominator = 2 * np.sum(descending * (n - descending))
    if denominator == 0:
        return 0.0, float("nan")
    value = float(1 - n * np.abs(np.diff(r)).sum() / denominator)
    return value, _xi_p_value(value, r, descending)


def _ranks(labels: npt.NDArray) -> tuple[Floats, Floats]:
    """Ascending and descending ranks, ties at their maximum."""
    return (
        stats.rankdata(labels, method="max").astype(np.float64),
        stats.rankdata(-labels.astype(np.float64), method="max").astype(np.float64),
    )


def _xi_p_value(value: float, r: Floats, descending: Floats) -> float:
    """From the asymptotic normal with the variance for a label with ties (Chatterjee 2021, theorem 2.2).

    Args:
        value: of xi.
        r, descending: the ranks (n,) that it was computed from.
    """
    n = float(len(r))
    u = np.sort(r)
    v = np.cumsum(u)
    i = np.arange(1, len(r) + 1, dtype=np.float64)
    a = np.sum((2 * n - 2 * i + 1) * u**2) / n**4
    b = np.sum((v + (n - i) * u) ** 2) / n**5
    c = np.sum((2 * n - 2 * i + 1) * u) / n**3
    d = np.sum(descending * (n - descending)) / n**3
    variance = (a - 2 * b + c**2) / d**2 if d else float("nan")
    return float(stats.norm.sf(value * np.sqrt(n) / np.sqrt(variance))) if variance > 0 else float("nan")


def _scipy_correlation(method: str, feature: Floats, labels: Bools) -> tuple[float, float]:
    if len(feature) < 3 or np.ptp(feature) == 0 or labels.all() or not labels.any():
        return float("nan"), float("nan")
    compute = stats.pearsonr if method == "pearson" else stats.spearmanr
    with warnings.catch_warnings():
        # A constant column was ruled out; one that is nearly so is reported by what comes out.
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        result = compute(feature, labels.astype(np.float64))
    return float(result.statistic), float(result.pvalue)
