"""Counting runs of tokens in a corpus, held to a search that looks at every offset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from memtax import store
from memtax.corpus.context import places_in_context
from memtax.corpus.occurrences import Occurrences, count_occurrences, find_occurrences
from memtax.corpus.shards import require_corpus
from memtax.errors import SourceError, StoreError
from tests.corpus.conftest import Ingest
from tests.corpus.helpers import write_bin, write_mmap

LENGTH = 24


def brute_force(rows: Sequence[Sequence[int]], window: Sequence[int], limit: int) -> Occurrences:
    found = Occurrences()
    for number, row in enumerate(rows):
        places = [at for at in range(len(row) - len(window) + 1) if list(row[at : at + len(window)]) == list(window)]
        found.occurrences += len(places)
        found.sequences += bool(places)
        if places and len(found.places) < limit:
            found.places.append((number, places[0]))
    return found


def random_rows(n: int, ids: Sequence[int]) -> list[list[int]]:
    """Few ids in runs, so that windows occur often, overlap themselves and stand at both ends."""
    random = np.random.default_rng(5)
    return [np.repeat(random.choice(ids, LENGTH), random.integers(1, 12, LENGTH))[:LENGTH].tolist() for _ in range(n)]


def some_windows(rows: Sequence[Sequence[int]], ids: Sequence[int]) -> list[list[int]]:
    random = np.random.default_rng(6)
    windows = [
        [ids[0]] * 8,
        [ids[1]] * LENGTH,
        list(rows[3][:9]),
        list(rows[3][-11:]),
        list(rows[3][:9]),
        [ids[0]] * 25,
    ]
    for length in (8, 9, 16, 24):
        for _ in range(4):
            row, at = rows[random.integers(len(rows))], random.integers(0, LENGTH - length + 1)
            windows.append(list(row[at : at + length]))
    return windows


@pytest.mark.parametrize("in_place", [False, True], ids=["landed", "in place"])
@pytest.mark.parametrize(("dtype", "ids"), [("uint16", (1, 2, 65_535)), ("uint32", (1, 2, 70_000))])
def test_counts_equal_a_search_of_every_offset(
    in_place: bool, dtype: str, ids: Sequence[int], ingest: Ingest, database: Path, tmp_path: Path
) -> None:
    rows = random_rows(3_000, ids)
    ingest(
        "c", write_bin(tmp_path / "a.bin", rows[:2_000], dtype), sequence_length=LENGTH, dtype=dtype, in_place=in_place
    )
    more = write_bin(tmp_path / "b.bin", rows[2_000:], dtype)
    ingest("c", more, sequence_length=LENGTH, dtype=dtype, in_place=in_place, append=True)
    windows = some_windows(rows, ids)
    with store.reading(database) as connection:
        for limit in (0, 3):
            assert count_occurrences(connection, "c", windows, limit) == [
                brute_force(rows, window, limit) for window in windows
            ]
        assert find_occurrences(connection, "c", windows[2]) == brute_force(rows, windows[2], 10)


def test_shards_of_both_kinds_and_sequences_of_any_length(ingest: Ingest, database: Path, tmp_path: Path) -> None:
    window = [7, 1, 7, 1, 7, 1, 7, 1]
    ragged = [[7], [], [*window, 7, 1], [2, 3, *window]]
    path, index = write_mmap(tmp_path / "a", ragged, "int32")  # not how tokens are stored
    ingest("c", path, index, in_place=True)
    ingest("c", write_bin(tmp_path / "b.bin", [window, window[::-1]]), sequence_length=8, append=True)
    told: list[float] = []
    with store.reading(database) as connection:
        found = count_occurrences(connection, "c", [window], progress=lambda share, words: told.append(share))
    assert found == [Occurrences(4, 3, [(2, 0), (3, 2), (4, 0)])]
    assert told == sorted(told)
    assert told[-1] == 1


def test_places_are_shown_with_what_stands_around_them(
    ingest: Ingest, database: Path, tmp_path: Path, tokenizer_file: Path
) -> None:
    rows = [list(range(2, 22)), list(range(30, 50))]
    ingest("c", write_bin(tmp_path / "a.bin", rows), sequence_length=20, tokenizer=tokenizer_file)
    ingest("ids", write_bin(tmp_path / "b.bin", rows), sequence_length=20)
    with store.reading(database) as connection:
        corpus = require_corpus(connection, "c")
        places = list(places_in_context(connection, corpus, [(1, 3), (0, 0)], [8, 20], tokens_around=2))
        assert (places[0].sequence_id, places[0].token_offset) == (1, 3)
        assert (places[0].before, places[0].after) == ("w31 w32", " w41 w42")
        assert places[0].match == " " + " ".join(f"w{token}" for token in range(33, 41))
        assert (places[1].before, places[1].after) == ("", "")
        ids = require_corpus(connection, "ids")
        assert next(places_in_context(connection, ids, [(0, 1)], [8], tokens_around=1)).before == "2 "


def test_another_tokenizer_than_the_corpus_was_made_with_is_refused(
    ingest: Ingest, database: Path, tmp_path: Path, tokenizer_file: Path
) -> None:
    mine = tmp_path / "tokenizer.json"
    mine.write_bytes(tokenizer_file.read_bytes())
    ingest("c", write_bin(tmp_path / "a.bin", [range(2, 22)]), sequence_length=20, tokenizer=mine)
    mine.write_text(mine.read_text() + "\n")
    with store.reading(database) as connection, pytest.raises(SourceError, match="has changed since corpus 'c'"):
        list(places_in_context(connection, require_corpus(connection, "c"), [(0, 0)], [8]))


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ([1] * 7, "a run of 7 tokens.*give more text"),
        ([1] * 129, "a run of 129 tokens.*a shorter piece"),
        ([1] * 8 + [-1], "-1 is no token id"),
        ([1] * 8 + [2**32], "4294967296 is no token id"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(
    window: list[int], message: str, ingest: Ingest, database: Path, tmp_path: Path
) -> None:
    ingest("c", write_bin(tmp_path / "a.bin", [range(20)]), sequence_length=20)
    with store.reading(database) as connection, pytest.raises(StoreError, match=message):
        find_occurrences(connection, "c", window)


def test_an_unknown_corpus_and_a_file_that_is_gone(ingest: Ingest, database: Path, tmp_path: Path) -> None:
    path = write_bin(tmp_path / "a.bin", [range(20)])
    ingest("c", path, sequence_length=20, in_place=True)
    path.unlink()
    with store.reading(database) as connection:
        with pytest.raises(StoreError, match="no corpus 'other'; the store has c"):
            find_occurrences(connection, "other", [1] * 8)
        with pytest.raises(SourceError, match="is gone"):
            find_occurrences(connection, "c", [1] * 8)
