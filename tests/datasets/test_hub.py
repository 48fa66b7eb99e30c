"""`memtax ingest hub`: each published schema lands, its faults are found, and the marts are filled from it."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.datasets.hub.files import splits_in
from memtax.datasets.hub.land import HubLanding, land_split
from memtax.datasets.hub.schemas import find_split
from memtax.errors import SourceError
from tests.conftest import PROJECT, Commands
from tests.datasets.published_hub import IDS, PERPLEXITIES, make, make_feature_tables

VALUES = (
    "usvsnsp/generation-num-duplicates",
    "usvsnsp/pile-pythia-code-vs-nl-scores",
    "usvsnsp/semantic-duplicates",
    "usvsnsp/deduped-num-frequencies",
)
FEATURES = ("usvsnsp/semantic-filters", "usvsnsp/generation-semantic-filters", "usvsnsp/semantic-filters-intermediate")
EVALS = "EleutherAI/pythia-memorized-evals"
SAMPLED = "EleutherAI/pile-deduped-pythia-random-sampled"
TEST = "usvsnsp/pile-test-sampled"
ENTROPIES = "usvsnsp/semantic-memorization-entropies"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMTAX_PROJECT", str(PROJECT))


def land(database: Path, folder: Path, repository: str, hub_revision: str | None = None) -> dict[str, HubLanding]:
    landings = {}
    for name, paths in splits_in(folder, repository).items():
        with store.writing(database) as connection:
            landings[name] = land_split(connection, find_split(repository, name, hub_revision), paths)
    return landings


@pytest.mark.parametrize("repository", [EVALS, SAMPLED, TEST, *VALUES])
def test_a_dataset_lands_once_without_its_padding(tmp_path: Path, repository: str) -> None:
    folder = make(tmp_path, repository)
    database = tmp_path / "memtax.duckdb"
    first = land(database, folder, repository)
    for landing in first.values():
        assert landing.landed
        assert any(note.startswith("1 rows repeat an earlier one") for note in landing.notes)
        assert landing.n_rows in (len(IDS), 100)
    again = land(database, folder, repository)
    assert not any(landing.landed for landing in again.values())


def test_scores_are_those_of_each_size(tmp_path: Path) -> None:
    database = tmp_path / "memtax.duckdb"
    land(database, make(tmp_path, SAMPLED), SAMPLED)
    land(database, make(tmp_path, EVALS), EVALS)
    with store.reading(database) as connection:
        scores = connection.execute(
            "select dataset, count(distinct model), count(*) from raw.published_scores group by 1 order by 1"
        ).fetchall()
        corpora = connection.execute("select distinct corpus from raw.evaluated_sequences").fetchall()
    assert scores == [("memories_deduped_12b", 1, 6), ("pile_deduped", 8, 40)]
    assert corpora == [("pile-deduped",)]


def test_held_out_text_is_of_a_corpus_of_its_own(tmp_path: Path) -> None:
    database = tmp_path / "memtax.duckdb"
    land(database, make(tmp_path, TEST), TEST)
    with store.reading(database) as connection:
        assert connection.execute("select dataset, corpus, n_sequences from raw.datasets").fetchall() == [
            ("pile_test", "pile-test", len(IDS))
        ]


def test_windows_and_features_of_one_name_exclude_each_other(tmp_path: Path) -> None:
    """`memories_deduped_12b` is the name of a split of both; landed under it, `features` would have its rows twice."""
    windows, features = make(tmp_path, EVALS), make(tmp_path, FEATURES[0])
    land(tmp_path / "a.duckdb", windows, EVALS)
    with pytest.raises(SourceError, match=r"dataset of evaluated sequences.*under another name \(of .* --name\)"):
        land(tmp_path / "a.duckdb", features, FEATURES[0])
    land(tmp_path / "b.duckdb", features, FEATURES[0])
    with pytest.raises(SourceError, match=r"is a ready feature table, landed from .*under another name"):
        land(tmp_path / "b.duckdb", windows, EVALS)
    with store.reading(tmp_path / "b.duckdb") as connection:
        for table in ("datasets", "dataset_members", "evaluated_sequences"):
            assert connection.execute(f"select count(*) from raw.{table}").fetchone() == (0,)


def test_one_name_for_several_splits_is_refused(commands: Commands, tmp_path: Path) -> None:
    folder = make(tmp_path, FEATURES[0])
    splits = ("--split", "pile_deduped_12b", "--split", "memories_deduped_12b")
    for chosen in (splits, ()):  # named, or all that the folder holds
        result = commands.memtax("ingest", "hub", FEATURES[0], "--from", folder, "--name", "mine", *chosen, check=False)
        assert result.returncode == 2
        assert "--name is of one dataset; name one --split" in result.stderr
    assert not commands.database.exists()


def test_what_is_published_fills_the_marts(commands: Commands, tmp_path: Path) -> None:
    for repository in (EVALS, *VALUES):
        land(commands.database, make(tmp_path, repository), repository)
    land(commands.database, make(tmp_path, ENTROPIES), ENTROPIES, "deduped_12b")
    commands.dbt("run", "--select", "+features", "+token_frequencies", "+dim_models")
    with store.reading(commands.database) as connection:
        rows = connection.execute(
            "select sequence_id, sequence_duplicates, memorized, category, prompt_perplexity, generation_perplexity, loss "
            "from features where model = 'pythia-12b-deduped' order by sequence_id"
        ).fetchall()
        origins = connection.execute("select distinct duplicates_origin from feat_sequence__duplicates").fetchall()
        frequencies = connection.execute(
            "select frequency, frequency_origin from token_frequencies where corpus = 'pile-deduped' and token_id = 2"
        ).fetchall()
        matches = connection.execute(
            "select semantic_matches_0_8, textual_matches_0_8, nl_score, code_type, paper_avg_entropy, avg_entropy "
            "from features order by sequence_id limit 1"
        ).fetchall()
    assert [row[:3] for row in rows] == list(zip(IDS, [1, 7, 900, 5, 6, 2], [True] * 6, strict=True))
    assert [row[3] for row in rows] == [None, "recitation", "recitation", None, "recitation", None]
    assert rows[0][4:] == (None, None, None), "-1 is no perplexity"
    # exp(sum / 63) to the power of 63 over the tokens of the span is exp(sum / tokens).
    assert math.isclose(rows[1][4], PERPLEXITIES["prompt_perplexity"] ** (63 / 31))
    assert math.isclose(rows[1][5], PERPLEXITIES["generation_perplexity"] ** (63 / 32))
    assert math.isclose(rows[1][6], math.log(PERPLEXITIES["sequence_perplexity"]))
    assert origins == [("published",)]
    assert frequencies == [(1005, "published")]
    assert matches == [(4, 0, 0.0, "code", 0.5, None)]


@pytest.mark.parametrize("repository", FEATURES)
def test_a_feature_table_is_handed_on(tmp_path: Path, repository: str) -> None:
    database = tmp_path / "memtax.duckdb"
    folder = make(tmp_path, repository)
    landings = land(database, folder, repository)
    if repository.endswith("-intermediate"):
        assert landings["memories_deduped_12b.23000"].n_rows == len(IDS)
        return
    notes = " ".join(landings["pile_deduped_12b"].notes)
    assert landings["pile_deduped_12b"].n_rows == len(IDS)
    for expected in ("repeat an earlier one", "written as -1", "names are swapped", "mean of a batch"):
        assert expected in notes


@pytest.mark.slow
def test_the_taxonomy_trains_on_published_tables_without_a_model(commands: Commands, tmp_path: Path) -> None:
    repository = "usvsnsp/semantic-filters"
    folder = make_feature_tables(tmp_path, 400)
    landed = commands.memtax("ingest", "hub", repository, "--from", folder).stdout
    assert "pile_deduped_12b: landed 400 rows" in landed
    assert "names are swapped" in landed
    assert "already landed" in commands.memtax("ingest", "hub", repository, "--from", folder).stdout
    commands.dbt("run", "--select", "+taxonomy_metrics", "+dim_models", "+features")
    with store.reading(commands.database) as connection:
        rows = connection.execute(
            "select dataset, origin, count(*), count(*) filter (textual_matches_0_8 > semantic_matches_0_8), "
            "count(*) filter (textual_matches_0_8 = paper_snowclones_0_8) from features group by all order by 1"
        ).fetchall()
        models = connection.execute("select model, corpus from dim_models").fetchall()
        assert connection.execute("select count(*) from raw.models").fetchone() == (0,)
        areas = connection.execute(
            "select value from taxonomy_metrics where predictor = 'baseline' and measure = 'roc_auc' and category = 'all'"
        ).fetchall()
    assert rows == [(name, "landed", 400, 0, 400) for name in ("memories_deduped_12b", "pile_deduped_12b")]
    assert models == [("pythia-12b-deduped", "pile-deduped")]
    assert areas
    assert all(area > 0.6 for (area,) in areas)
    # Exported in the paper's columns it is what was published, and lands again as such.
    out = tmp_path / "out"
    commands.memtax("export", out, "--schema", "paper", "--swapped-matches")
    for split in ("pile_deduped_12b", "memories_deduped_12b"):
        (path,) = (out / "default").glob(f"{split}-*.parquet")
        exported = pq.read_table(path)
        published = pq.read_table(folder / f"{split}-00000-of-00001.parquet").drop(["loss"])
        assert exported.select(published.column_names).cast(published.schema).equals(published.sort_by("sequence_id"))
    again = Commands(tmp_path / "again.duckdb", commands.target)
    assert "pile_deduped_12b: landed 400 rows" in again.memtax("ingest", "hub", repository, "--from", out).stdout


def test_another_dataset_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "memtax.duckdb"
    folder = tmp_path / "data"
    folder.mkdir()
    repository = "usvsnsp/generation-num-duplicates"
    with pytest.raises(SourceError, match="none of the published datasets"):
        find_split("somebody/else", "train")
    with pytest.raises(SourceError, match="has no split 'train'"):
        find_split(repository, "train")
    with pytest.raises(SourceError, match="branch of its own"):
        find_split(ENTROPIES, "pile")
    with pytest.raises(SourceError, match="holds no Parquet files"):
        land(database, folder, repository)
    path = folder / "deduped-00000-of-00001.parquet"
    pq.write_table(pa.table({"sequence_id": [1, 2]}), path)
    with pytest.raises(SourceError, match="no 'counts'"):
        land(database, folder, repository)
    pq.write_table(pa.table({"sequence_id": [1, 2], "counts": ["a", "b"]}), path)
    with pytest.raises(SourceError, match="expected integer"):
        land(database, folder, repository)
    pq.write_table(pa.table({"sequence_id": [1, 1], "counts": [2, 3]}), path)
    with pytest.raises(SourceError, match="several rows of sequence_id 1 that differ"):
        land(database, folder, repository)
    path.rename(folder / "deduped-00000-of-00003.parquet")
    with pytest.raises(SourceError, match="announce 3"):
        land(database, folder, repository)
    with store.writing(database) as connection:
        assert connection.execute("select count(*) from raw.published_values").fetchone() == (0,)


@pytest.mark.parametrize("repository", [SAMPLED, VALUES[0], FEATURES[0]])
@pytest.mark.parametrize("damage", ["a page", "a column"])
def test_damage_that_shows_while_landing_is_named_and_leaves_nothing(
    commands: Commands, tmp_path: Path, repository: str, damage: str
) -> None:
    folder = make(tmp_path, repository)
    path = sorted(folder.rglob("*.parquet"))[1]
    if damage == "a column":
        table = pq.read_table(path)
        column = {SAMPLED: "12B", VALUES[0]: "counts", FEATURES[0]: "max_frequency"}[repository]
        pq.write_table(table.drop([column]), path)
    else:
        column = pq.read_metadata(path).row_group(0).column(1)
        start = column.dictionary_page_offset or column.data_page_offset
        content = bytearray(path.read_bytes())
        content[start : start + 20] = b"\xff" * 20
        path.write_bytes(content)
    before = list(land(commands.database, make(tmp_path / "other", VALUES[1]), VALUES[1]))
    result = commands.memtax("ingest", "hub", repository, "--from", folder, check=False)
    assert result.returncode == 1
    assert "cannot be read" in result.stderr
    assert "Traceback" not in result.stderr
    with store.reading(commands.database) as connection:
        for table in ("evaluated_sequences", "dataset_members", "dataset_scores", "datasets", "feature_rows"):
            assert connection.execute(f"select count(*) from raw.{table}").fetchone() == (0,)
        assert connection.execute("select split from raw.published_tables").fetchall() == [(name,) for name in before]


def test_the_command_takes_a_folder(commands: Commands, tmp_path: Path) -> None:
    folder = make(tmp_path, "usvsnsp/deduped-num-frequencies")
    result = commands.memtax("ingest", "hub", "usvsnsp/deduped-num-frequencies", "--from", folder)
    assert "memorized: landed 100 rows" in result.stdout
    wrong = commands.memtax("ingest", "hub", "somebody/else", "--from", folder, check=False)
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
