"""The published search for the best partition, faults included: candidates are ranked on the test rows (step 9 of the paper's
procedure).

Each part is fitted as the paper fits it, by scikit-learn's lbfgs at its default tolerance: that is slow, so that what is
done is kept in files and a killed search goes on. The protocol `corrected` has `memtax.taxonomy.searching`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memtax.taxonomy import published, published_measures
from memtax.taxonomy.frame import Frame
from memtax.taxonomy.search import Candidate, Plan, Threshold, find_thresholds, make_plan, searched_features
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.training import published_sample
from udf.settings import available_threads

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
# By category: measure -> (mean, standard deviation) over folds.
FoldMetrics = Mapping[str, Mapping[str, tuple[float, float]]]

METHOD = "F1 of hard predictions on test rows, from means over the large sides of 100 folds, as published"
# Parts that are fitted and stored together: what a kill can lose.
FITTED_TOGETHER = 45


@dataclass(frozen=True)
class PublishedSearch:
    """A search over one sample.

    Attributes:
        sample: the rows.
        features: (d,) names of its columns.
        means, scales: (d,) by which they were scaled, over all rows.
        train, test: numbers of the sample's rows.
        baseline: the fit on all training rows.
        plan: candidates, in the paper's order, and their distinct parts.
        reached: (thresholds, n) which rows reach each threshold.
    """

    sample: published.Sample
    features: tuple[str, ...]
    means: Floats
    scales: Floats
    train: Rows
    test: Rows
    baseline: published.PublishedFit
    plan: Plan
    reached: npt.NDArray[np.bool_]

    def inside(self, part: int) -> npt.NDArray[np.bool_]:
        """(n,) rows of a part."""
        chosen = np.ones(len(self.sample.labels), bool)
        for threshold, sign in self.plan.parts[part]:
            chosen &= self.reached[threshold] if sign > 0 else ~self.reached[threshold]
        return chosen

    def fit_part(self, part: int) -> dict[str, Any]:
        """What the paper reports of a part's regression, or why there is none."""
        inside = self.inside(part)
        own_train = self.train[inside[self.train]]
        if fault := published.too_few(self.sample.labels[own_train]):
            return {"status": f"a part has {fault}"}
        fit = published.fit_published(self.sample, own_train, self.test[inside[self.test]], self.test, self.baseline)
        kept = {name: value for name, value in asdict(fit).items() if name not in ("fitted_rows", "validation_rows")}
        return {"status": "fitted"} | {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in kept.items()
        }

    def baseline_metrics(self) -> FoldMetrics:
        """What the paper reports of the baseline's predictions for the test rows."""
        values = self.sample.values[self.test]
        return self._metrics(published_measures.probabilities(self.baseline.coefficients, values))

    def metrics(self, candidate: Candidate, fits: Sequence[dict[str, Any]]) -> FoldMetrics:
        """The same of a candidate's, each row by the regression of its part; still grouped by the paper's categories."""
        return self._metrics(self.test_probabilities(candidate.parts, fits))

    def _metrics(self, p: Floats) -> FoldMetrics:
        labels, categories = self.sample.labels[self.test], self.sample.categories[self.test]
        return published_measures.fold_metrics_by_category(labels, categories, p)

    def stored_parts(self, candidate: Candidate, fits: Sequence[dict[str, Any]]) -> str:
        """The fits of a candidate's parts as JSON, with what their coefficients are of: (feature − mean) / scale, the
        intercept last.
        """
        of = {"features": self.features, "means": self.means.tolist(), "scales": self.scales.tolist()}
        return _to_json([of | fits[part] for part in candidate.parts])

    def test_probabilities(self, parts: Sequence[int], fits: Sequence[dict[str, Any]]) -> Floats:
        """(test rows,) by the regression of each row's part."""
        p = np.full(len(self.test), np.nan)
        for part in parts:
            inside = self.inside(part)[self.test]
            coefficients = np.array(fits[part]["coefficients"])
            p[inside] = published_measures.probabilities(coefficients, self.sample.values[self.test][inside])
        return p


def published_name(feature: str) -> str:
    """The paper's own name of a feature, by which its candidates are sorted."""
    name = feature.removeprefix("paper_")
    return f"0_8_{name.removesuffix('_0_8')}" if name.endswith("_0_8") else name


def published_search_rows(
    model: str, revision: str, frame: Frame, settings: Settings, store: Path | None = None
) -> list[Row]:
    """Rows of taxonomy_search by the published procedure.

    Args:
        model, revision: for the rows.
        frame: rows of one model and revision, in the order of their source.
        settings: the vars; `search_rows` 0 leaves the search out.
        store: a folder that finished parts are kept in.
    """
    if settings.search_rows < 1:
        return []
    prepared = _prepare(frame)
    if prepared is None:
        return []
    search, thresholds = prepared
    fits = _fit_all(search, store)
    baseline = search.baseline_metrics()
    no_score = _missing(search.sample.labels[search.test])
    rows = []
    for position, candidate in enumerate(search.plan.candidates):
        first, second = thresholds[candidate.first], thresholds[candidate.second]
        faults = [fits[part]["status"] for part in candidate.parts if fits[part]["status"] != "fitted"]
        found = None if faults else search.metrics(candidate, fits)
        row: Row = {"model": model, "revision": revision, "method": METHOD, "position": position}
        row |= {"first_feature": first.feature, "first_quantile": first.quantile, "first_threshold": first.value}
        row |= {"second_feature": second.feature, "second_quantile": second.quantile}
        row |= {"second_threshold": second.value, "n_rows": len(search.train), "settings": settings.to_json()}
        row |= {
            "score": np.nan,
            "baseline_score": _f1(baseline),
            "status": faults[0] if faults else no_score or "fitted",
        }
        if found is not None:
            row |= {"score": _f1(found), "parts": search.stored_parts(candidate, fits)}
            row["prediction_metrics"] = _to_json({"model": found, "baseline": baseline})
        rows.append(row)
    ranked = sorted((row for row in rows if not np.isnan(row["score"])), key=lambda row: -row["score"])
    for place, row in enumerate(ranked, 1):
        row["place"] = place
    return rows


def _prepare(frame: Frame) -> tuple[PublishedSearch, list[Threshold]] | None:
    """The search, and its thresholds under our names of the features."""
    sample, used, means, scales = published_sample(frame)
    memorized = ~sample.representative
    names = sorted(searched_features(used.features), key=published_name)
    if not memorized.any() or len(names) < 2:
        return None
    try:
        train, test = published.split(sample)
    except published.TooFewRows:
        return None
    if published.too_few(sample.labels[train]):
        return None
    thresholds = find_thresholds(names, [used.column(name)[memorized] for name in names])
    plan = make_plan([Threshold(published_name(one.feature), one.quantile, one.value) for one in thresholds])
    reached = np.stack([used.column(one.feature) >= one.value for one in thresholds])
    baseline = published.fit_published(sample, train, test, test)
    return PublishedSearch(sample, used.features, means, scales, train, test, baseline, plan, reached), thresholds


def _fit_all(search: PublishedSearch, store: Path | None) -> list[dict[str, Any]]:
    """Every part's fit, in batches that are kept in files."""
    digest = hashlib.sha256(repr((search.plan, len(search.sample.labels))).encode())
    # The split follows the categories, which no part of the plan names.
    for array in (search.sample.values, search.sample.labels, search.train, search.test):
        digest.update(np.ascontiguousarray(array).data)
    fits: list[dict[str, Any]] = []
    with ThreadPoolExecutor(available_threads()) as pool:
        for first in range(0, len(search.plan.parts), FITTED_TOGETHER):
            numbers = range(first, min(first + FITTED_TOGETHER, len(search.plan.parts)))
            file = store / f"published-{digest.hexdigest()[:24]}-{first}.json" if store else None
            if file is not None and file.exists():
                fits += json.loads(file.read_text(encoding="utf-8"))
                continue
            batch = list(pool.map(search.fit_part, numbers))
            fits += batch
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                temporary = file.with_suffix(".writing")
                temporary.write_text(json.dumps(batch), encoding="utf-8")
                temporary.replace(file)
    return fits


def _f1(found: FoldMetrics) -> float:
    """From the mean precision and recall of all test rows."""
    means = found[published_measures.ALL_ROWS]
    precision, recall = means["precision"][0], means["recall"][0]
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _missing(labels: npt.NDArray[np.bool_]) -> str | None:
    """In words why no candidate has a score on test rows with these labels (n,); None where each has."""
    if len(labels) < published_measures.FOLDS:
        return f"not ranked: fewer than {published_measures.FOLDS} test rows, no folds"
    return "not ranked: test rows of one class" if labels.all() or not labels.any() else None


def _to_json(value: Any) -> str:
    """As stored: null for what is not defined, since JSON has no NaN."""

    def known(one: Any) -> Any:
        if isinstance(one, Mapping):
            return {name: known(part) for name, part in one.items()}
        if isinstance(one, list | tuple):
            return [known(part) for part in one]
        return one if not isinstance(one, float) or math.isfinite(one) else None

    return json.dumps(known(value))
