"""What training reads of the store: one model and revision, one side of the split, whole groups."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from memtax.errors import StoreError
from memtax.taxonomy import tables
from memtax.taxonomy.evaluation import read_answers
from memtax.taxonomy.frame import LARGEST, Rule, Scope, read_frame, sample_groups
from memtax.taxonomy.prediction import everything, predict
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.training import model_rows, predictions_table, stored_regressions, train
from tests.taxonomy.samples import make_frame


@pytest.fixture
def relation() -> duckdb.DuckDBPyRelation:
    connection = duckdb.connect()
    return connection.sql(
        "select 'm' || n % 2 as model, 'main' as revision, 'd' as dataset, true as is_representative, n as source_row, "
        "'c' as corpus, n as sequence_id, 0 as token_offset, cast(n // 4 as integer) as group_number, "
        "case when n % 5 = 0 then 'test' else 'train' end as split from range(40000) as rows (n)"
    )


def test_a_model_is_read_alone_and_in_the_order_of_its_source(relation: duckdb.DuckDBPyRelation) -> None:
    assert tables.pairs_of(relation) == [("m0", "main"), ("m1", "main")]
    read = tables.rows_of(relation.order("hash(source_row)"), "m1", "main", split="train", with_keys=True)
    assert read["sequence_id"].to_pylist() == [n for n in range(40000) if n % 2 == 1 and n % 5]


def test_a_table_is_not_made_of_what_another_protocol_made(relation: duckdb.DuckDBPyRelation) -> None:
    corrected, paper = (relation.project(f"*, '{name}' as protocol") for name in ("corrected", "paper"))
    tables.require_protocol("paper", paper, paper.filter("false"), corrected.filter("false"))
    with pytest.raises(StoreError, match=r"protocol is paper.*under the protocol corrected.*--vars 'protocol: paper'"):
        tables.require_protocol("paper", paper, corrected)


def test_a_sample_is_of_whole_groups_and_the_same_in_sql_and_in_numpy(relation: duckdb.DuckDBPyRelation) -> None:
    read = tables.rows_of(relation, "m0", "main", most=5000, in_source_order=False)
    assert "source_row" not in read.column_names  # text and numbers that no frame needs stay in the store
    assert len(read) == pytest.approx(5000, rel=0.05)
    groups, counts = np.unique(read["group_number"].to_numpy(), return_counts=True)
    assert set(counts) == {2}
    assert np.bincount(groups % 10).min() > 150  # some of every fold
    frame = make_frame(20000)
    frame.groups[:] = np.arange(20000) // 2
    assert set(sample_groups(frame, 5000).groups) == set(groups)
    assert len(sample_groups(frame, 0)) == len(sample_groups(frame, 20000)) == 20000


def test_a_feature_that_is_not_finite_or_huge_is_as_one_that_is_not_known() -> None:
    values = [1.0, float("inf"), float("-inf"), None, 3e38, 1e49, -1e200]
    n = len(values)
    rows = {"feature first": values, "memorized": [True] * n}
    rows |= {"is_representative": [True] * n, "split": ["train"] * n, "fold": [0] * n, "group_number": list(range(n))}
    rows |= {name: ["x"] * n for name in ("category", "own_category", "code_type")}
    found = read_frame(pa.table(rows)).column("first")
    np.testing.assert_array_equal(found, [1.0, np.nan, np.nan, np.nan, 3e38, np.nan, np.nan])


# scikit-learn adds up all values in single precision before it looks at each.
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_the_largest_features_that_are_kept_can_be_trained_on() -> None:
    frame = make_frame(1500)
    frame.values[:6, 0] = LARGEST
    frame.values[6:12, 1] = -LARGEST
    fits = train(frame, Settings())
    assert {fit.scope.predictor for fit in fits} == {"baseline", "taxonomy", "tree"}
    assert all(fit.status.startswith("fitted") and np.isfinite(fit.intercept) for fit in fits)


def test_stored_regressions_predict_as_those_that_were_fitted() -> None:
    frame = make_frame(1500)
    searched = (
        Scope("searched", "low", Rule(({"feature": "first", "below": 0.1},))),
        Scope("searched", "high", Rule(({"feature": "first", "at_least": 0.1},))),
    )
    rows = tables.table_of(model_rows("m", "main", frame, Settings(), searched), tables.MODELS).to_pylist()
    stored = predict(stored_regressions(rows, frame.features), frame)
    fitted = predict(train(frame, Settings(), searched), frame)
    assert list(stored) == list(fitted) == ["baseline", "taxonomy", "tree", "searched"]
    for name, (probability, scopes, is_fallback) in fitted.items():
        np.testing.assert_allclose(stored[name][0], probability, rtol=1e-12)
        assert (stored[name][1] == scopes).all()
        assert (stored[name][2] == is_fallback).all()


def test_answers_of_other_rows_are_refused() -> None:
    frame = make_frame(300)
    fits = stored_regressions(
        [
            {"predictor": "baseline", "scope": "baseline", "rule": "[]", "feature": "(intercept)", "coefficient": 0.0},
            {"predictor": "taxonomy", "scope": "all", "rule": "[]", "feature": "(intercept)", "coefficient": 1.0},
        ],
        frame.features,
    )
    assert fits[0].scope == everything()
    n = len(frame)
    source = pa.table(
        {
            "corpus": pa.repeat("c", n),
            "sequence_id": np.arange(n),
            "token_offset": pa.array(np.zeros(n, np.int32)),
            "category": pa.array(frame.columns["category"]),
            "memorized": frame.labels,
            "is_representative": np.ones(n, bool),
            "group_number": frame.groups,
        }
    )
    table = predictions_table("m", "main", source, frame, fits)
    connection = duckdb.connect()
    answers = read_answers(connection.from_arrow(table))
    assert answers is not None
    np.testing.assert_array_equal(answers.labels, frame.labels)
    assert answers.probabilities["taxonomy"] == pytest.approx(1 / (1 + np.exp(-1.0)))
    upside_down = pa.concat_tables([table.slice(0, n), table.slice(n).take(np.arange(n)[::-1])])
    with pytest.raises(ValueError, match="not of the baseline's rows"):
        read_answers(connection.from_arrow(upside_down))
    assert read_answers(connection.from_arrow(table.slice(0, 0))) is None
