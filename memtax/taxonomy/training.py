"""The rows of taxonomy_models and taxonomy_predictions under either protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from memtax.taxonomy import published, published_measures
from memtax.taxonomy.columns import find_complete
from memtax.taxonomy.corrected import FITTED, Z_95, ScopeFit, Training
from memtax.taxonomy.frame import CATEGORIES, Frame, Rule, Scope
from memtax.taxonomy.prediction import BASELINE, Regression, predict
from memtax.taxonomy.settings import Settings, versions
from memtax.taxonomy.tables import INTERCEPT, KEYS, PREDICTIONS, Row
from memtax.taxonomy.taxonomies import TAXONOMY, scopes_of

# The paper scales every feature but this one.
NOT_SCALED = ("paper_is_templating", "is_templating")


def train(frame: Frame, settings: Settings, searched: tuple[Scope, ...] = ()) -> list[ScopeFit]:
    """The corrected protocol's fits."""
    training = Training(frame, settings)
    return training.fit(scopes_of(training, searched))


def model_rows(model: str, revision: str, frame: Frame, settings: Settings, searched: tuple[Scope, ...]) -> list[Row]:
    """Rows of taxonomy_models: one per predictor, scope and feature, and one for each intercept."""
    if settings.protocol == "paper":
        rows = published_rows(frame)
    else:
        rows = [row for fit in train(frame, settings, searched) for row in _fit_rows(fit, frame.features)]
    shared = {"model": model, "revision": revision, "settings": settings.to_json(), "versions": versions()}
    return [row | shared for row in rows]


def _fit_rows(fit: ScopeFit, features: Sequence[str]) -> list[Row]:
    standard = fit.coefficients * fit.scales
    at_mean = float(fit.intercept + np.nansum(fit.coefficients * fit.means))
    rows = []
    for j, feature in enumerate(features):
        error = fit.standard_errors[j]
        statistic = (fit.coefficients[j] / error) ** 2
        rows.append(
            _shared(fit)
            | {
                "feature": feature,
                "note": fit.notes[j],
                **_interval("coefficient", fit.coefficients[j], error),
                **_interval("standardized", standard[j], error * fit.scales[j], "standardized_coefficient"),
                "wald_statistic": statistic,
                "p_value": stats.chi2.sf(statistic, 1),
                "variance_inflation": fit.inflation[j],
                "feature_mean": fit.means[j],
                "feature_scale": fit.scales[j],
            }
        )
    statistic = (fit.intercept / fit.intercept_error) ** 2
    rows.append(
        _shared(fit)
        | {
            "feature": INTERCEPT,
            "note": "used" if not np.isnan(fit.intercept) else "not fitted",
            **_interval("coefficient", fit.intercept, fit.intercept_error),
            "standardized_coefficient": at_mean if not np.isnan(fit.intercept) else np.nan,
            "wald_statistic": statistic,
            "p_value": stats.chi2.sf(statistic, 1),
        }
    )
    return rows


def _interval(name: str, value: float, error: float, value_name: str | None = None) -> Row:
    return {
        value_name or name: value,
        f"{name}_low": value - Z_95 * error,
        f"{name}_high": value + Z_95 * error,
    }


def _shared(fit: ScopeFit) -> Row:
    return {
        "predictor": fit.scope.predictor,
        "scope": fit.scope.name,
        "rule": fit.scope.rule.to_json(),
        "status": fit.status,
        "prevalence_shift": fit.shift,
        "n_train_rows": fit.n_rows,
        "n_train_memorized": fit.n_memorized,
        "n_rows_without_features": fit.n_incomplete,
        "errors_from": fit.errors_from,
    }


def published_sample(frame: Frame) -> tuple[published.Sample, Frame, npt.NDArray, npt.NDArray]:
    """The paper's sample, the frame of the features and rows in it, and the mean and scale of each feature."""
    known = [name for name in frame.features if not np.isnan(frame.column(name)).all()]
    used = frame.keep(known)
    used = used.take(find_complete(used.values))
    values, mean, scale = published.scale_features(used.values, np.array([name not in NOT_SCALED for name in known]))
    categories = used.columns["category"].astype(str)
    return published.Sample(values, used.labels, categories, used.representative), used, mean, scale


def published_taxonomy(sample: published.Sample) -> published.PublishedTaxonomy | None:
    """The paper's fits; None where there are too few rows for them, which the rows of taxonomy_models say."""
    try:
        return published.fit_taxonomy(sample)
    except published.TooFewRows:
        return None


def published_rows(frame: Frame) -> list[Row]:
    """Rows of taxonomy_models as the paper has them: its Wald tests, and no intervals."""
    sample, used, mean, scale = published_sample(frame)
    try:
        taxonomy = published.fit_taxonomy(sample)
    except published.TooFewRows as error:
        return _not_fitted(BASELINE, str(error), frame, used)
    rows: list[Row] = []
    for name, fit in ((BASELINE, taxonomy.baseline), *taxonomy.parts.items()):
        shared = _published_shared(name, FITTED, frame, used) | {
            "n_train_rows": fit.n_train,
            "n_train_memorized": fit.n_train_memorized,
            "errors_from": "information of the test rows, as published" if len(fit.wald) else "nothing",
            "prevalence_shift": 0.0,
        }
        own = fit.coefficients[:-1] / scale
        intercept = fit.coefficients[-1] - np.sum(own * mean)
        for feature in (*frame.features, INTERCEPT):
            if feature not in (*used.features, INTERCEPT):
                rows.append(shared | {"feature": feature, "note": "no values"})
                continue
            j = -1 if feature == INTERCEPT else used.features.index(feature)
            row = shared | {"feature": feature, "note": "used", "standardized_coefficient": fit.coefficients[j]}
            row["coefficient"] = intercept if feature == INTERCEPT else own[j]
            if feature != INTERCEPT:
                row |= {"feature_mean": mean[j], "feature_scale": scale[j]}
            if len(fit.wald):
                row |= {"wald_statistic": fit.wald[j], "p_value": fit.wald_p[j]}
            rows.append(row)
    return rows + [row for name, why in taxonomy.skipped.items() for row in _not_fitted(name, why, frame, used)]


def _published_shared(scope: str, status: str, frame: Frame, used: Frame) -> Row:
    return {
        "predictor": BASELINE if scope == BASELINE else TAXONOMY,
        "scope": scope,
        "rule": Rule(() if scope == BASELINE else ({"column": "category", "equals": scope},)).to_json(),
        "status": status,
        "n_rows_without_features": len(frame) - len(used),
    }


def _not_fitted(scope: str, why: str, frame: Frame, used: Frame) -> list[Row]:
    """What the paper leaves out without a word: a scope whose rows are too few."""
    shared = _published_shared(scope, f"too few examples: {why}", frame, used) | {"errors_from": "nothing"}
    return [shared | {"feature": name, "note": "not fitted"} for name in (*frame.features, INTERCEPT)]


def stored_regressions(rows: Sequence[Row], features: Sequence[str]) -> list[Regression]:
    """The regressions that rows of int_taxonomy__fits of one model and revision describe, in the order of training.

    Args:
        rows: with predictor, scope, rule, feature and coefficient.
        features: the frame's, whose order coefficients take.
    """
    fits: dict[tuple[str, str], Regression] = {}
    places = {name: place for place, name in enumerate(features)}
    for row in rows:
        key = row["predictor"], row["scope"]
        one = fits.get(key)
        if one is None:
            scope = Scope(*key, Rule.from_json(row["rule"]))
            one = fits[key] = Regression(scope, np.full(len(features), np.nan), float("nan"))
        value = np.nan if row["coefficient"] is None else row["coefficient"]
        if row["feature"] == INTERCEPT:
            fits[key] = replace(one, intercept=value)
        else:
            one.coefficients[places[row["feature"]]] = value
    return list(fits.values())


def predictions_table(model: str, revision: str, rows: pa.Table, frame: Frame, fits: Sequence[Regression]) -> pa.Table:
    """Rows of taxonomy_predictions: the probabilities of the rows, which were held out, by every predictor."""
    shared = _shared_columns(model, revision, "corrected", rows)
    parts = []
    for predictor, (probability, scopes, is_fallback) in predict(fits, frame).items():
        parts.append(_predictions(shared, predictor, probability, scopes, is_fallback))
    return pa.concat_tables(parts) if parts else PREDICTIONS.empty_table()


def published_predictions_table(model: str, revision: str, rows: pa.Table, frame: Frame) -> pa.Table:
    """The same as published: the test rows, by the baseline and by the model of each row's category."""
    sample, used, _, _ = published_sample(frame)
    taxonomy = published_taxonomy(sample)
    if taxonomy is None:
        return PREDICTIONS.empty_table()
    known = [frame.features.index(name) for name in used.features]
    places = np.flatnonzero(find_complete(frame.values[:, known]))
    test = taxonomy.test
    shared = _shared_columns(model, revision, "paper", rows.take(pa.array(places[test])))
    baseline = published_measures.probabilities(taxonomy.baseline.coefficients, sample.values[test])
    own, is_fallback = baseline.copy(), np.ones(len(test), bool)
    for name in CATEGORIES:
        if name in taxonomy.parts:
            chosen = sample.categories[test] == name
            own[chosen] = published_measures.probabilities(
                taxonomy.parts[name].coefficients, sample.values[test][chosen]
            )
            is_fallback[chosen] = False
    nobody = np.zeros(len(test), bool)
    all_rows = np.full(len(test), BASELINE, dtype=object)
    return pa.concat_tables(
        [
            _predictions(shared, BASELINE, baseline, all_rows, nobody),
            _predictions(shared, TAXONOMY, own, sample.categories[test].astype(object), is_fallback),
        ]
    )


def _shared_columns(model: str, revision: str, protocol: str, source: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The columns of predictions in which predictors do not differ."""
    n = source.num_rows
    names = {"model": model, "revision": revision, "protocol": protocol, "split": "test"}
    taken = (*KEYS, "category", "memorized", "is_representative", "group_number")
    columns = {name: source[name] for name in taken} | {name: _repeated(text, n) for name, text in names.items()}
    return {name: pa.chunked_array(column).cast(PREDICTIONS.field(name).type) for name, column in columns.items()}


def _predictions(
    shared: Mapping[str, pa.ChunkedArray],
    predictor: str,
    probability: npt.NDArray,
    scopes: npt.NDArray,
    is_fallback: npt.NDArray,
) -> pa.Table:
    own = {
        "predictor": _repeated(predictor, len(probability)),
        "scope": pa.DictionaryArray.from_arrays(*_encode(scopes)),
        "probability": pa.array(probability, from_pandas=True),
        "is_fallback": pa.array(is_fallback),
    }
    columns = {**shared, **own}
    return pa.table({name: columns[name] for name in PREDICTIONS.names}, schema=PREDICTIONS)


def _repeated(text: str, n: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), [text])


def _encode(texts: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Codes (n,) and the few distinct texts that they stand for."""
    names = list(dict.fromkeys(texts.tolist()))
    codes = np.zeros(len(texts), np.int32)
    for code, name in enumerate(names):
        codes[texts == name] = code
    return codes, names
