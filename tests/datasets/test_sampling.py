from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtax import store
from memtax.corpus.ingest import ingest_corpus
from memtax.corpus.shards import shards_of
from memtax.datasets import sample as sampling
from memtax.datasets.draw import draw_positions
from memtax.datasets.population import Population, sequences_of_at_least
from memtax.errors import SourceError, StoreError
from tests.corpus.helpers import write_mmap
from tests.datasets.conftest import ROWS

WINDOW = 4


@pytest.fixture
def sample(database: Path) -> Callable[..., sampling.Sampling]:
    def run(name: str, n: int | None, seed: int = 1, **given: object) -> sampling.Sampling:
        with store.writing(database) as connection:
            return sampling.sample(connection, name, given.pop("corpus", "c"), n, seed, WINDOW, **given)

    return run


def tables(database: Path) -> dict[str, list]:
    with store.reading(database) as connection:
        return {
            name: connection.execute(f"from raw.{name} order by all").fetchall()
            for name in ("datasets", "dataset_members", "evaluated_sequences", "published_scores")
        }


@given(population=st.integers(0, 300), share=st.floats(0, 1), seed=st.integers(0, 2**64))
def test_a_draw_is_distinct_sorted_and_repeatable(population: int, share: float, seed: int) -> None:
    n = round(population * share)
    drawn = draw_positions(population, n, seed)
    assert len(set(drawn.tolist())) == n
    assert drawn.dtype == np.int64
    assert (np.diff(drawn) > 0).all()
    assert n == 0 or (drawn[0] >= 0 and drawn[-1] < population)
    assert (drawn == draw_positions(population, n, seed)).all()


def test_a_draw_is_the_same_on_every_machine() -> None:
    assert draw_positions(146_432_000, 4, 1024).tolist() == [14072774, 29862523, 76543452, 115265255]
    assert draw_positions(10, 7, 3).tolist() == [0, 1, 2, 3, 4, 7, 9]


def test_a_draw_is_uniform() -> None:
    for n in (3, 7):
        counts = np.bincount(np.concatenate([draw_positions(10, n, seed) for seed in range(4_000)]), minlength=10)
        expected = 4_000 * n / 10
        deviation = np.sqrt(4_000 * (n / 10) * (1 - n / 10))
        assert (abs(counts - expected) < 4.5 * deviation).all()


def test_a_large_draw_is_quick() -> None:
    assert len(draw_positions(146_432_000, 1_000_000, 0)) == 1_000_000


def test_windows_are_those_of_the_corpus(sample: Callable, database: Path) -> None:
    done = sample("d", 30, token_offsets=(3,))
    assert (done.population, done.dataset.n_sequences) == (50, 30)
    found = tables(database)
    assert len(found["evaluated_sequences"]) == 30
    for corpus, sequence_id, token_offset, tokens in found["evaluated_sequences"]:
        assert (corpus, token_offset, tokens) == ("c", 3, ROWS[sequence_id][3:7])
    assert [row[1:4] for row in found["dataset_members"]] == [row[:3] for row in found["evaluated_sequences"]]
    assert {row[1] // 20 for row in found["evaluated_sequences"]} == {0, 1, 2}  # of every shard


def test_all_takes_every_sequence_and_shares_windows(sample: Callable, database: Path) -> None:
    sample("some", 10)
    assert sample("every", None).dataset.n_sequences == 50
    found = tables(database)
    assert [(row[1], row[3]) for row in found["evaluated_sequences"]] == [(i, row[:4]) for i, row in enumerate(ROWS)]
    assert len(found["dataset_members"]) == 60


def test_sampling_again(sample: Callable, database: Path) -> None:
    sample("d", 10)
    sample("e", 20)
    before = tables(database)
    assert sample("d", 10).population is None
    assert tables(database) == before
    for other in ({"n": 11}, {"n": 10, "seed": 2}, {"n": 10, "token_offsets": (1,)}):
        with pytest.raises(SourceError, match=r"dataset 'd' is there and differs.*--replace"):
            sample("d", **other)
    assert tables(database) == before
    sample("d", 5, seed=7, token_offsets=(1,), replace=True)
    after = tables(database)
    assert len(after["dataset_members"]) == 25
    assert len(after["evaluated_sequences"]) == 25  # those that only d had are gone
    assert [row[0] for row in after["datasets"]] == ["d", "e"]


def test_a_corpus_that_grew_is_another_population(sample: Callable, database: Path, tmp_path: Path) -> None:
    sample("d", 10)
    with store.writing(database) as connection:
        ingest_corpus(connection, "c", write_mmap(tmp_path / "more", [[1] * 8]), append=True)
    with pytest.raises(SourceError, match="the corpus has changed"):
        sample("d", 10)


def test_too_few(sample: Callable, database: Path) -> None:
    with pytest.raises(SourceError, match=r"50 sequences of at least 4 tokens.*51 were asked for"):
        sample("d", 51)
    with pytest.raises(SourceError, match="0 sequences of at least 9 tokens"):
        sample("d", None, token_offsets=(5,))
    with pytest.raises(StoreError, match="no corpus 'x'"):
        sample("d", 1, corpus="x")
    with store.writing(database) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('named')")
    with pytest.raises(SourceError, match="no tokens in the store yet"):
        sample("d", 1, corpus="named")
    assert not any(tables(database).values())


def test_only_sequences_that_are_long_enough_count(tmp_path: Path) -> None:
    ragged = [[1] * length for length in (3, 9, 0, 4, 5)]
    pq.write_table(pa.table({"tokens": ragged, "index": [40, 20, 30, 10, 25]}), tmp_path / "named.parquet")
    pq.write_table(pa.table({"tokens": [[1] * 6] * 2, "index": [22, 50]}), tmp_path / "between.parquet")
    with store.writing(tmp_path / "store.duckdb") as connection:
        ingest_corpus(connection, "here", write_mmap(tmp_path / "a", ragged))
        ingest_corpus(connection, "there", write_mmap(tmp_path / "a", ragged), in_place=True)
        ingest_corpus(connection, "named", [tmp_path / "named.parquet"])
        ingest_corpus(connection, "named", [tmp_path / "between.parquet"], append=True)
        expected = {"here": [1, 3, 4], "there": [1, 3, 4], "named": [10, 20, 22, 25, 50]}
        for corpus, ids in expected.items():
            population = sequences_of_at_least(connection, shards_of(connection, corpus), 4)
            assert population.ids(np.arange(len(population))).tolist() == ids


def test_population_by_position() -> None:
    population = Population((range(5, 8), np.array([10, 20]), range(100, 101)))
    assert len(population) == 6
    assert population.ids(np.array([0, 2, 3, 5])).tolist() == [5, 7, 10, 100]
    assert population.ids(np.array([], np.int64)).tolist() == []


def test_a_sample_in_many_chunks(database: Path, sample: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "WINDOWS_AT_ONCE", 7)
    monkeypatch.setattr("memtax.corpus.reader.WINDOWS_AT_ONCE", 3)
    sample("every", None)
    assert [row[3] for row in tables(database)["evaluated_sequences"]] == [row[:4] for row in ROWS]


def test_landed_and_in_place_give_the_same_sample(database: Path, sample: Callable, tmp_path: Path) -> None:
    path = write_mmap(tmp_path / "a", ROWS)
    with store.writing(database) as connection:
        ingest_corpus(connection, "here", path)
        ingest_corpus(connection, "there", path, in_place=True)
    sample("of here", 20, corpus="here")
    sample("of there", 20, corpus="there")
    windows = tables(database)["evaluated_sequences"]
    assert [row[1:] for row in windows[:20]] == [row[1:] for row in windows[20:]]


def test_an_interrupted_sample_leaves_nothing(
    sample: Callable, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "WINDOWS_AT_ONCE", 7)

    def fail(share: float, words: str) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample("d", None, progress=fail)
    assert not any(tables(database).values())


def test_a_corpus_can_be_sampled_at_its_end(sample: Callable, database: Path, tmp_path: Path) -> None:
    with store.writing(database) as connection:
        ingest_corpus(connection, "one", write_mmap(tmp_path / "one", [list(range(8))]), in_place=True)
    sample("d", 1, corpus="one", token_offsets=(4,))
    assert tables(database)["evaluated_sequences"] == [("one", 0, 4, [4, 5, 6, 7])]
