"""The measures hold to scikit-learn, and their intervals to the bootstrap of groups, drawn the slow way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sk

from memtax.taxonomy import metrics
from memtax.taxonomy.calibration import CALIBRATION_BINS
from memtax.taxonomy.words import comparison_sentences

outcomes = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=200)


def measure(labels: np.ndarray, p: np.ndarray) -> dict[str, float]:
    found = metrics.by_predictor(labels, {"x": p}, np.arange(len(labels)), 20, 0)["x"].estimates
    return {name: one.value for name, one in found.items()}


@given(outcomes)
def test_measures_agree_with_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    labels = np.array([label for label, _ in rows])
    p = np.array([probability for _, probability in rows])
    ours = measure(labels, p)
    likely = p > 0.5
    assert ours["brier_score"] == pytest.approx(np.mean((p - labels) ** 2))
    assert 0 <= ours["calibration_error"] <= 1
    if likely.any():
        assert ours["precision"] == pytest.approx(sk.precision_score(labels, likely))
    else:
        assert np.isnan(ours["precision"])
    if labels.any():
        assert ours["recall"] == pytest.approx(sk.recall_score(labels, likely))
        assert ours["f1"] == pytest.approx(sk.f1_score(labels, likely))
    if labels.any() and not labels.all():
        assert ours["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, p))
        assert ours["pr_auc"] == pytest.approx(sk.average_precision_score(labels, p))
    else:
        assert np.isnan(ours["roc_auc"])


def test_calibration_error_of_a_worked_case() -> None:
    # Bins of two rows: {0.1, 0.1} with no positive is off by 0.1, {0.8, 0.8} with one of two by 0.3, and so on.
    labels = np.array([False] * 2 + [True, False] * 9)
    p = np.array([0.1] * 2 + [0.8] * 18)
    assert measure(labels, p)["calibration_error"] == pytest.approx((0.1 * 2 + 0.3 * 18) / 20)


@given(outcomes)
def test_the_calibration_error_is_how_far_the_curve_is_off(rows: list[tuple[bool, float]]) -> None:
    labels, p = np.array([label for label, _ in rows]), np.array([probability for _, probability in rows])
    found = metrics.by_predictor(labels, {"x": p}, np.arange(len(rows)), 2, 0)["x"]
    assert sum(one.n_rows for one in found.bins) == len(rows)
    assert sum(one.n_memorized for one in found.bins) == labels.sum()
    sizes = [one.n_rows for one in found.bins]
    assert max(sizes) - min(sizes) <= 1
    means = [one.mean_probability for one in found.bins]
    assert (np.diff(means) >= -1e-12).all()
    off = sum(abs(one.n_memorized - one.n_rows * one.mean_probability) for one in found.bins) / len(rows)
    assert found.estimates["calibration_error"].value == pytest.approx(off)


def test_intervals_are_those_of_resampled_groups() -> None:
    rng = np.random.default_rng(0)
    n = 400
    groups = rng.integers(0, 150, n)
    by_group = rng.normal(size=150)[groups]
    labels = rng.random(n) < 1 / (1 + np.exp(-by_group))
    p = 1 / (1 + np.exp(-by_group - rng.normal(size=n)))
    found = metrics.by_predictor(labels, {"x": p}, groups, 1000, 1)["x"].estimates["roc_auc"]
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    strata = [[rows for rows in members if labels[rows].any() == memorized] for memorized in (False, True)]
    values = []
    for _ in range(700):
        drawn = [stratum[i] for stratum in strata for i in rng.integers(0, len(stratum), len(stratum))]
        rows = np.concatenate(drawn)
        values.append(sk.roc_auc_score(labels[rows], p[rows]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.01)


def test_intervals_know_how_far_the_prevalence_is_known() -> None:
    """Where labels are rare, the Brier score and the log-loss vary with how many there are, above all."""
    rng = np.random.default_rng(0)
    labels = rng.random(1000) < 0.03
    p = np.where(labels, 0.2, 0.03)
    found = metrics.by_predictor(labels, {"x": p}, np.arange(1000), 2000, 1)["x"].estimates
    drawn = rng.integers(0, 1000, (2000, 1000))
    for name, loss in (("brier_score", (p - labels) ** 2), ("log_loss", -np.log(np.where(labels, p, 1 - p)))):
        plain = np.quantile(loss[drawn].mean(axis=1), [0.025, 0.975])
        assert (found[name].low, found[name].high) == pytest.approx(tuple(plain), rel=0.06)


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_intervals_of_the_calibration_error_hold_the_truth(shift: float) -> None:
    """Of right probabilities too, though the value itself is never 0."""
    log_odds = np.sort(np.random.default_rng(9).normal(-1, 1.2, 200_000))
    right, said = (1 / (1 + np.exp(-log_odds - added)) for added in (0.0, shift))
    truth = np.mean([abs(np.mean(part)) for part in np.array_split(right - said, CALIBRATION_BINS)])
    held = []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        rows = rng.integers(0, len(right), 500)
        labels = rng.random(500) < right[rows]
        one = metrics.by_predictor(labels, {"x": said[rows]}, np.arange(500), 200, seed)["x"].estimates
        found = one["calibration_error"]
        assert found.value > 0
        assert found.low <= found.value <= found.high
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) > 0.88


@pytest.mark.parametrize("shift", [0.3, 0.6])
def test_intervals_of_differences_of_the_calibration_error_hold_the_truth(shift: float) -> None:
    """Of right probabilities and others, of which chance biases the former more."""
    log_odds = np.sort(np.random.default_rng(9).normal(-1, 1.2, 200_000))
    right, said = (1 / (1 + np.exp(-log_odds - added)) for added in (0.0, shift))
    truth = -np.mean([abs(np.mean(part)) for part in np.array_split(right - said, CALIBRATION_BINS)])
    held = []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        rows = rng.integers(0, len(right), 500)
        labels = rng.random(500) < right[rows]
        both = metrics.by_predictor(labels, {"right": right[rows], "said": said[rows]}, np.arange(500), 200, seed)
        estimates = [both[name].estimates["calibration_error"] for name in ("right", "said")]
        value, low, high, p_value = metrics.difference("calibration_error", *estimates)
        assert low <= value <= high and np.isnan(p_value)
        held.append(low <= truth <= high)
    assert np.mean(held) > 0.88


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(3000) < 0.3
    good = np.clip(0.3 + 0.3 * (labels - 0.3) + 0.1 * rng.normal(size=3000), 0.01, 0.99)
    bad = np.clip(good + 0.15, 0.01, 0.99)
    found = metrics.by_predictor(labels, {"good": good, "bad": bad}, np.arange(3000), 400, 1)
    alone, other = found["good"].estimates["log_loss"], found["bad"].estimates["log_loss"]
    value, low, high, p_value = metrics.difference("log_loss", alone, other)
    assert low < value < high < 0
    assert p_value < 0.01
    unpaired = np.hypot(alone.high - alone.low, other.high - other.low)
    assert high - low < 0.9 * unpaired
    value, *rest = metrics.difference("log_loss", alone, alone)
    assert value == 0
    assert np.isnan(rest).all()  # no sample says anything else, and so none how far it is known


@pytest.mark.parametrize(("prevalence", "apart"), [(0.01, 3.5), (0.001, 5.0)])
def test_areas_of_rare_labels_lie_within_their_intervals_and_samples_around_them(
    prevalence: float, apart: float
) -> None:
    """Of more distinct probabilities than there are bins; the baseline's and those of one that knows less."""
    n = 300_000
    rng = np.random.default_rng(2)
    labels = rng.random(n) < prevalence
    scores = rng.normal(size=n) + apart * labels
    predictions = {"good": scores, "less": scores + 0.3 * rng.normal(size=n)}
    predictions = {name: 1 / (1 + np.exp(-(apart * (one - apart / 2)))) for name, one in predictions.items()}
    found = metrics.by_predictor(labels, predictions, np.arange(n), 300, 1)
    good, less = found["good"].estimates, found["less"].estimates
    for name in ("roc_auc", "pr_auc"):
        for one in (good[name], less[name]):
            assert one.low < one.value < one.high
            assert abs(one.samples.mean() - one.value) < 0.25 * one.samples.std()
        value, low, high, _ = metrics.difference(name, less[name], good[name])
        assert low < value < high
    # As wide as those of rows drawn one by one.
    slow = []
    for _ in range(40):
        rows = rng.integers(0, n, n)
        slow.append(sk.average_precision_score(labels[rows], predictions["good"][rows]))
    assert good["pr_auc"].samples.std() == pytest.approx(np.std(slow), rel=0.35)


def test_bins_of_probabilities_hold_the_same_of_either_class() -> None:
    rng = np.random.default_rng(0)
    labels = np.sort(rng.random(500_000)) > 1 - 0.001 * rng.random(500_000)
    bins = metrics._score_bins(labels, np.arange(len(labels)))
    assert (np.diff(bins) >= 0).all()
    assert bins.max() < metrics.SCORE_BINS
    for one in (labels, ~labels):
        assert np.bincount(bins[one]).max() <= np.ceil(2 * one.sum() / metrics.SCORE_BINS) + 1
    tied = metrics._score_bins(np.array([False, True, True, False]), np.array([0, 1, 1, 1]))
    assert len(set(tied[1:])) == 1


def test_samples_that_all_say_the_same_leave_an_exact_interval_of_shares_and_none_of_others() -> None:
    labels = np.arange(20) >= 12
    p = np.where(labels, np.linspace(0.7, 0.9, 20), np.linspace(0.1, 0.3, 20))
    # Of 12 groups, ten of one row and two of five.
    groups = np.minimum(np.arange(20), 10) + (np.arange(20) > 14)
    found = metrics.by_predictor(labels, {"x": p}, groups, 200, 1)["x"].estimates
    for name in ("roc_auc", "pr_auc", "f1"):
        assert found[name].value == 1
        assert np.isnan([found[name].low, found[name].high, found[name].deviation]).all()
    # Two groups have a memorized row, and all of theirs are found.
    low = binomtest(2, 2).proportion_ci(method="exact").low
    for name in ("recall", "precision"):
        assert (found[name].value, found[name].high) == (1, 1)
        assert found[name].low == pytest.approx(low)
    # So it is where a group weighs what is no short number.
    alone = metrics.by_predictor(labels, {"x": p}, np.arange(20) % 19, 200, 1)["x"].estimates
    assert np.isnan(alone["f1"].low)
    assert alone["recall"].low == pytest.approx(binomtest(8, 8).proportion_ci(method="exact").low)
    missed = metrics.by_predictor(labels, {"x": p / 2}, np.arange(20), 200, 1)["x"].estimates
    none = binomtest(0, 8).proportion_ci(method="exact")
    assert (missed["recall"].low, missed["recall"].high) == pytest.approx((none.low, none.high))
    assert np.isnan(missed["precision"].value)
    assert missed["log_loss"].low < missed["log_loss"].value < missed["log_loss"].high


def test_the_status_of_a_measure_says_what_it_lacks() -> None:
    assert metrics.status_of_measure(0.5, 0.4, "evaluated") == "evaluated"
    assert metrics.status_of_measure(1.0, np.nan, "evaluated").startswith("evaluated; no interval")
    assert metrics.status_of_measure(np.nan, np.nan, "evaluated") == "no row has a probability above 0.5"
    assert metrics.status_of_measure(np.nan, np.nan, "no memorized rows") == "no memorized rows"


def test_without_both_classes_the_status_says_what_is_missing() -> None:
    assert metrics.status_of(np.zeros(0, bool), 0) == "no rows"
    assert metrics.status_of(np.zeros(0, bool), 3).startswith("no predictions")
    assert metrics.status_of(np.zeros(3, bool), 3) == "no memorized rows"
    assert metrics.status_of(np.ones(3, bool), 3) == "only memorized rows"


def test_words_claim_no_more_than_intervals_allow() -> None:
    def row(predictor: str, low: float, high: float, n_memorized: int = 100) -> dict:
        middle = (low + high) / 2
        numbers = {"difference": middle, "low": low, "high": high, "n_rows": 1000, "n_memorized": n_memorized}
        return {"predictor": predictor, **numbers}

    better, worse, unclear = row("taxonomy", -0.3, -0.2), row("tree", 0.1, 0.2), row("searched", -0.1, 0.1)
    words = comparison_sentences([better, worse, unclear])
    assert "better than one model for all" in words[0]
    assert "worse than one model for all" in words[1]
    assert "cannot be told" in words[2]
    assert words[3] == "The largest gain over the baseline is that of recitation, reconstruction and recollection."
    assert "no way to part" in comparison_sentences([unclear])[1]
    assert "overlaps" in comparison_sentences([better, row("tree", -0.4, -0.1)])[2]
    # A rival need not be proven itself.
    assert "overlaps that of a decision tree's leaves" in comparison_sentences([better, row("tree", -0.9, 0.1)])[2]
    assert "lightly" in comparison_sentences([row("taxonomy", -0.3, -0.2, 4)])[-1]
    assert len(comparison_sentences([])) == 1
