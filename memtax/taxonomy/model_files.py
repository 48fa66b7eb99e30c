"""Model files: the regressions of one model and revision as JSON, and what they say of new rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from memtax.errors import SourceError, StoreError
from memtax.quoting import identifier, literal
from memtax.taxonomy.frame import FEATURE_PREFIX, Frame, Rule, Scope, forget_unusable
from memtax.taxonomy.prediction import Regression, predict
from memtax.taxonomy.tables import INTERCEPT
from memtax.taxonomy.taxonomies import TAXONOMY

FORMAT = "memtax taxonomy 1"


def write_model(connection: duckdb.DuckDBPyConnection, model: str, revision: str, file: Path) -> int:
    """Write the fitted regressions of taxonomy_models to a JSON file; returns how many.

    Args:
        connection: the store.
        model, revision: whose.
        file: written under another name and renamed, so that it is whole or not there.

    Raises:
        StoreError: the store has none of them.
    """
    rows = (
        connection.execute(
            "select protocol, predictor, scope, rule, feature, coefficient, settings, versions from main.taxonomy_models "
            "where model = ? and revision = ?",
            [model, revision],
        )
        .to_arrow_table()
        .to_pylist()
    )
    fits: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = row["predictor"], row["scope"]
        fit = fits.setdefault(
            key, {"predictor": key[0], "scope": key[1], "rule": json.loads(row["rule"]), "coefficients": {}}
        )
        if row["feature"] == INTERCEPT:
            fit["intercept"] = row["coefficient"]
        elif row["coefficient"] is not None:
            fit["coefficients"][row["feature"]] = row["coefficient"]
    fitted = [fit for fit in fits.values() if fit.get("intercept") is not None]
    if not fitted:
        there = connection.execute(
            "select distinct model || '@' || revision from main.taxonomy_models order by 1"
        ).fetchall()
        known = ", ".join(name for (name,) in there) or "none"
        raise StoreError(f"no fitted regressions of {model}@{revision}; taxonomy_models has {known}")
    content = {
        "format": FORMAT,
        "model": model,
        "revision": revision,
        "protocol": rows[0]["protocol"],
        "features": list(dict.fromkeys(row["feature"] for row in rows if row["feature"] != INTERCEPT)),
        "settings": json.loads(rows[0]["settings"]),
        "versions": json.loads(rows[0]["versions"]),
        "regressions": fitted,
    }
    temporary = file.with_name(file.name + ".writing")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    temporary.replace(file)
    return len(fitted)


def read_model(file: Path) -> dict[str, Any]:
    """A model file, checked.

    Raises:
        SourceError: it is not there, or not one.
    """
    if not file.is_file():
        raise SourceError(f"{file} does not exist; memtax predict FILE --save MODEL[@REVISION] writes one")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SourceError(f"{file} is not a model file: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SourceError(f"{file} is not a model file: expected the format {FORMAT!r}")
    return content


def regressions_of(content: dict[str, Any]) -> list[Regression]:
    """The regressions of a model file, the baseline first."""
    found = []
    for one in content["regressions"]:
        coefficients = np.array([one["coefficients"].get(name, np.nan) for name in content["features"]])
        rule = Rule(tuple(one["rule"]))
        found.append(Regression(Scope(one["predictor"], one["scope"], rule), coefficients, float(one["intercept"])))
    return sorted(found, key=lambda fit: fit.scope.predictor != "baseline")


def own_rows(connection: duckdb.DuckDBPyConnection, content: dict[str, Any]) -> str:
    """SQL of the store's rows of the model that a file was saved from: another model's features mean something else to it.

    Raises:
        StoreError: the store has none.
    """
    model, revision = content["model"], content["revision"]
    own = f"(from main.features where model = {literal(model)} and revision = {literal(revision)})"
    if connection.execute(f"select 1 from {own} limit 1").fetchone() is None:  # noqa: S608
        raise StoreError(
            f"the table features has no rows of {model}@{revision}, whose regressions these are; name a SOURCE to apply "
            "them to rows of another model"
        )
    return own


def predict_rows(
    connection: duckdb.DuckDBPyConnection, content: dict[str, Any], source: str, keys: Sequence[str], predictor: str
) -> str:
    """Put predictions for the rows of `source` into a temporary table, and return its name.

    Args:
        connection: where `source` can be read.
        content: a model file.
        source: an SQL relation with the features' columns, and `category` (it is worked out from sequence_duplicates and
            is_templating where it is not there).
        keys: columns to keep.
        predictor: 'baseline', 'taxonomy', …

    Raises:
        SourceError: a column that the model needs, or that tells its parts, is missing, or it has no such predictor.
    """
    fits = regressions_of(content)
    known = sorted({fit.scope.predictor for fit in fits})
    if predictor not in known:
        raise SourceError(f"the model has the predictors {', '.join(known)}, and no {predictor!r}")
    own = [fit for fit in fits if fit.scope.predictor in ("baseline", predictor)]
    types = [name for name, *_ in connection.execute(f"describe from {source}").fetchall()]
    needed = {name for fit in own for name in np.array(content["features"])[~np.isnan(fit.coefficients)]}
    # A feature may part the rows though every part's regression left it out.
    needed |= {term["feature"] for fit in own for term in fit.scope.rule.terms if "feature" in term}
    missing = sorted(name for name in needed if _column(name, types) is None)
    if missing:
        raise SourceError(f"the rows have no {', '.join(missing)}, which the model needs; they have {', '.join(types)}")
    features = [
        f"cast({_column(name, types) or 'null'} as double) as {identifier(FEATURE_PREFIX + name)}"
        for name in content["features"]
    ]
    category = "category" if "category" in types else _category(content, types)
    if predictor == TAXONOMY and category is None:
        flag = "paper_is_incrementing and paper_is_repeating" if content["protocol"] == "paper" else "is_templating"
        raise SourceError(
            f"the predictor {TAXONOMY} needs a column category, or sequence_duplicates and {flag} to tell it from; the rows "
            f"have {', '.join(types)}"
        )
    # The file may be anyone's: its expression is never run.
    own_category = "own_category" if "own_category" in types else "null"
    if predictor == "own" and own_category == "null":
        raise SourceError(
            "the predictor own needs a column own_category: what the var taxonomy_expression gives for each row "
            f"({content['settings'].get('expression')!r} when the model was fitted)"
        )
    parts = f"cast({category or 'null'} as varchar) as category, cast({own_category} as varchar) as own_category"
    table = connection.execute(
        f"select {', '.join((*keys, *features))}, {parts} from {source}"  # noqa: S608
    ).to_arrow_table()
    n = table.num_rows
    values = np.column_stack(
        [table[FEATURE_PREFIX + name].to_numpy(zero_copy_only=False).astype(np.float64) for name in content["features"]]
    )
    forget_unusable(values)
    frame = Frame(
        features=tuple(content["features"]),
        values=values,
        labels=np.zeros(n, bool),
        columns={name: table[name].to_numpy(zero_copy_only=False) for name in ("category", "own_category")},
        representative=np.ones(n, bool),
        test=np.ones(n, bool),
        fold=np.zeros(n, np.int64),
        groups=np.arange(n),
    )
    probability, scopes, is_fallback = predict(own, frame)[predictor]
    result = table.select(list(keys))
    result = result.append_column("predictor", pa.repeat(predictor, n))
    result = result.append_column("scope", pa.array(scopes, pa.string()))
    result = result.append_column("probability", pa.array(probability, from_pandas=True))
    result = result.append_column("is_fallback", pa.array(is_fallback))
    connection.register("predicted_rows", result)
    return "predicted_rows"


def _column(name: str, there: Sequence[str]) -> str | None:
    if name == "paper_is_templating" and {"paper_is_incrementing", "paper_is_repeating"} <= set(there):
        return "(paper_is_incrementing or paper_is_repeating)"
    return identifier(name) if name in there else None


def _category(content: dict[str, Any], there: Sequence[str]) -> str | None:
    """SQL for a row's category; None where the columns do not tell it."""
    flag = _column("paper_is_templating" if content["protocol"] == "paper" else "is_templating", there)
    if "sequence_duplicates" not in there or flag is None:
        return None
    threshold = int(content["settings"]["recitation_threshold"])
    return (
        f"case when sequence_duplicates >= {threshold} then 'recitation' when sequence_duplicates is null then null "
        f"when {flag} then 'reconstruction' when not {flag} then 'recollection' end"
    )
