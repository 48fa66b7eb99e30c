"""The rows of taxonomy_metrics and taxonomy_comparisons under either protocol."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from memtax.taxonomy import metrics, published
from memtax.taxonomy.corrected import BASELINE
from memtax.taxonomy.frame import CATEGORIES, Frame
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.taxonomies import TAXONOMY
from memtax.taxonomy.training import published_sample

ALL_ROWS = "all"
BOOTSTRAP = "probabilities; 95 % interval from a stratified bootstrap of groups"
HARD = "hard predictions, as published"
FOLDS = "hard predictions, mean over the large sides of 100 folds, as published"
TOP_LABEL = "top label, {} equal bins, as published"


def metric_rows(predictions: pa.Table, settings: Settings) -> list[Row]:
    """Measures of every predictor on each category and on all representative held-out rows, and differences from baseline.

    Args:
        predictions: rows of int_taxonomy__predictions of one model and revision.
        settings: the vars.

    Returns:
        Rows of `tables.METRICS`; those with `compared_with` are differences.
    """
    own = predictions.filter(predictions["is_representative"])
    results: list[Row] = []
    for category in (ALL_ROWS, *CATEGORIES):
        part = own if category == ALL_ROWS else own.filter(pc.equal(own["category"], category))
        by_name = {name: part.filter(pc.equal(part["predictor"], name)) for name in _names(own)}
        if not by_name:
            continue
        probabilities = {name: _floats(table["probability"]) for name, table in by_name.items()}
        first = next(iter(by_name.values()))
        # The rows that every predictor has an answer for, so that all are measured on the same.
        known = ~np.any([np.isnan(p) for p in probabilities.values()], axis=0)
        labels = _bools(first["memorized"])[known]
        groups = _codes(first["group_key"])[known]
        estimates = metrics.by_predictor(
            labels,
            {name: p[known] for name, p in probabilities.items()},
            groups,
            settings.bootstrap_samples,
            settings.seed,
        )
        shared = {
            "category": category,
            "split": "test",
            "method": BOOTSTRAP,
            "n_rows": len(labels),
            "n_memorized": int(labels.sum()),
            "prevalence": float(labels.mean()) if len(labels) else np.nan,
            "status": metrics.status_of(labels, part.num_rows),
        }
        for name, found in estimates.items():
            fallback = int(_bools(by_name[name]["is_fallback"])[known].sum())
            for measure, one in found.items():
                row = {"predictor": name, "measure": measure, "n_fallback_rows": fallback}
                results.append(
                    shared
                    | row
                    | {"value": one.value, "low": one.low, "high": one.high, "standard_deviation": _std(one)}
                )
                if name != BASELINE and BASELINE in estimates:
                    value, low, high, p_value = metrics.difference(one, estimates[BASELINE][measure])
                    compared = {"compared_with": BASELINE, "value": value, "low": low, "high": high, "p_value": p_value}
                    results.append(shared | row | compared)
    return results


def published_metric_rows(frame: Frame) -> list[Row]:
    """The paper's figures: areas by split, hard areas of the baseline, calibration errors, and means over folds."""
    sample, used, _, _ = published_sample(frame)
    if not len(used):
        return []
    taxonomy = published.fit_taxonomy(sample)
    test = taxonomy.test
    rows: list[Row] = []

    def add(predictor: str, category: str, split: str, method: str, values: dict[str, float], **more: object) -> None:
        for measure, value in values.items():
            row = {"predictor": predictor, "category": category, "split": split, "measure": measure, "method": method}
            rows.append(row | {"value": value, "n_fallback_rows": 0, "status": "evaluated"} | more)

    for name, fit in ((BASELINE, taxonomy.baseline), *taxonomy.parts.items()):
        predictor, category = (BASELINE, ALL_ROWS) if name == BASELINE else (TAXONOMY, name)
        for split, (roc_auc, pr_auc) in fit.areas.items():
            add(predictor, category, split, "probabilities", {"roc_auc": roc_auc, "pr_auc": pr_auc})
        add(predictor, category, "test", TOP_LABEL.format(10), {"calibration_error": fit.calibration_error})
        if fit.baseline_areas is not None:
            add(BASELINE, category, "test", HARD, dict(zip(("roc_auc", "pr_auc"), fit.baseline_areas, strict=True)))
    by_predictor = {BASELINE: published.probabilities(taxonomy.baseline.coefficients, sample.values[test])}
    by_predictor[TAXONOMY] = by_predictor[BASELINE].copy()
    for name, fit in taxonomy.parts.items():
        chosen = sample.categories[test] == name
        by_predictor[TAXONOMY][chosen] = published.probabilities(fit.coefficients, sample.values[test][chosen])
    for category in (ALL_ROWS, *CATEGORIES):
        chosen = np.ones(len(test), bool) if category == ALL_ROWS else sample.categories[test] == category
        labels = sample.labels[test][chosen]
        for predictor, p in by_predictor.items():
            found = published.fold_metrics(labels, p[chosen])
            precision, recall = found["precision"][0], found["recall"][0]
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            for measure, (mean, deviation) in (found | {"f1": (f1, float("nan"))}).items():
                counts = {"n_rows": len(labels), "n_memorized": int(labels.sum()), "standard_deviation": deviation}
                add(predictor, category, "test", FOLDS, {measure: mean}, **counts)
    return rows


def _std(one: metrics.Estimate) -> float:
    known = one.samples[~np.isnan(one.samples)]
    return float(known.std()) if len(known) else float("nan")


def _names(table: pa.Table) -> list[str]:
    names = pc.unique(table["predictor"]).to_pylist()
    return sorted(names, key=lambda name: (name != BASELINE, name))


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return pc.fill_null(column, float("nan")).to_numpy()


def _bools(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    encoded = column.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
