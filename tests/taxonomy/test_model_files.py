"""Model files on new rows: what tells the parts is needed as much as what the regressions use."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from memtax.errors import SourceError
from memtax.taxonomy.model_files import predict_rows

# The last name is what a file of someone else's may hold: no more than a name.
CONTENT: dict[str, Any] = {
    "protocol": "corrected",
    "features": ["loss", "nl_score", "x\", error('run') as \"y"],
    "settings": {"recitation_threshold": 6, "expression": ""},
    "regressions": [
        {"predictor": "baseline", "scope": "baseline", "rule": [], "coefficients": {"loss": -1.0}, "intercept": 0.0},
        {
            "predictor": "searched",
            "scope": "nl_score >= 0.5",
            "rule": [{"feature": "nl_score", "at_least": 0.5}],
            "coefficients": {},
            "intercept": 3.0,
        },
        {
            "predictor": "taxonomy",
            "scope": "recitation",
            "rule": [{"column": "category", "equals": "recitation"}],
            "coefficients": {},
            "intercept": -3.0,
        },
    ],
}


def scopes(columns: str, predictor: str) -> list[str]:
    with duckdb.connect() as connection:
        table = predict_rows(connection, CONTENT, f"(select {columns})", [], predictor)
        return [scope for (scope,) in connection.execute(f"select scope from {table}").fetchall()]


@pytest.mark.parametrize("loss", ["null", "'inf'", "'-inf'", "'nan'"])
def test_a_row_without_a_finite_feature_gets_no_probability(loss: str) -> None:
    with duckdb.connect() as connection:
        rows = f"(select cast({loss} as double) as loss, 0.7 as nl_score union all select 0.0, 0.7)"
        table = predict_rows(connection, CONTENT, rows, [], "baseline")
        assert connection.execute(f"select probability from {table}").fetchall() == [(None,), (0.5,)]


def test_a_feature_that_only_parts_the_rows_is_needed() -> None:
    assert scopes("1.0 as loss, 0.7 as nl_score", "searched") == ["nl_score >= 0.5"]
    with pytest.raises(SourceError, match="the rows have no nl_score"):
        scopes("1.0 as loss", "searched")


def test_rows_of_unknown_categories_are_refused() -> None:
    told = "9 as sequence_duplicates, false as is_templating"
    assert scopes(f"1.0 as loss, {told}", "taxonomy") == ["recitation"]
    assert scopes("1.0 as loss, 'recitation' as category", "taxonomy") == ["recitation"]
    with pytest.raises(SourceError, match="needs a column category, or sequence_duplicates and is_templating"):
        scopes("1.0 as loss", "taxonomy")
    assert scopes("1.0 as loss", "baseline") == ["baseline"]
