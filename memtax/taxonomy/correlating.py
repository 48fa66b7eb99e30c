"""The rows of taxonomy_correlations: all, code and natural language × all rows and each category × features × methods."""

from __future__ import annotations

import numpy as np

from memtax.taxonomy import correlations
from memtax.taxonomy.frame import CATEGORIES, Frame
from memtax.taxonomy.prediction import BASELINE
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.training import published_sample


def correlation_rows(model: str, revision: str, frame: Frame, settings: Settings) -> list[Row]:
    """Correlations of each feature with the label; those that are not defined are NULL, and say why.

    The corrected protocol takes representative rows alone: sets of memorized sequences would make every correlation
    depend on how many of them were landed.
    """
    if settings.protocol == "paper":
        sample, own, _, _ = published_sample(frame)
        values, ties, compute = sample.values, correlations.PUBLISHED_TIES, correlations.published_correlation
    else:
        own = frame.take(frame.representative)
        values, ties, compute = own.values, correlations.TIES, correlations.correlation
    code_type = own.columns.get("code_type", np.full(len(own), None, dtype=object))
    subsets = {"all": np.ones(len(own), bool), "natural_language": code_type == "nl", "code": code_type == "code"}
    unknown = all(kind is None for kind in code_type)
    rows: list[Row] = []
    for category in (BASELINE, *CATEGORIES):
        inside = np.ones(len(own), bool) if category == BASELINE else own.columns["category"] == category
        for subset, chosen in subsets.items():
            for j, feature in enumerate(own.features):
                known = inside & chosen & ~np.isnan(values[:, j])
                x, y = values[known, j], own.labels[known]
                status = "no code score" if unknown and subset != "all" else _status(x, y)
                for method in correlations.METHODS:
                    r, p = compute(method, x, y) if len(x) > 2 else (np.nan, np.nan)
                    row: Row = {"model": model, "revision": revision, "category": category, "subset": subset}
                    row |= {"feature": feature, "method": method, "ties": ties[method], "correlation": r, "p_value": p}
                    rows.append(row | {"n_rows": len(x), "n_memorized": int(y.sum()), "status": status})
    return rows


def _status(x: np.ndarray, y: np.ndarray) -> str:
    if len(x) < 3:
        return "no values"
    if np.ptp(x) == 0:
        return "constant"
    return "one class" if y.all() or not y.any() else "computed"
