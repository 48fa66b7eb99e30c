"""How well probabilities of memorization hold, with intervals from a seeded, stratified bootstrap of groups.

Rows of one group are not independent, so groups are drawn, not rows: those that hold a memorized row and those that hold
none apart, each with replacement. How many of a sample's groups hold one is drawn, too: were it always as many as among the
rows, the intervals of measures that depend on the prevalence (log-loss, Brier score, …) would leave out how far it is known.
Every measure is a function of sums over rows (a histogram of the probabilities by label
among them), which are taken once per group; a bootstrap sample then only weighs them. Where there are many groups, they are
first thrown together into blocks at random, and blocks are drawn. Where all samples give the same value, their percentiles
say nothing: shares then have an exact binomial interval over groups, and other measures none.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from memtax.taxonomy.calibration import CALIBRATION_BINS, Bin, calibration_interval, equal_bins, reliability_bins
from udf.settings import available_threads

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

MEASURES = ("roc_auc", "pr_auc", "precision", "recall", "f1", "brier_score", "log_loss", "calibration_error")
AREAS = ("roc_auc", "pr_auc")
DECISION_THRESHOLD = 0.5
SCORE_BINS = 2048  # of probabilities in bootstrap samples; the value itself is exact
SMALLEST_PROBABILITY = 1e-12
EVALUATED = "evaluated"
NO_ALARM = "no row has a probability above 0.5"
NO_INTERVAL = "no interval, since every bootstrap sample gives the same"
# Samples that differ by less give the same value; sums of floating-point numbers depend on their order.
SAME = 1e-9


@dataclass(frozen=True)
class Estimate:
    """A measure, its 95 % interval, and the values of the bootstrap samples (NaN where a sample does not define it).

    The ends are NaN where all samples give the same value, which is no share.
    """

    value: float
    low: float
    high: float
    samples: Floats

    @property
    def deviation(self) -> float:
        """Standard deviation over the samples; NaN where all give the same value."""
        known = _known(self.samples)
        return float(known.std()) if _differ(known) else float("nan")


@dataclass(frozen=True)
class Evaluation:
    """What the rows say of one predictor.

    Attributes:
        estimates: measure -> estimate.
        bins: the reliability curve, by rising probability.
    """

    estimates: Mapping[str, Estimate]
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class _Sums:
    """Sums over the rows of each block; the first axis is the block."""

    histogram: tuple[Floats, Floats]  # rows of label 0 and 1 by probability, ascending
    n: Floats
    hits: Floats  # memorized rows above the decision threshold
    alarms: Floats  # rows above it
    squared: Floats
    log_loss: Floats
    off: Floats  # label − probability, by calibration bin


def draw_weights(
    labels: Bools, groups: Integers, samples: int, seed: int, most_blocks: int = 500
) -> tuple[Integers, Floats]:
    """The block of each row, and what it weighs in each bootstrap sample.

    Args:
        labels: (n,).
        groups: (n,).
        samples: how many bootstrap samples.
        seed: decides them.
        most_blocks: of each stratum.

    Returns:
        (n,) block numbers, and (samples, blocks) how often a block was drawn, times how many groups its stratum has in the
        sample for each that it has among the rows.
    """
    generator = np.random.default_rng(seed)
    _, codes = np.unique(groups, return_inverse=True)
    n_groups = int(codes.max()) + 1 if len(codes) else 0
    memorized = np.bincount(codes, labels, n_groups) > 0
    n_memorized = np.count_nonzero(memorized)
    drawn = np.full(samples, n_memorized)
    if 0 < n_memorized < n_groups:
        # No sample without one of the strata, which would leave areas undefined.
        drawn = generator.binomial(n_groups, n_memorized / n_groups, samples).clip(1, n_groups - 1)
    block_of_group = np.zeros(n_groups, np.int64)
    weights = [np.zeros((samples, 0))]
    first = 0
    for stratum, in_sample in ((False, n_groups - drawn), (True, drawn)):
        members = np.flatnonzero(memorized == stratum)
        n_blocks = min(len(members), most_blocks)
        if n_blocks == 0:
            continue
        block_of_group[generator.permutation(members)] = first + np.arange(len(members)) % n_blocks
        counts = generator.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=samples)
        weights.append(counts * (in_sample / len(members))[:, None])
        first += n_blocks
    return block_of_group[codes], np.concatenate(weights, axis=1)


def estimate(labels: Bools, probabilities: Floats, groups: Integers, blocks: Integers, weights: Floats) -> Evaluation:
    """Every measure with its interval, and the reliability curve.

    Args:
        labels: (n,).
        probabilities: (n,) without NaN.
        groups: (n,).
        blocks, weights: from `draw_weights`; the same for several predictors make their samples pairs.

    Returns:
        Estimates of NaN where the rows do not define them (areas and recall need both classes, precision a positive
        prediction).
    """
    if len(labels) == 0:
        nothing = np.full(len(weights), np.nan)
        return Evaluation(dict.fromkeys(MEASURES, Estimate(float("nan"), float("nan"), float("nan"), nothing)), ())
    # Of what a share is: the groups that its denominator has rows of.
    members = {"recall": labels, "precision": probabilities > DECISION_THRESHOLD}
    groups_of = {name: groups[chosen] for name, chosen in members.items()}
    # Sorted once: ranks, bins of probabilities and those of the calibration error all come from the order.
    order = np.argsort(probabilities, kind="stable")
    labels, probabilities, blocks = labels[order], probabilities[order], blocks[order]
    rank, first = _ranks(probabilities)
    coarse = rank if rank[-1] < SCORE_BINS else _score_bins(labels, first)
    of_blocks = _sums(labels, probabilities, blocks, weights.shape[1], coarse)
    of_all = _sums(labels, probabilities, np.zeros(len(labels), np.int64), 1, rank)
    drawn, exact = _measures(of_blocks, weights), _measures(of_all, np.ones((1, 1)))
    binned = _measures(of_blocks, np.ones((1, weights.shape[1])))
    result = {}
    for name in MEASURES:
        value, values = float(exact[name][0]), drawn[name]
        if name in AREAS:
            # What the bins take from the value of all rows, they take from those of samples. Of rows that are told apart
            # without an error, every sample is too.
            values = np.clip(values + (value - binned[name][0]), 0, 1) if value != 1 else np.ones(len(values))
        known = _known(values)
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) and not np.isnan(value) else (np.nan, np.nan)
        if name == "calibration_error":
            low, high = calibration_interval(_off(of_all, np.ones((1, 1)))[0], _off(of_blocks, weights))
        if not _differ(known):
            low, high = np.nan, np.nan
            if name in groups_of and not np.isnan(value):
                low, high = _exact_interval(value, len(np.unique(groups_of[name])))
        result[name] = Estimate(value, float(low), float(high), values)
    return Evaluation(result, reliability_bins(labels, probabilities))


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _differ(values: Floats) -> bool:
    return len(values) > 0 and float(np.ptp(values)) > SAME


def _exact_interval(share: float, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share of n groups that all have the same one."""
    successes = share * n
    low = stats.beta.ppf(0.025, successes, n - successes + 1) if share > 0 else 0.0
    high = stats.beta.ppf(0.975, successes + 1, n - successes) if share < 1 else 1.0
    return float(low), float(high)


def _score_bins(labels: Bools, first: Integers) -> Integers:
    """Bins of sorted rows (n,) that hold equal shares of the memorized ones and of the others together.

    Bins of equal numbers of rows would have most of the memorized ones in a few, where they are rare: what the areas are made
    of is how these and the others lie among each other.

    Args:
        labels: (n,) by rising probability.
        first: (n,) the place of the first that is equal.
    """
    n_memorized = int(np.count_nonzero(labels))
    before = np.append(0, np.cumsum(labels))[first]
    share = before / max(n_memorized, 1) + (first - before) / max(len(labels) - n_memorized, 1)
    return np.minimum((share * (SCORE_BINS / 2)).astype(np.int64), SCORE_BINS - 1)


def _ranks(ascending: Floats) -> tuple[Integers, Integers]:
    """Of sorted values (n,): the rank of each among the distinct ones, and the place of the first that is equal to it."""
    new = np.append(True, ascending[1:] != ascending[:-1])
    rank = np.cumsum(new) - 1
    return rank, np.flatnonzero(new)[rank]


def difference(measure: str, one: Estimate, other: Estimate) -> tuple[float, float, float, float]:
    """one − other with its 95 % interval over paired samples, and the two-sided bootstrap p-value of no difference.

    Chance biases the calibration error, and by more where probabilities are nearly right, so that percentiles of paired samples
    leave out the truth. Its interval goes from end to end of the two, and there is no p-value: it holds at least 90 % of the time
    (Bonferroni), and in simulations more than 95 %.

    Returns:
        Difference, ends and p-value; all but the first NaN where every sample gives the same difference.
    """
    if measure == "calibration_error":
        return one.value - other.value, one.low - other.high, one.high - other.low, float("nan")
    values = _known(one.samples - other.samples)
    value = one.value - other.value
    if not _differ(values) or np.isnan(value):
        return value, float("nan"), float("nan"), float("nan")
    low, high = np.quantile(values, [0.025, 0.975])
    tail = min(np.count_nonzero(values <= 0), np.count_nonzero(values >= 0))
    return value, float(low), float(high), min(1.0, 2 * (tail + 1) / (len(values) + 1))


def _sums(labels: Bools, p: Floats, blocks: Integers, n_blocks: int, bins: Integers) -> _Sums:
    """Sums over rows that are sorted by p, which `bins` follows."""
    n_bins = int(bins.max()) + 1
    histogram = tuple(
        np.bincount(blocks[chosen] * n_bins + bins[chosen], minlength=n_blocks * n_bins)
        .reshape(n_blocks, n_bins)
        .astype(np.float64)
        for chosen in (~labels, labels)
    )
    likely = p > DECISION_THRESHOLD
    bounded = np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    places = equal_bins(len(p))

    def per_block(values: npt.NDArray) -> Floats:
        return np.bincount(blocks, values, n_blocks).astype(np.float64)

    return _Sums(
        histogram=(histogram[0], histogram[1]),
        n=per_block(np.ones(len(p))),
        hits=per_block(likely & labels),
        alarms=per_block(likely),
        squared=per_block((p - labels) ** 2),
        log_loss=per_block(-np.log(np.where(labels, bounded, 1 - bounded))),
        off=np.bincount(blocks * CALIBRATION_BINS + places, labels - p, n_blocks * CALIBRATION_BINS)
        .reshape(n_blocks, CALIBRATION_BINS)
        .astype(np.float64),
    )


def _measures(sums: _Sums, weights: Floats) -> dict[str, Floats]:
    """Every measure of each weighting of the blocks (samples, blocks)."""
    # Counts, and by far the largest product: single precision is off by 1e-7 of a share, and takes half as long. What one
    # weighting of all rows gives is the value itself, and is computed in full.
    precision = np.float64 if len(weights) == 1 else np.float32
    negative, positive = (
        (weights.astype(precision) @ histogram.astype(precision)).astype(np.float64) for histogram in sums.histogram
    )
    n_negative, n_positive = negative.sum(axis=1), positive.sum(axis=1)
    n = weights @ sums.n
    hits, alarms = weights @ sums.hits, weights @ sums.alarms
    memorized = weights @ sums.histogram[1].sum(axis=1)  # in full, so that where all are hits the share is 1
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.cumsum(negative, axis=1) - negative / 2
        roc_auc = np.sum(positive * below, axis=1) / (n_positive * n_negative)
        true = np.cumsum(positive[:, ::-1], axis=1)
        chosen = true + np.cumsum(negative[:, ::-1], axis=1)
        precision_at = np.where(chosen > 0, true / chosen, 0.0)
        pr_auc = np.sum(positive[:, ::-1] * precision_at, axis=1) / n_positive
        both = (n_positive > 0) & (n_negative > 0)
        return {
            "roc_auc": np.where(both, roc_auc, np.nan),
            "pr_auc": np.where(both, pr_auc, np.nan),
            "precision": np.where(alarms > 0, hits / alarms, np.nan),
            "recall": np.where(memorized > 0, hits / memorized, np.nan),
            "f1": np.where(memorized > 0, 2 * hits / (alarms + memorized), np.nan),
            "brier_score": weights @ sums.squared / n,
            "log_loss": weights @ sums.log_loss / n,
            "calibration_error": np.abs(_off(sums, weights)).sum(axis=1),
        }


def _off(sums: _Sums, weights: Floats) -> Floats:
    """How far each calibration bin is off, times its share of the rows, of each weighting of the blocks (samples, blocks)."""
    return np.asarray(weights @ sums.off / (weights @ sums.n)[:, None])


def status_of(labels: Bools, n_all: int) -> str:
    """EVALUATED, or in words why some measures of the rows are missing."""
    if n_all == 0:
        return "no rows"
    if len(labels) == 0:
        return "no predictions: a feature is missing or no regression could be fitted"
    if not labels.any():
        return "no memorized rows"
    return EVALUATED if not labels.all() else "only memorized rows"


def status_of_measure(value: float, low: float, status: str) -> str:
    """The status of one measure, or of a difference, of rows whose own is `status`."""
    if status != EVALUATED:
        return status
    if np.isnan(value):
        return NO_ALARM
    return f"{EVALUATED}; {NO_INTERVAL}" if np.isnan(low) else status


def by_predictor(
    labels: Bools, predictions: Mapping[str, Floats], groups: Integers, samples: int, seed: int, most_blocks: int = 500
) -> dict[str, Evaluation]:
    """predictor -> what the rows say of it, on the same bootstrap samples."""
    blocks, weights = draw_weights(labels, groups, samples, seed, most_blocks)
    # Sorting and counting use one thread of the processor each.
    with ThreadPoolExecutor(available_threads()) as pool:
        found = pool.map(lambda p: estimate(labels, p, groups, blocks, weights), predictions.values())
        return dict(zip(predictions, found, strict=True))
