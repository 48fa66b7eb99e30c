"""Every input that must be refused: with what error, and that nothing is left of it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.errors import SourceError
from tests.corpus.conftest import Ingest
from tests.corpus.helpers import write_bin, write_mmap

ROWS = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]


@pytest.fixture
def refused(ingest: Ingest, database: Path) -> Callable[..., None]:
    """Holds that landing fails with a message that has all these words, and that it leaves no row."""

    def run(*paths: Path, says: list[str], **given: object) -> None:
        with pytest.raises(SourceError) as raised:
            ingest("bad", *paths, **given)
        for words in says:
            assert words in str(raised.value)
        with store.reading(database) as connection:
            for table in ("corpora", "corpus_shards", "corpus_sequences_uint16", "corpus_sequences_uint32"):
                assert connection.execute(f"select count(*) from raw.{table}").fetchone() == (0,)

    return run


def test_missing_empty_and_folders(refused: Callable, tmp_path: Path) -> None:
    refused(tmp_path / "no.bin", says=["no.bin", "does not exist"])
    (tmp_path / "nothing.bin").touch()
    refused(tmp_path / "nothing.bin", says=["nothing.bin is empty"])
    refused(tmp_path, says=["is a folder"])
    refused(says=["no source"])


def test_formats_that_cannot_be_told(refused: Callable, tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(b"1234")
    refused(tmp_path / "a.dat", says=["cannot tell the format", ".dat", "--format"])
    np.save(tmp_path / "a.npy", [[1, 2]])
    refused(write_bin(tmp_path / "b.bin", ROWS), tmp_path / "a.npy", says=["several formats", "bin, npy"])


@pytest.mark.parametrize("in_place", [False, True])
def test_truncated_bin(refused: Callable, tmp_path: Path, in_place: bool) -> None:
    path = write_bin(tmp_path / "a.bin", ROWS)
    refused(path, says=["12 uint16 tokens", "2 sequences of 5 and 2 tokens more"], sequence_length=5, in_place=in_place)
    path.write_bytes(path.read_bytes()[:-1])
    refused(path, says=["23 bytes", "not a whole number of uint16"], sequence_length=4, in_place=in_place)
    refused(path, says=["23 bytes", "uint32"], sequence_length=4, dtype="uint32", in_place=in_place)


@pytest.mark.parametrize("in_place", [False, True])
def test_ids_beyond_the_vocabulary_name_the_first(
    refused: Callable, tmp_path: Path, tokenizer_file: Path, in_place: bool
) -> None:
    path = write_bin(tmp_path / "a.bin", [[1, 2], [3, 4], [5, 200], [300, 6]])
    says = ["token id 200 at position 1 of row 2", "100 entries"]
    refused(path, says=says, tokenizer=tokenizer_file, sequence_length=2, in_place=in_place)


def test_a_wrong_dtype_is_seen_by_the_vocabulary(refused: Callable, tmp_path: Path, tokenizer_file: Path) -> None:
    path = write_bin(tmp_path / "a.bin", ROWS)
    refused(path, says=["token id 131073", "--dtype"], dtype="uint32", sequence_length=2, tokenizer=tokenizer_file)


def test_ids_that_do_not_fit_what_was_asked_for(refused: Callable, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, 65_536]], np.int64))
    refused(tmp_path / "a.npy", says=["token id 65536 at position 1 of row 0", "up to 65,535"], dtype="uint16")
    np.save(tmp_path / "b.npy", np.array([[1, 2**32]], np.int64))
    refused(tmp_path / "b.npy", says=["token id 4294967296", "uint32"])


@pytest.mark.parametrize("dtype", ["int16", "int32", "int64", "int8"])
def test_negative_ids(refused: Callable, tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, 2], [3, -4]], dtype))
    refused(tmp_path / "a.npy", says=["token id -4 at position 1 of row 1", "never negative"])
    refused(*write_mmap(tmp_path / "b", [[1], [2, -1]], dtype), says=["token id -1", "never negative"])


def test_npy_of_other_shapes_and_types(refused: Callable, tmp_path: Path) -> None:
    for array, words in {
        "float": (np.ones((2, 2)), "integers"),
        "flat": (np.arange(4), "two dimensions"),
        "cube": (np.zeros((2, 2, 2), int), "two dimensions"),
        "empty": (np.zeros((0, 4), int), "nothing to land"),
        "fortran": (np.asfortranarray(np.ones((3, 2), np.uint16)), "Fortran"),
        "big": (np.ones((3, 2), ">u2"), "big-endian"),
    }.values():
        np.save(tmp_path / "a.npy", array)
        refused(tmp_path / "a.npy", says=[words])
    np.save(tmp_path / "a.npy", np.ones((3, 2), np.uint16))
    refused(tmp_path / "a.npy", says=["rows of 2", "--sequence-length 4"], sequence_length=4)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-2])
    refused(tmp_path / "a.npy", says=["truncated"])
    (tmp_path / "a.npy").write_bytes(b"not an array")
    refused(tmp_path / "a.npy", says=["not a .npy"])
    np.save(tmp_path / "b.npy", np.ones((3, 2), np.uint16))
    np.save(tmp_path / "c.npy", np.ones((3, 3), np.uint16))
    refused(tmp_path / "b.npy", tmp_path / "c.npy", says=["rows of 3", "2 as in"])


def patched(path: Path, at: int, content: bytes) -> None:
    whole = bytearray(path.read_bytes())
    whole[at : at + len(content)] = content
    path.write_bytes(bytes(whole))


@pytest.mark.parametrize(
    ("at", "content", "words"),
    [
        (0, b"NOTANIDX", "expected b'MMIDIDX"),
        (9, struct.pack("<Q", 2), "index version 2"),
        (17, b"\x09", "dtype code 9"),
        (17, b"\x06", "float32"),
        (18, struct.pack("<Q", 4), "bytes, expected"),
        (18, struct.pack("<Q", 0), "lists no sequences"),
        (26, struct.pack("<Q", 7), "document entries"),
        (34, struct.pack("<i", -1), "a size of -1"),
        (34, struct.pack("<i", 3), "puts sequence 1 at byte 8, expected 6"),
        (46, struct.pack("<q", 8), "puts sequence 0 at byte 8, expected 0"),
        (42, struct.pack("<i", 5), "describes 26 bytes of tokens, but"),
        (42, struct.pack("<i", 3), "too long"),
    ],
)
@pytest.mark.parametrize("in_place", [False, True])
def test_bad_idx(refused: Callable, tmp_path: Path, at: int, content: bytes, words: str, in_place: bool) -> None:
    path, index = write_mmap(tmp_path / "a", ROWS)
    patched(index, at, content)
    refused(path, says=[words], in_place=in_place)


def test_mmap_sources_that_do_not_go_together(refused: Callable, tmp_path: Path) -> None:
    first, first_index = write_mmap(tmp_path / "a", ROWS)
    second, second_index = write_mmap(tmp_path / "b", ROWS)
    refused(first, first_index, second, second_index, says=["2 .idx files", "--append"])
    first_index.write_bytes(first_index.read_bytes()[:-1])
    refused(first, first_index, says=["truncated or damaged"])
    first_index.unlink()
    refused(first, says=["a.idx does not exist"], format_name="mmap")
    second.write_bytes(second.read_bytes()[:-2])
    refused(second, says=["describes 24 bytes", "truncated, or a part is missing"])
    third, index = write_mmap(tmp_path / "c", [[1], [2, 3]])
    refused(third, index, says=["sequences of 1 to 2 tokens"], sequence_length=2)
    refused(*write_mmap(tmp_path / "d", [[], []]), says=["empty"])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"tokens": [[1], None]}, "no tokens (NULL) in row 1"),
        ({"tokens": [[1], [2, None]]}, "NULL among the tokens of row 1"),
        ({"tokens": [[1.5], [2.0]]}, "must be integers"),
        ({"tokens": [[1], [-2]]}, "token id -2"),
        ({"tokens": [[1], [2]], "index": [3, None]}, "no index (NULL) in row 1"),
        ({"tokens": [[1], [2]], "index": [3, -1]}, "index -1 in row 1"),
        ({"tokens": [[1], [2], [3]], "sequence_id": [5, 3, 5]}, "sequence_id 5 2 times"),
        ({"text": ["a", "b"]}, "expected a list column"),
        ({"a": [[1]], "b": [[2]]}, "expected a list column"),
        ({"tokens": pa.array([], pa.list_(pa.int32()))}, "no rows"),
    ],
)
def test_parquet_rows(refused: Callable, tmp_path: Path, table: dict, words: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet", says=[words])


def test_parquet_files(refused: Callable, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"tokens": pa.array([[1, 2]] * 10, pa.list_(pa.int32()))}), path)
    refused(path, says=["parquet cannot be scanned in place"], in_place=True)
    refused(path, says=["2 tokens in row 0", "--sequence-length 3"], sequence_length=3)
    pq.write_table(pa.table({"tokens": pa.array([[1, 2]], pa.list_(pa.int64()))}), tmp_path / "b.parquet")
    refused(path, tmp_path / "b.parquet", says=["list<element: int64>", "list<element: int32>"])
    path.write_bytes(path.read_bytes()[:-10])
    refused(path, says=["cannot be read as Parquet"])


def test_text(refused: Callable, tmp_path: Path, tokenizer_file: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "w2 w3"}) + "\n{'no': 'json'}\n")
    refused(path, says=["--tokenizer is needed"])
    refused(path, says=["line 2", "not JSON"], tokenizer=tokenizer_file, sequence_length=2)
    path.write_text('{"body": "w2"}\n')
    refused(path, says=["line 1", "'text'", "--text-field"], tokenizer=tokenizer_file)
    path.write_text('{"text": "w2 w3"}\n')
    refused(path, says=["gives 3 tokens", "one sequence of 2,049"], tokenizer=tokenizer_file)
    refused(path, says=["no end-of-document token '</s>'"], tokenizer=tokenizer_file, end_of_document="</s>")
    refused(path, says=["cannot be scanned in place"], tokenizer=tokenizer_file, in_place=True)
    (tmp_path / "a.txt").write_bytes(b"w2 \xff w3")
    refused(tmp_path / "a.txt", says=["not UTF-8"], tokenizer=tokenizer_file, sequence_length=1)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_sequences_without_a_token(refused: Callable, tmp_path: Path, suffix: str) -> None:
    table = pa.table({"tokens": pa.array([[], []], pa.list_(pa.uint16()))})
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)
    refused(path, says=["holds only empty sequences", "nothing to land"])
