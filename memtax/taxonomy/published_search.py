"""The published search for the best partition, faults included: candidates are ranked on the test rows (step 9 of the paper's
procedure).

Each part is fitted as the paper fits it, by scikit-learn's lbfgs at its default tolerance: that is slow, so that what is
done is kept in files and a killed search goes on. The protocol `corrected` has `memtax.taxonomy.searching`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memtax.taxonomy import published, published_measures
from memtax.taxonomy.frame import Frame
from memtax.taxonomy.search import Plan, Threshold, find_thresholds, make_plan, searched_features
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.training import published_sample
from udf.settings import available_threads

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

METHOD = "F1 of hard predictions on test rows, from means over the large sides of 100 folds, as published"
# Parts that are fitted and stored together: what a kill can lose.
FITTED_TOGETHER = 45


@dataclass(frozen=True)
class PublishedSearch:
    """A search over one sample.

    Attributes:
        sample: the rows.
        train, test: numbers of the sample's rows.
        baseline: the fit on all training rows.
        plan: candidates, in the paper's order, and their distinct parts.
        reached: (thresholds, n) which rows reach each threshold.
    """

    sample: published.Sample
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
    test_labels = search.sample.labels[search.test]
    baseline = _f1(
        test_labels, published_measures.probabilities(search.baseline.coefficients, search.sample.values[search.test])
    )
    rows = []
    for position, candidate in enumerate(search.plan.candidates):
        first, second = thresholds[candidate.first], thresholds[candidate.second]
        faults = [fits[part]["status"] for part in candidate.parts if fits[part]["status"] != "fitted"]
        score = np.nan if faults else _f1(test_labels, search.test_probabilities(candidate.parts, fits))
        row: Row = {"model": model, "revision": revision, "method": METHOD, "position": position}
        row |= {"first_feature": first.feature, "first_quantile": first.quantile, "first_threshold": first.value}
        row |= {"second_feature": second.feature, "second_quantile": second.quantile}
        row |= {"second_threshold": second.value, "score": score, "baseline_score": baseline}
        row |= {"status": faults[0] if faults else "fitted", "n_rows": len(search.train)}
        parts = None if faults else json.dumps([fits[part] for part in candidate.parts])
        rows.append(row | {"parts": parts, "settings": settings.to_json()})
    ranked = sorted((row for row in rows if not np.isnan(row["score"])), key=lambda row: -row["score"])
    for place, row in enumerate(ranked, 1):
        row["place"] = place
    return rows


def _prepare(frame: Frame) -> tuple[PublishedSearch, list[Threshold]] | None:
    """The search, and its thresholds under our names of the features."""
    sample, used, _, _ = published_sample(frame)
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
    return PublishedSearch(sample, train, test, baseline, plan, reached), thresholds


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


def _f1(labels: npt.NDArray[np.bool_], p: Floats) -> float:
    found = published_measures.fold_metrics(labels, p)
    precision, recall = found["precision"][0], found["recall"][0]
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
