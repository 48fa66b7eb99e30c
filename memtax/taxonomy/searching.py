"""The rows of taxonomy_search, and the scopes of the best partition."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from memtax.taxonomy import regression
from memtax.taxonomy.columns import Columns, find_columns, standardized_rows
from memtax.taxonomy.corrected import Training
from memtax.taxonomy.frame import Frame, Rule, Scope, sample_groups
from memtax.taxonomy.search import PartitionSearch, Searched, find_thresholds, make_plan, searched_features
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.taxonomies import SEARCHED

NESTED_FOLDS = 3
METHOD = f"log-loss a row on training rows held out in {NESTED_FOLDS} folds of groups, nats"


def search_rows(model: str, revision: str, frame: Frame, settings: Settings, store: Path | None = None) -> list[Row]:
    """Rank all candidates by nested validation on the training rows; the test rows have no part in it.

    Candidates with a part that nobody would fit in the end are not ranked: too few rows of a class, or separable ones.

    Args:
        model, revision: for the rows.
        frame: rows of one model and revision.
        settings: the vars; above `search_rows` rows a sample of the groups is searched.
        store: a folder that finished parts are kept in, so that a killed search goes on.
    """
    if settings.search_rows < 1:
        return []
    training = Training(sample_groups(frame, settings.search_rows), settings)
    own = training.frame
    shared: Row = {
        "model": model,
        "revision": revision,
        "method": METHOD,
        "n_rows": len(own),
        "settings": settings.to_json(),
    }
    if not len(own) or own.labels.all() or not own.labels.any():
        return []
    names = searched_features([name for name in own.features if not np.isnan(own.column(name)).all()])
    thresholds = find_thresholds(names, [own.column(name)[own.labels] for name in names])
    plan = make_plan(thresholds)
    if not plan.candidates:
        return []
    columns = find_columns(training.values)
    rows_to_fit = standardized_rows(training.values, own.labels, columns)
    search = PartitionSearch(
        rows_to_fit,
        plan,
        [own.column(threshold.feature) for threshold in plan.thresholds],
        store=store,
        made_of=(training.values, own.labels, own.groups),
        minimum_class_rows=max(settings.minimum_class_rows, 1),
    )
    inner = [
        rows_to_fit.add_indicator((own.groups % NESTED_FOLDS == fold).astype(np.uint8)) for fold in range(NESTED_FOLDS)
    ]
    whole = search.fit()
    scores = search.nested_losses(inner) / len(own)
    baseline = _baseline_score(search, inner) / len(own)
    usable = np.array([whole.status_of(candidate) == "fitted" for candidate in plan.candidates])
    scores[~usable] = np.nan
    order = np.argsort(np.where(np.isnan(scores), np.inf, scores), kind="stable")
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(1, len(order) + 1)
    names_and_scales = _names_and_scales([own.features[j] for j in np.flatnonzero(training.known_features)], columns)
    rows = []
    for number, candidate in enumerate(plan.candidates):
        first, second = plan.thresholds[candidate.first], plan.thresholds[candidate.second]
        status = whole.status_of(candidate)
        if status == "fitted" and np.isnan(scores[number]):
            status = (
                f"a part cannot be fitted, or has fewer than {search.minimum_class_rows} memorized or other training rows, "
                "while a fold is held out"
            )
        parts = [_part(whole, part) | names_and_scales for part in candidate.parts]
        rows.append(
            shared
            | {
                "position": number,
                **{"first_feature": first.feature, "first_quantile": first.quantile, "first_threshold": first.value},
                **{"second_feature": second.feature, "second_quantile": second.quantile},
                **{"second_threshold": second.value, "score": scores[number], "baseline_score": baseline},
                "place": None if np.isnan(scores[number]) else places[number],
                "status": status,
                "parts": json.dumps(parts) if status == "fitted" else None,
            }
        )
    return rows


def _names_and_scales(features: list[str], columns: Columns) -> dict:
    """What the coefficients of a part are of: (feature − mean) / scale over all training rows; the intercept comes last.

    Args:
        features: names of the columns that were looked at.
        columns: which of them are used.
    """
    return {
        "features": [features[j] for j in np.flatnonzero(columns.active)],
        "means": columns.mean[columns.active].tolist(),
        "scales": columns.scale[columns.active].tolist(),
    }


def _part(searched: Searched, part: int) -> dict:
    """What is stored of one part: rows, memorized ones, and coefficients, which are 0 for features that are constant there."""
    return {
        "n_rows": int(searched.n_rows[part]),
        "n_memorized": int(searched.n_positive[part]),
        "coefficients": [float(value) for value in searched.coefficients[part]],
    }


def best_scopes(rows: list[Row]) -> tuple[Scope, ...]:
    """The parts of the candidate in the first place, from rows of taxonomy_search; none where nothing could be ranked."""
    best = next((row for row in rows if row["place"] == 1), None)
    if best is None:
        return ()
    first = {"feature": best["first_feature"], "value": best["first_threshold"]}
    second = {"feature": best["second_feature"], "value": best["second_threshold"]}

    def term(one: dict, reached: bool) -> dict:
        return {"feature": one["feature"], "at_least" if reached else "below": one["value"]}

    def scope(*terms: dict) -> Scope:
        words = [
            f"{t['feature']} {'>=' if 'at_least' in t else '<'} {t.get('at_least', t.get('below')):.6g}" for t in terms
        ]
        return Scope(SEARCHED, " and ".join(words), Rule(terms))

    return (
        scope(term(first, True)),
        scope(term(first, False), term(second, True)),
        scope(term(first, False), term(second, False)),
    )


def _baseline_score(search: PartitionSearch, folds: list[int]) -> float:
    total = 0.0
    for fold in folds:
        fits = regression.fit(search.rows, np.array([[-(fold + 1)]], np.int32))
        if np.isnan(fits.coefficients).any():
            return float("nan")
        held_out = np.array([[fold + 1]], np.int32)
        total += float(search.rows.derive(held_out, fits.coefficients, np.ones((1, 2)), with_hessian=False)[0][0])
    return total
