"""Writers of token files, as plain as they can be: what the readers are held to."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import numpy as np

MEGATRON_CODES = {"uint8": 1, "int8": 2, "int16": 3, "int32": 4, "int64": 5, "float32": 6, "float64": 7, "uint16": 8}


def write_bin(path: Path, rows: Iterable[Sequence[int]], dtype: str = "uint16") -> Path:
    path.write_bytes(b"".join(np.asarray(row, dtype).tobytes() for row in rows))
    return path


def write_mmap(prefix: Path, rows: Sequence[Sequence[int]], dtype: str = "uint16") -> tuple[Path, Path]:
    """A `.bin` and its `.idx`, which lists two documents."""
    documents = 2
    bin_path = write_bin(prefix.with_name(prefix.name + ".bin"), rows, dtype)
    sizes = [len(row) for row in rows]
    pointers = np.concatenate(([0], np.cumsum(sizes)))[:-1] * np.dtype(dtype).itemsize
    idx_path = prefix.with_name(prefix.name + ".idx")
    idx_path.write_bytes(
        b"MMIDIDX\x00\x00"
        + struct.pack("<QBQQ", 1, MEGATRON_CODES[dtype], len(rows), documents)
        + np.asarray(sizes, "<i4").tobytes()
        + pointers.astype("<i8").tobytes()
        + np.arange(documents, dtype="<i8").tobytes()
    )
    return bin_path, idx_path


def split(path: Path, places: Sequence[int]) -> list[Path]:
    """A file cut at byte `places` into numbered parts."""
    content, parts = path.read_bytes(), []
    for number, (start, end) in enumerate(zip([0, *places], [*places, path.stat().st_size], strict=True)):
        part = path.with_name(f"{path.stem}-{number:05d}.bin")
        part.write_bytes(content[start:end])
        parts.append(part)
    return parts


def word_tokenizer(path: Path, size: int) -> Path:
    """A tokenizer.json with <|endoftext|> 0, <unk> 1, and the words w2 … w<size - 1> as themselves."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    vocabulary = {"<|endoftext|>": 0, "<unk>": 1} | {f"w{number}": number for number in range(2, size)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.save(str(path))
    return path


def landed(connection: duckdb.DuckDBPyConnection, corpus: str) -> dict[int, list[int]]:
    """Every landed sequence of a corpus by id."""
    rows = connection.execute(
        "select sequence_id, tokens from raw.corpus_sequences_uint16 where corpus = $1 "
        "union all select sequence_id, tokens from raw.corpus_sequences_uint32 where corpus = $1",
        [corpus],
    ).fetchall()
    found = dict(rows)
    assert len(found) == len(rows), "a sequence_id was landed twice"
    return found


def scanned(connection: duckdb.DuckDBPyConnection, corpus: str) -> dict[int, list[int]]:
    """Every sequence of a corpus' in-place shards by id; they must be attached."""
    shards = connection.execute(
        "select shard_id from raw.corpus_shards where corpus = ? and storage = 'in_place'", [corpus]
    ).fetchall()
    rows = [
        row
        for (shard_id,) in shards
        for row in connection.execute(f"select sequence_id, tokens from in_place_shard_{shard_id}").fetchall()
    ]
    found = dict(rows)
    assert len(found) == len(rows), "a sequence_id came twice"
    return found


def numbered(rows: Iterable[Sequence[int]], first: int = 0) -> dict[int, list[int]]:
    return {first + number: list(map(int, row)) for number, row in enumerate(rows)}
