"""The rows of taxonomy_metrics and taxonomy_comparisons under either protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from memtax.taxonomy import calibration, metrics, published_measures
from memtax.taxonomy.frame import CATEGORIES, Frame, to_texts
from memtax.taxonomy.prediction import BASELINE
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.taxonomies import TAXONOMY
from memtax.taxonomy.training import published_sample, published_taxonomy

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ALL_ROWS = "all"
BOOTSTRAP = "probabilities; 95 % interval from a stratified bootstrap of groups"
HARD = "hard predictions, as published"
FOLDS = "hard predictions, mean over the large sides of 100 folds, as published"
BINS = "bins of equal size"
TOP_LABEL = "top label, {} equal bins, as published"
# Why the paper has no number.
NO_ROWS, ONE_CLASS = "no rows", "one class"


@dataclass(frozen=True)
class Answers:
    """What every predictor says of the same rows, which are representative and were held out.

    Attributes:
        probabilities: predictor -> (n,), NaN where it has no answer; the baseline first.
        is_fallback: predictor -> (n,) the baseline answered for it.
        labels: (n,) memorized.
        categories: (n,) of str.
        groups: (n,) numbers of the groups.
    """

    probabilities: Mapping[str, Floats]
    is_fallback: Mapping[str, Bools]
    labels: Bools
    categories: npt.NDArray[np.object_]
    groups: npt.NDArray[np.int64]


def read_answers(relation: Any) -> Answers | None:
    """From a relation of rows of taxonomy_predictions of one model and revision; None where it has none."""
    relation = relation.filter("is_representative")
    names = [name for (name,) in relation.project("predictor").distinct().fetchall()]
    names.sort(key=lambda name: (name != BASELINE, name))
    probabilities, is_fallback = {}, {}
    shared: pa.Table | None = None
    for name in names:
        # Each predictor's rows lie in the same order; a sort of them all would take longer than what follows.
        columns = "probability, is_fallback, group_number" + ("" if shared else ", memorized, category")
        table = relation.filter(f"predictor = '{name}'").project(columns).to_arrow_table()
        shared = shared or table
        if not table["group_number"].equals(shared["group_number"]):
            raise ValueError(
                f"the predictions of {name} are not of the baseline's rows, in its order; run dbt run again"
            )
        probabilities[name] = _floats(table["probability"])
        is_fallback[name] = _bools(table["is_fallback"])
    if shared is None:
        return None
    groups = shared["group_number"].to_numpy().astype(np.int64)
    return Answers(probabilities, is_fallback, _bools(shared["memorized"]), to_texts(shared["category"]), groups)


def metric_rows(answers: Answers, settings: Settings) -> list[Row]:
    """Measures of every predictor on each category and on all representative held-out rows, and differences from baseline.

    Returns:
        Rows of `tables.METRICS`; those with `compared_with` are differences, those with `bin` the reliability curve.
    """
    results: list[Row] = []
    # The rows that every predictor has an answer for, so that all are measured on the same.
    answered = ~np.any([np.isnan(p) for p in answers.probabilities.values()], axis=0)
    for category in (ALL_ROWS, *CATEGORIES):
        part = np.ones(len(answered), bool) if category == ALL_ROWS else answers.categories == category
        known = part & answered
        labels = answers.labels[known]
        estimates = metrics.by_predictor(
            labels,
            {name: p[known] for name, p in answers.probabilities.items()},
            answers.groups[known],
            settings.bootstrap_samples,
            settings.seed,
            settings.bootstrap_blocks,
        )
        status = metrics.status_of(labels, int(part.sum()))
        shared = {
            "category": category,
            "split": "test",
            "method": BOOTSTRAP,
            "n_rows": len(labels),
            "n_memorized": int(labels.sum()),
            "prevalence": float(labels.mean()) if len(labels) else np.nan,
            "status": status,
        }
        for name, found in estimates.items():
            fallback = int(answers.is_fallback[name][known].sum())
            results += [shared | row for row in bin_rows(name, found.bins)]
            for measure, one in found.estimates.items():
                row = {"predictor": name, "measure": measure, "n_fallback_rows": fallback}
                results.append(
                    shared
                    | row
                    | {"value": one.value, "low": one.low, "high": one.high, "standard_deviation": one.deviation}
                    | {"status": metrics.status_of_measure(one.value, one.low, status)}
                )
                if name != BASELINE and BASELINE in estimates:
                    value, low, high, p_value = metrics.difference(measure, one, estimates[BASELINE].estimates[measure])
                    compared = {"compared_with": BASELINE, "value": value, "low": low, "high": high, "p_value": p_value}
                    compared["status"] = metrics.status_of_measure(value, low, status)
                    results.append(shared | row | compared)
    return results


def bin_rows(predictor: str, bins: Sequence[calibration.Bin]) -> list[Row]:
    """The reliability curve as rows of `tables.METRICS`: those that have a bin."""
    row: Row = {"predictor": predictor, "measure": "reliability"}
    return [
        row | {"bin": number, "value": one.mean_probability, "n_rows": one.n_rows, "n_memorized": one.n_memorized}
        for number, one in enumerate(bins, 1)
    ]


def published_metric_rows(frame: Frame) -> list[Row]:
    """The paper's figures: areas by split, hard areas of the baseline, calibration errors, and means over folds."""
    sample = published_sample(frame)[0]
    taxonomy = published_taxonomy(sample)
    if taxonomy is None:
        return []
    test = taxonomy.test
    rows: list[Row] = []

    def add(
        predictor: str, category: str, split: str, method: str, values: dict[str, float], missing: str, **more: object
    ) -> None:
        for measure, value in values.items():
            row = {"predictor": predictor, "category": category, "split": split, "measure": measure, "method": method}
            status = missing if np.isnan(value) else metrics.EVALUATED
            rows.append(row | {"value": value, "n_fallback_rows": 0, "status": status} | more)

    for name, fit in ((BASELINE, taxonomy.baseline), *taxonomy.parts.items()):
        predictor, category = (BASELINE, ALL_ROWS) if name == BASELINE else (TAXONOMY, name)
        for split, (roc_auc, pr_auc) in fit.areas.items():
            add(predictor, category, split, "probabilities", {"roc_auc": roc_auc, "pr_auc": pr_auc}, ONE_CLASS)
        add(predictor, category, "test", TOP_LABEL.format(10), {"calibration_error": fit.calibration_error}, NO_ROWS)
        if fit.baseline_areas is not None:
            areas = dict(zip(("roc_auc", "pr_auc"), fit.baseline_areas, strict=True))
            add(BASELINE, category, "test", HARD, areas, ONE_CLASS)
    by_predictor = {BASELINE: published_measures.probabilities(taxonomy.baseline.coefficients, sample.values[test])}
    by_predictor[TAXONOMY] = by_predictor[BASELINE].copy()
    for name, fit in taxonomy.parts.items():
        chosen = sample.categories[test] == name
        by_predictor[TAXONOMY][chosen] = published_measures.probabilities(fit.coefficients, sample.values[test][chosen])
    for category in (ALL_ROWS, *CATEGORIES):
        chosen = np.ones(len(test), bool) if category == ALL_ROWS else sample.categories[test] == category
        labels = sample.labels[test][chosen]
        for predictor, p in by_predictor.items():
            found = published_measures.fold_metrics(labels, p[chosen])
            order = np.argsort(p[chosen], kind="stable")
            of_rows = {
                "category": category,
                "split": "test",
                "method": BINS,
                "n_fallback_rows": 0,
                "status": metrics.EVALUATED,
            }
            curve = calibration.reliability_bins(labels[order], p[chosen][order])
            rows += [of_rows | row for row in bin_rows(predictor, curve)]
            precision, recall = found["precision"][0], found["recall"][0]
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            too_few = f"fewer than {published_measures.FOLDS} rows: no folds"
            missing = NO_ROWS if not len(labels) else too_few if len(labels) < published_measures.FOLDS else ONE_CLASS
            for measure, (mean, deviation) in (found | {"f1": (f1, float("nan"))}).items():
                counts = {"n_rows": len(labels), "n_memorized": int(labels.sum()), "standard_deviation": deviation}
                add(predictor, category, "test", FOLDS, {measure: mean}, missing, **counts)
    return rows


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return pc.fill_null(column, float("nan")).to_numpy()


def _bools(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)
