"""Every row of taxonomy_metrics and taxonomy_comparisons says in words what it lacks."""

from __future__ import annotations

import numpy as np
import pytest

from memtax.taxonomy.evaluation import FOLDS, Answers, metric_rows, published_metric_rows
from memtax.taxonomy.settings import Settings
from tests.taxonomy.samples import make_frame


def answers(n: int = 60) -> Answers:
    """Of a baseline and a taxonomy that tells memorized rows apart without an error, none of them of recollection."""
    rng = np.random.default_rng(0)
    categories = np.array(["recitation", "reconstruction", "recollection"], dtype=object)[np.arange(n) % 3]
    labels = (np.arange(n) % 5 == 0) & (categories != "recollection")
    probabilities = {"baseline": 0.4 * rng.random(n), "taxonomy": np.where(labels, 0.8, 0.2) + 0.1 * rng.random(n)}
    nobody = dict.fromkeys(probabilities, np.zeros(n, bool))
    return Answers(probabilities, nobody, labels, categories, np.arange(n))


def find(rows: list[dict], **wanted: str | None) -> dict:
    return next(row for row in rows if all(row.get(name) == value for name, value in wanted.items()))


def test_a_measure_without_a_value_or_an_interval_says_so() -> None:
    rows = metric_rows(answers(), Settings(bootstrap_samples=100))
    whole = {"category": "all", "compared_with": None}
    area = find(rows, predictor="taxonomy", measure="roc_auc", **whole)
    assert area["value"] == 1
    assert np.isnan([area["low"], area["high"], area["standard_deviation"]]).all()
    assert area["status"] == "evaluated; no interval, since every bootstrap sample gives the same"
    recall = find(rows, predictor="taxonomy", measure="recall", **whole)
    assert recall["status"] == "evaluated"
    assert recall["low"] < recall["high"] == 1
    precision = find(rows, predictor="baseline", measure="precision", **whole)
    assert np.isnan(precision["value"])
    assert precision["status"] == "no row has a probability above 0.5"
    compared = find(rows, predictor="taxonomy", measure="recall", category="all", compared_with="baseline")
    assert (compared["value"], compared["status"]) == (1, area["status"])
    assert np.isnan([compared["low"], compared["p_value"]]).all()
    one_class = find(rows, predictor="taxonomy", measure="roc_auc", category="recollection", compared_with=None)
    assert one_class["status"] == "no memorized rows"
    for row in rows:
        if row["status"] == "evaluated":
            assert not np.isnan(row["value"])
            assert "bin" in row or row["low"] < row["high"]


@pytest.mark.parametrize(
    ("rows", "status"), [(range(90), "fewer than 100 rows: no folds"), (None, "one class"), ([], "no rows")]
)
def test_the_papers_figures_say_what_is_missing(rows: range | list | None, status: str) -> None:
    frame = make_frame(6000)
    category = frame.columns["category"]
    # Of reconstruction, few rows, none, or memorized ones alone.
    own = np.flatnonzero(category == "reconstruction")
    if rows is None:
        category[own[~frame.labels[own]]] = "recollection"
    else:
        category[own] = "recollection"
        category[own[: len(rows)]] = "reconstruction"
    found = [row for row in published_metric_rows(frame) if row["method"] == FOLDS]
    part = [row for row in found if row["category"] == "reconstruction"]
    assert len(part) == 12
    assert all(np.isnan(row["value"]) and row["status"] == status for row in part)
    assert all(row["status"] == "evaluated" for row in found if row["category"] in ("all", "recitation"))
