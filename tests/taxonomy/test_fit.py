"""The regressions hold to scikit-learn on raw features, and say what they could not fit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from memtax.taxonomy import BASELINE, CATEGORIES, fit_models

FEATURES = ["first", "second", "constant"]


def make_rows(n: int = 600, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(5, 3, n), rng.normal(-1, 0.1, n)
    category = rng.choice(CATEGORIES, n)
    memorized = rng.random(n) < 1 / (1 + np.exp(-(first - 5) + 4 * (second + 1)))
    return pa.table(
        {
            "model": ["m"] * n,
            "revision": ["main"] * n,
            "category": category,
            "split": rng.choice(["train", "test"], n, p=[0.8, 0.2]),
            "memorized": memorized,
            "first": first,
            "second": second,
            "constant": np.full(n, 7.0),
        }
    )


def rows_of(table: pa.Table, **conditions: str) -> list[dict]:
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in conditions.items())]


def test_coefficients_are_those_of_scikit_learn_in_the_features_own_units() -> None:
    rows = make_rows()
    fitted = fit_models(rows, FEATURES, 5)
    for scope in (BASELINE, *CATEGORIES):
        chosen = [row for row in rows.to_pylist() if row["split"] == "train" and scope in (BASELINE, row["category"])]
        matrix = np.array([[row["first"], row["second"]] for row in chosen])
        labels = np.array([row["memorized"] for row in chosen])
        scaler = StandardScaler().fit(matrix)
        expected = LogisticRegression(tol=1e-10, max_iter=10_000).fit(scaler.transform(matrix), labels)
        ours = {row["feature"]: row for row in rows_of(fitted, scope=scope)}
        raw = np.array([ours["first"]["coefficient"], ours["second"]["coefficient"]])
        np.testing.assert_allclose(raw, expected.coef_[0] / scaler.scale_, rtol=1e-4)
        log_odds = ours["first"]["intercept"] + matrix @ raw
        np.testing.assert_allclose(log_odds, expected.decision_function(scaler.transform(matrix)), atol=1e-3)
        assert ours["first"]["status"] == "fitted"
        assert ours["first"]["n_train_rows"] == len(chosen)


def test_a_constant_feature_has_no_coefficient_and_does_not_stop_the_fit() -> None:
    constant = rows_of(fit_models(make_rows(), FEATURES, 5), scope=BASELINE, feature="constant")[0]
    assert constant["coefficient"] is None
    assert constant["feature_scale"] == 0
    assert constant["status"] == "fitted"


def test_a_category_with_too_few_examples_is_reported() -> None:
    rows = make_rows()
    kept = [row for row in rows.to_pylist() if row["category"] != "reconstruction" or not row["memorized"]]
    fitted = fit_models(pa.Table.from_pylist(kept, schema=rows.schema), FEATURES, 5)
    found = rows_of(fitted, scope="reconstruction")
    assert len(found) == len(FEATURES)
    assert found[0]["status"].startswith("too few examples: 0 memorized")
    assert found[0]["coefficient"] is None
    assert rows_of(fitted, scope="recitation")[0]["status"] == "fitted"


def test_rows_without_a_feature_are_left_out_and_counted() -> None:
    rows = make_rows()
    first = rows["first"].to_pylist()
    train = [index for index, split in enumerate(rows["split"].to_pylist()) if split == "train"]
    for index in train[:7]:
        first[index] = None
    fitted = fit_models(rows.set_column(rows.schema.get_field_index("first"), "first", pa.array(first)), FEATURES, 5)
    baseline = rows_of(fitted, scope=BASELINE)[0]
    assert baseline["n_rows_without_features"] == 7
    assert baseline["n_train_rows"] == len(train) - 7


def test_models_and_revisions_are_never_mixed() -> None:
    one, other = make_rows(seed=1), make_rows(seed=2)
    other = other.set_column(other.schema.get_field_index("revision"), "revision", pa.array(["step2"] * other.num_rows))
    together = fit_models(pa.concat_tables([one, other]), FEATURES, 5)
    assert rows_of(together, revision="main") == fit_models(one, FEATURES, 5).to_pylist()


@pytest.mark.parametrize("features", [FEATURES, []])
def test_no_rows_at_all_give_an_empty_table(features: list[str]) -> None:
    assert fit_models(make_rows().slice(0, 0), features, 5).num_rows == 0
