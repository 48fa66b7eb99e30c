"""Landing ready feature tables: what is kept, what is dropped and said, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.datasets.feature_schemas import MEMTAX, PAPER, VALUES
from memtax.datasets.feature_tables import FeatureLanding, land_features
from memtax.errors import SourceError

PAPER_ROW = {
    **{"sequence_duplicates": 7, "max_frequency": 9, "avg_frequency": 2.5, "min_frequency": 1, "median_frequency": 2.0},
    **{"p25_frequency": 1, "p75_frequency": 3, "is_incrementing": True, "is_repeating": False, "nl_scores": 0.9},
    **{"prompt_perplexity": 1.5, "generation_perplexity": 1.2, "sequence_perplexity": 2.0, "0_8_snowclones": 3},
    **{"0_8_templates": 5, "huffman_coding_length": 4.5, "memorization_score": 1.0},
}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def paper_rows(ids: list[int], **changes: Any) -> list[dict[str, Any]]:
    return [{"sequence_id": number, **PAPER_ROW, **changes} for number in ids]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb"


@pytest.fixture
def land(path: Path) -> Callable[..., FeatureLanding]:
    def run(source: Path, dataset: str = "pile", model: str = "m", schema: Any = PAPER, **given: Any) -> FeatureLanding:
        with store.writing(path) as connection:
            return land_features(connection, dataset, [source], model, "main", schema, prompt_length=2, **given)

    return run


def fetch(path: Path, sql: str) -> list[tuple]:
    with store.reading(path) as connection:
        return connection.execute(sql).fetchall()


def test_a_repeated_sequence_keeps_its_first_row(land: Callable, path: Path, tmp_path: Path) -> None:
    rows = paper_rows([5, 3, 5, 5]) + paper_rows([9], memorization_score=0.5)
    rows[2]["max_frequency"] = 99
    landing = land(write(tmp_path / "a.parquet", rows))
    assert (landing.n_rows, landing.n_repeated, landing.n_memorized, landing.corpus) == (3, 2, 2, "published")
    kept = fetch(path, "select sequence_id, source_row, max_frequency, memorized from raw.feature_rows order by 2")
    assert kept == [(5, 0, 9, True), (3, 1, 9, True), (9, 4, 9, False)]
    assert fetch(path, "select table_schema, n_rows, n_repeated from raw.feature_tables") == [("paper", 3, 2)]


def test_the_papers_columns_land_under_our_names(land: Callable, path: Path, tmp_path: Path) -> None:
    landing = land(write(tmp_path / "a.parquet", paper_rows([1], text="x", loss=1.0, other=3)))
    found = fetch(
        path,
        "select paper_is_incrementing, is_incrementing, paper_generation_perplexity, generation_perplexity, nl_score, "
        "paper_snowclones_0_8, paper_templates_0_8, paper_huffman_coding_length, loss from raw.feature_rows",
    )
    assert found == [(True, None, 1.2, None, 0.9, 3, 5, 4.5, None)]
    assert any("other" in note and "text" not in note for note in landing.notes)
    assert any("0_9_snowclones" in note for note in landing.notes)


def test_tokens_tell_which_continuations_are_the_same(land: Callable, path: Path, tmp_path: Path) -> None:
    tokens = [[1, 2, 3, 4], [5, 6, 3, 4], [1, 2, 3, 5]]
    rows = [row | {"tokens": own} for row, own in zip(paper_rows([0, 1, 2]), tokens, strict=True)]
    landing = land(write(tmp_path / "a.parquet", rows))
    one, two, three = (
        row[0] for row in fetch(path, "select continuation_digest from raw.feature_rows order by source_row")
    )
    assert one == two != three
    assert not any("no tokens" in note for note in landing.notes)


def test_our_own_columns_land_as_they_are(land: Callable, path: Path, tmp_path: Path) -> None:
    values = {"bigint": 3, "double": 0.5, "boolean": True, "integer": 2}
    row = {name: values[kind] for name, kind in VALUES.items()} | {"memorized": True}
    rows = [{"sequence_id": 4, "token_offset": offset, **row} for offset in (0, 8)]
    assert land(write(tmp_path / "a.parquet", rows), schema=MEMTAX, corpus="c").n_rows == 2
    (found,) = fetch(path, f"select distinct {', '.join(VALUES)} from raw.feature_rows")
    assert dict(zip(VALUES, found, strict=True)) == row


def test_landing_again_changes_nothing_and_replacing_leaves_one(land: Callable, path: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "a.parquet", paper_rows([1, 2]))
    assert land(source).landed
    assert not land(source).landed
    other = write(tmp_path / "b.parquet", paper_rows([3]))
    with pytest.raises(SourceError, match=r"differ.*--replace"):
        land(other)
    assert land(other, replace=True).n_rows == 1
    assert land(source, model="n").n_rows == 2  # another model's rows of the same dataset
    assert fetch(path, "select model, count(*) from raw.feature_rows group by 1 order by 1") == [("m", 1), ("n", 2)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"id": 1}], "expected the sequence's id"),
        ([{"sequence_id": "x"}], "expected whole numbers"),
        ([{"sequence_id": 1, "sequence_duplicates": 3}], "--schema paper needs max_frequency"),
        (paper_rows([1, -2]), "sequence_id -2 in row 1"),
        (paper_rows([1], max_frequency="many"), "cannot be read as --schema paper"),
        (
            paper_rows([1, 2], memorization_score=100.0),
            "memorization_score 100.0 in row 0; a memorization score is from 0 to 1",
        ),
        (paper_rows([1], sequence_duplicates=-1), "sequence_duplicates is -1; expected a whole number from 0 on"),
        (paper_rows([1], sequence_duplicates=2.5), "sequence_duplicates is 2.5; expected a whole number from 0 on"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(
    land: Callable, path: Path, tmp_path: Path, rows: list[dict], words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        land(write(tmp_path / "a.parquet", rows))
    assert fetch(path, "select count(*) from raw.feature_rows") == [(0,)]


def test_a_table_in_our_columns_needs_a_label(land: Callable, tmp_path: Path) -> None:
    rows = [{"sequence_id": 1, "sequence_duplicates": 1, "is_templating": False}]
    with pytest.raises(SourceError, match="expected memorized"):
        land(write(tmp_path / "a.parquet", rows), schema=MEMTAX)


def test_labels_that_contradict_scores_are_told(land: Callable, path: Path, tmp_path: Path) -> None:
    shared = {"sequence_duplicates": 2.0, "is_templating": False}
    rows = [
        {"sequence_id": number, **shared, "memorized": memorized, "memorization_score": score}
        for number, (memorized, score) in enumerate([(True, 1.0), (False, 1.0), (True, 0.4), (False, 0.4), (None, 1.0)])
    ]
    landing = land(write(tmp_path / "a.parquet", rows), schema=MEMTAX)
    assert [note for note in landing.notes if "contradicts" in note] == [
        "2 rows have a memorized that contradicts their memorization_score, which is 1 where a row is memorized and only "
        "there; memorized counts"
    ]
    assert fetch(path, "select count(*) filter (memorized), min(sequence_duplicates) from raw.feature_rows") == [(2, 2)]


def test_the_name_of_a_dataset_of_sequences_is_refused(land: Callable, path: Path, tmp_path: Path) -> None:
    with store.writing(path) as connection:
        connection.execute(
            "insert into raw.datasets (dataset, corpus, origin, checksum, n_sequences) values ('pile', 'c', 's', 'x', 1)"
        )
    with pytest.raises(SourceError, match="dataset of evaluated sequences"):
        land(write(tmp_path / "a.parquet", paper_rows([1])))
