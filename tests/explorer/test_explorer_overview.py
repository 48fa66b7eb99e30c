"""The first page of a store with as many checkpoints as a suite of models has."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from memtax import store as stores
from memtax.explorer.catalogue import Catalogue, Group
from memtax.explorer.overview import lines

DATASETS, SIZES, CHECKPOINTS = ("d", "e"), 8, 154


class Counted(list[Group]):
    """Groups that know how often somebody went through them."""

    passes = 0

    def __iter__(self) -> Iterator[Group]:
        self.passes += 1
        return super().__iter__()


def catalogue() -> Catalogue:
    """Of `DATASETS`, each seen by every checkpoint, but for one; the counts differ by checkpoint."""
    models = [(f"m{size}", f"step{step}") for size in range(SIZES) for step in range(CHECKPOINTS)]
    groups = Counted(
        Group(dataset, "c", *model, category, memorized, rows + number)
        for number, model in enumerate(models)
        for dataset in DATASETS
        for category, memorized, rows in (
            ("recitation", True, 10_000),
            ("recitation", False, 20_000),
            ("recitation", None, 30_000),
            (None, True, 40_000),
            (None, None, 50_000),
        )
        if (dataset, number) != ("e", 7)
    )
    return Catalogue({}, False, groups, models, DATASETS, ("recitation", "unknown"))


def test_the_rows_are_counted_in_one_pass_however_many_models_there_are() -> None:
    store = catalogue()
    first = lines(store)
    assert len(first) == 2 * SIZES * CHECKPOINTS - 1
    assert lines(store) == first
    assert isinstance(store.groups, Counted) and store.groups.passes == 1


def test_a_line_counts_what_the_list_behind_it_counts() -> None:
    store = catalogue()
    for line in lines(store)[:: SIZES * CHECKPOINTS // 3]:
        dataset, model = line.selection.dataset, store.model_labelled(line.selection.model or "")
        assert line.rows == store.count(dataset, model, None, None)
        assert line.memorized == store.count(dataset, model, None, "yes")
        assert line.known == line.rows - store.count(dataset, model, None, "unknown")
        assert line.by_category == [
            store.count(dataset, model, category, "yes") for category in ("recitation", "unknown")
        ]


@pytest.mark.parametrize(
    ("statement", "shown", "absent"),
    [
        ("delete from features", '<option value="c&lt;i&gt;">', "There is no corpus yet"),
        ("delete from features; delete from dim_corpora", "There is no corpus yet", "<select"),
        ("delete from features; drop table dim_corpora", "There is no corpus yet", "<select"),
        ("drop table dim_corpora", '<option value="c&lt;i&gt;">', "There is no corpus yet"),
    ],
)
def test_a_sequence_is_looked_up_in_every_corpus_there_is(
    unkind: Path, open_store: Callable[[Path], TestClient], tmp_path: Path, statement: str, shown: str, absent: str
) -> None:
    copy = Path(shutil.copy(unkind, tmp_path / "memtax.duckdb"))
    with stores.writing(copy) as connection:
        connection.execute(statement)
    page = open_store(copy).get("/").text
    assert shown in page and absent not in page
