"""Landing as a whole: all or nothing, once only, shards, tokenizers and packing."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.corpus import mapped
from memtax.corpus.formats import packed_text
from memtax.corpus.formats.raw_bin import MappedSource
from memtax.errors import SourceError
from tests.corpus.conftest import Ingest
from tests.corpus.helpers import landed, numbered, word_tokenizer, write_bin, write_mmap

ROWS = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
MORE = [[13, 14, 15, 16]]


def tables(database: Path) -> dict[str, list]:
    with store.reading(database) as connection:
        return {
            name: connection.execute(f"from raw.{name} order by all").fetchall()
            for name in ("corpora", "corpus_shards", "corpus_sequences_uint16", "corpus_sequences_uint32")
        }


def test_landing_again_changes_nothing(ingest: Ingest, database: Path, tmp_path: Path) -> None:
    path = write_bin(tmp_path / "a.bin", ROWS)
    assert ingest("c", path, sequence_length=4).outcome == "landed"
    before = tables(database)
    assert ingest("c", path, sequence_length=4).outcome == "already landed"
    assert ingest("c", path, sequence_length=4, append=True).outcome == "already landed"
    copy = write_bin(tmp_path / "copy.bin", ROWS)
    assert ingest("c", copy, sequence_length=4).outcome == "already landed"
    assert tables(database) == before


def test_other_content_needs_append_or_another_name(ingest: Ingest, database: Path, tmp_path: Path) -> None:
    first, second = write_bin(tmp_path / "a.bin", ROWS), write_bin(tmp_path / "b.bin", MORE)
    ingest("c", first, sequence_length=4)
    before = tables(database)
    with pytest.raises(SourceError, match=r"other content.*a\.bin.*--append.*another name"):
        ingest("c", second, sequence_length=4)
    with pytest.raises(SourceError, match="other content"):
        ingest("c", first, sequence_length=2)
    assert tables(database) == before
    shard = ingest("c", second, sequence_length=4, append=True).shard
    assert (shard.shard_id, shard.first_sequence_id, shard.last_sequence_id) == (2, 3, 3)
    assert ingest("c", second, sequence_length=4, append=True).outcome == "already landed"
    assert ingest("d", second, sequence_length=4).shard.shard_id == 3
    with store.reading(database) as connection:
        assert landed(connection, "c") == numbered(ROWS + MORE)
        assert landed(connection, "d") == numbered(MORE)
        lengths = connection.execute("select corpus, sequence_length from raw.corpora order by 1").fetchall()
    assert lengths == [("c", 4), ("d", 4)]


@pytest.mark.parametrize("in_place", [False, True])
def test_append_to_a_corpus_that_was_not_there_says_so(ingest: Ingest, tmp_path: Path, in_place: bool) -> None:
    first, second = write_bin(tmp_path / "a.bin", ROWS), write_bin(tmp_path / "b.bin", MORE)
    # The first shard of a store may be appended like all that follow it; beside others, the name may be misspelt.
    assert not any("found no corpus" in note for note in ingest("c", first, sequence_length=4, append=True).notes)
    other = ingest("cc", second, sequence_length=4, append=True, in_place=in_place)
    assert other.notes[0] == "--append found no corpus 'cc' and made it; the store also has c"
    assert not any("found no corpus" in note for note in ingest("c", second, sequence_length=4, append=True).notes)


def test_shards_of_other_lengths_leave_the_corpus_without_one(ingest: Ingest, database: Path, tmp_path: Path) -> None:
    ingest("c", write_bin(tmp_path / "a.bin", ROWS), sequence_length=4)
    ingest("c", *write_mmap(tmp_path / "b", [[1], [2, 3]]), append=True)
    assert tables(database)["corpora"] == [("c", None, None, None, None)]


def test_sequence_ids_across_shards(ingest: Ingest, tmp_path: Path) -> None:
    for name, ids in {"a": [0, 4], "b": [2, 3], "c": [7, 4], "d": [9, 11]}.items():
        pq.write_table(pa.table({"tokens": [[1]] * 2, "index": ids}), tmp_path / f"{name}.parquet")
    ingest("c", tmp_path / "a.parquet")
    ingest("c", tmp_path / "b.parquet", append=True)  # between those of the first
    with pytest.raises(SourceError, match=r"sequence_id 4, which corpus 'c' already has from .*a\.parquet"):
        ingest("c", tmp_path / "c.parquet", append=True)
    ingest("c", tmp_path / "d.parquet", append=True)
    shard = ingest("c", write_bin(tmp_path / "e.bin", ROWS), sequence_length=4, append=True).shard
    assert shard.first_sequence_id == 12


@pytest.mark.parametrize("failure", [RuntimeError("the disk burnt"), KeyboardInterrupt()])
def test_an_interrupted_landing_leaves_nothing(
    ingest: Ingest, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    monkeypatch.setattr(mapped, "BATCH_BYTES", 8)
    path = write_bin(tmp_path / "a.bin", ROWS)
    ingest("before", path, sequence_length=4)
    before = tables(database)
    whole = MappedSource.batches

    def half(self: MappedSource):
        batches = whole(self)
        yield next(batches)
        raise failure

    monkeypatch.setattr(MappedSource, "batches", half)
    with pytest.raises(type(failure)):
        ingest("c", path, sequence_length=4)
    assert tables(database) == before
    monkeypatch.setattr(MappedSource, "batches", whole)
    assert ingest("c", path, sequence_length=4).outcome == "landed"


def test_a_tokenizer_can_follow_but_not_change(
    ingest: Ingest, database: Path, tmp_path: Path, tokenizer_file: Path
) -> None:
    path = write_bin(tmp_path / "a.bin", ROWS)
    ingest("c", path, sequence_length=4)
    small = word_tokenizer(tmp_path / "small.json", 10)
    with pytest.raises(SourceError, match=r"token id 12 in sequence 2.*10 entries"):
        ingest("c", path, sequence_length=4, tokenizer=small)
    assert ingest("c", path, sequence_length=4, tokenizer=tokenizer_file.parent).outcome == "already landed"
    ((_, location, checksum, size, _),) = tables(database)["corpora"]
    assert (location, size, len(checksum)) == (str(tokenizer_file.resolve()), 100, 64)
    with pytest.raises(SourceError, match="is another"):
        ingest("c", path, sequence_length=4, tokenizer=small)
    with pytest.raises(SourceError, match="token id 100 at position 0 of row 0"):
        ingest("c", write_bin(tmp_path / "b.bin", [[100] * 4]), sequence_length=4, append=True)


def test_a_known_vocabulary_makes_the_store_narrower(ingest: Ingest, tmp_path: Path, tokenizer_file: Path) -> None:
    path = write_bin(tmp_path / "a.bin", ROWS, "uint32")
    assert ingest("wide", path, sequence_length=4, dtype="uint32").shard.token_dtype == "uint32"
    narrow = ingest("narrow", path, sequence_length=4, dtype="uint32", tokenizer=tokenizer_file).shard
    assert narrow.token_dtype == "uint16"
    np.save(tmp_path / "a.npy", np.array(ROWS, np.int64))
    assert ingest("asked", tmp_path / "a.npy", dtype="uint32").shard.token_dtype == "uint32"


def test_mmap_pairs_are_found_by_any_of_their_names(ingest: Ingest, tmp_path: Path) -> None:
    path, index = write_mmap(tmp_path / "a.b", ROWS)
    for number, given in enumerate([(path,), (index,), (path, index), (index, path)]):
        landing = ingest(f"c{number}", *given)
        assert (landing.shard.format, landing.shard.n_sequences) == ("mmap", 3)
    assert ingest("prefix", tmp_path / "a.b", format_name="mmap").shard.n_sequences == 3
    assert ingest("raw", path, format_name="bin", sequence_length=2).shard.n_sequences == 6


def documents(path: Path, texts: list[str]) -> Path:
    path.write_text("\n\n".join(json.dumps({"text": text, "meta": 1}) for text in texts) + "\n")
    return path


@pytest.mark.parametrize("at_once", [1, 5, 1 << 20])
def test_documents_are_joined_by_the_end_token_and_cut(
    ingest: Ingest,
    database: Path,
    tmp_path: Path,
    tokenizer_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    monkeypatch.setattr(packed_text, "CHARACTERS_AT_ONCE", at_once)
    first = documents(tmp_path / "a.jsonl", ["w2 w3 w4", "", "w5"])
    second = documents(tmp_path / "b.jsonl", ["w6 w7", "w8 strange"])
    landing = ingest("c", first, second, tokenizer=tokenizer_file, sequence_length=4)
    with store.reading(database) as connection:
        assert landed(connection, "c") == {0: [2, 3, 4, 0], 1: [0, 5, 0, 6], 2: [7, 0, 8, 1]}
    (note,) = landing.notes
    assert "5 documents" in note
    assert "<|endoftext|>" in note
    assert "last 1 tokens" in note
    assert ingest("c", first, second, tokenizer=tokenizer_file, sequence_length=4).outcome == "already landed"
    more = documents(tmp_path / "c.jsonl", ["w9 w9 w9"])
    # The corpus' own tokenizer encodes what is added.
    assert ingest("c", more, sequence_length=4, append=True).shard.first_sequence_id == 3
    with pytest.raises(SourceError, match="other content"):
        ingest("c", first, second, tokenizer=tokenizer_file, sequence_length=3)


def test_a_text_file_is_one_document_however_it_is_read(
    ingest: Ingest, database: Path, tmp_path: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "w2 w3\n  w4\n\nw5 é w6\nw7"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "b.txt").write_text("w8", encoding="utf-8")
    for size in (1, 4, 1 << 20):
        monkeypatch.setattr(packed_text, "PIECE_CHARACTERS", size)
        ingest(f"c{size}", tmp_path / "a.txt", tmp_path / "b.txt", tokenizer=tokenizer_file, sequence_length=5)
        with store.reading(database) as connection:
            assert landed(connection, f"c{size}") == {0: [2, 3, 4, 5, 1], 1: [6, 7, 0, 8, 0]}


def test_windows_evaluated_before_hold_the_corpus_to_them(ingest: Ingest, database: Path, tmp_path: Path) -> None:
    with store.writing(database) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('c')")
        connection.execute("insert into raw.evaluated_sequences values ('c', 1, 1, [6, 7]), ('c', 9, 0, [1, 1])")
    with pytest.raises(SourceError, match="sequence_id 1 has token 2 at position 1 of corpus 'c', and 6 in the window"):
        ingest("c", write_bin(tmp_path / "b.bin", [[1, 2, 3, 4]] * 2), sequence_length=4)
    assert ingest("c", write_bin(tmp_path / "a.bin", ROWS), sequence_length=4).outcome == "landed"
