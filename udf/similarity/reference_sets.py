"""Reference sets: the vectors that queries are compared with, in an immutable file that SQL names by a handle.

No SQL argument can carry millions of vectors, so `build_reference_set` writes them once into an Arrow IPC file that is
named by its content, and `count_similar` takes that file's path, the handle. The file is mapped read-only: its vectors,
keys and texts stay on disk until they are needed. In memory are 8-bit codes of the vectors (384 bytes each, and 16 for
bounds) and 12 bytes of key for each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from udf.embedding import EMBEDDING
from udf.embedding.loading import DIMENSIONS
from udf.errors import UdfError
from udf.handles import located
from udf.registry import udf
from udf.settings import threads

SUFFIX = ".memtaxr"
# Rows that are compared in one call of native code: with 2,048 queries a tenth of a second or so.
BLOCK_ROWS = 65_536

SCHEMA = pa.schema(
    [
        pa.field("corpus", pa.string(), nullable=False),
        pa.field("sequence_id", pa.int64(), nullable=False),
        pa.field("token_offset", pa.int32(), nullable=False),
        pa.field("prompt_text", pa.string(), nullable=False),
        pa.field("embedding", EMBEDDING, nullable=False),
    ]
)


@udf([pa.string(), pa.string()], pa.string(), volatile=True)
def build_reference_set(parquet_paths: pa.Array, folders: pa.Array) -> pa.Array:
    """Store the vectors of a Parquet file, or of a folder of them, as a reference set in a folder; return its handle.

    The file, or the files in the order of their names, hold corpus, sequence_id, token_offset, prompt_text and embedding
    (FLOAT[384]), ordered by the first three and without NULLs. The handle is the path of `<folder>/<digest>.memtaxr`; the
    same rows have the same digest. Memory is that of one block of rows, whatever the size.

    Raises:
        UdfError: there is no such file, or its rows are not such rows.
    """
    handles = [
        None if path is None or folder is None else _build(Path(path), Path(folder))
        for path, folder in zip(parquet_paths.to_pylist(), folders.to_pylist(), strict=True)
    ]
    return pa.array(handles, pa.string())


@dataclass(frozen=True)
class Block:
    """Some rows of a reference set.

    Attributes:
        first: the number of its first row in the set.
        vectors: the native code's view of the vectors, packed.
        texts: the prompts of the rows, on disk until they are taken.
    """

    first: int
    vectors: Any
    texts: pa.StringArray


class ReferenceSet:
    """An open reference set.

    Raises:
        UdfError: there is no such file, it is damaged, or a vector holds a number that is not finite.
    """

    def __init__(self, handle: str) -> None:
        native = import_module("memtax_native._similarity")
        self.blocks: list[Block] = []
        corpora: list[pa.Array] = []
        sequence_ids: list[np.ndarray] = []
        token_offsets: list[np.ndarray] = []
        n_rows = 0
        for batch in _map(handle):
            vectors = batch["embedding"].values.slice(batch["embedding"].offset * DIMENSIONS, len(batch) * DIMENSIONS)
            try:
                packed = native.References(vectors.to_numpy().reshape(-1, DIMENSIONS), threads())
            except ValueError as error:
                raise UdfError(f"the reference set {handle} cannot be used, after {n_rows:,} rows: {error}") from error
            self.blocks.append(Block(n_rows, packed, batch["prompt_text"]))
            corpora.append(pc.run_end_encode(batch["corpus"]))
            sequence_ids.append(batch["sequence_id"].to_numpy())
            token_offsets.append(batch["token_offset"].to_numpy())
            n_rows += len(batch)
        self._sequence_ids = np.concatenate([np.empty(0, np.int64), *sequence_ids])
        self._token_offsets = np.concatenate([np.empty(0, np.int32), *token_offsets])
        self._corpora = _spans(corpora)

    def __len__(self) -> int:
        return len(self._sequence_ids)

    def rows_of(self, corpora: list[str | None], sequence_ids: np.ndarray, token_offsets: np.ndarray) -> np.ndarray:
        """The row of each key in the set, int64 [n]; -1 where the set does not hold it.

        Args:
            corpora: names [n]; NULL is in no set.
            sequence_ids, token_offsets: int64 [n] and int32 [n].
        """
        found = np.full(len(corpora), -1, dtype=np.int64)
        names = np.array(corpora, dtype=object)
        for name in self._corpora.keys() & set(corpora):
            begin, end = self._corpora[name]
            asked = np.flatnonzero(names == name)
            ids, offsets = sequence_ids[asked], token_offsets[asked]
            rows = begin + np.searchsorted(self._sequence_ids[begin:end], ids, "left")
            last = begin + np.searchsorted(self._sequence_ids[begin:end], ids, "right")
            # A sequence has few windows in a set, ordered by offset: step over those that begin earlier.
            while (early := (rows < last) & (self._token_offsets[np.minimum(rows, len(self) - 1)] < offsets)).any():
                rows[early] += 1
            there = rows < last
            there[there] = self._token_offsets[rows[there]] == offsets[there]
            found[asked[there]] = rows[there]
        return found


class OpenSet:
    """The reference set that was used last, open; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: str | None = None
        self._set: ReferenceSet | None = None

    def get(self, handle: str) -> ReferenceSet:
        """The set behind a handle; one stays open, as two may not fit into memory."""
        with self._lock:
            if self._set is None or handle != self._handle:
                self._set = None
                self._set, self._handle = ReferenceSet(handle), handle
            return self._set


open_set = OpenSet()


def _map(handle: str) -> list[pa.RecordBatch]:
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(located(handle))))
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
    except (OSError, pa.ArrowInvalid) as error:
        raise UdfError(
            f"{handle} is no reference set ({error}); the handle must come from build_reference_set()"
        ) from error
    if reader.schema != SCHEMA:
        raise UdfError(f"{handle} is a reference set of another version of memtax; build it again")
    return batches


def _spans(runs: list[pa.Array]) -> dict[str, tuple[int, int]]:
    """Where the rows of each corpus begin and end, from their run-end encoded names."""
    spans: dict[str, tuple[int, int]] = {}
    first = 0
    for encoded in runs:
        begin = 0
        for name, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
            spans[name] = (spans.get(name, (first + begin, 0))[0], first + end)
            begin = end
        first += len(encoded)
    return spans


def _build(source: Path, folder: Path) -> str:
    temporary = folder / f"{source.stem}.{os.getpid()}.partial"
    digest = blake2b(digest_size=16)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            for batch in _read(source):
                for column in batch.columns:
                    _update(digest, column)
                writer.write_batch(batch)
        target = folder / f"{digest.hexdigest()}{SUFFIX}"
        temporary.rename(target)
    except (OSError, pa.ArrowInvalid) as error:
        raise UdfError(f"build_reference_set() cannot write {source} to {folder}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return str(target)


def _update(digest: Any, column: pa.Array) -> None:
    if pa.types.is_fixed_size_list(column.type):
        digest.update(column.flatten().to_numpy())
    elif pa.types.is_string(column.type):
        digest.update(pc.binary_length(column).to_numpy())
        digest.update("".join(column.to_pylist()).encode())
    else:
        digest.update(column.to_numpy())


def _read(source: Path) -> Iterator[pa.RecordBatch]:
    try:
        paths = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
        files = [pq.ParquetFile(path, memory_map=True) for path in paths]
    except (OSError, pa.ArrowInvalid) as error:
        raise UdfError(f"build_reference_set() cannot read {source}: {error}; write the rows there first") from error
    last: tuple[str, int, int] | None = None
    for batch in _whole_blocks(files):
        if any(column.null_count for column in batch.columns):
            raise UdfError(f"build_reference_set() got a NULL in {source}; leave out rows without a text or a vector")
        keys = [batch[name] for name in ("corpus", "sequence_id", "token_offset")]
        first, end = (tuple(key[place].as_py() for key in keys) for place in (0, len(batch) - 1))
        if (last is not None and first <= last) or not _ascends(batch):
            raise UdfError(f"build_reference_set() needs rows ordered by key, each once, and {source} has others")
        last = end
        yield batch


def _ascends(batch: pa.RecordBatch) -> bool:
    corpus, sequence_id, token_offset = (batch[name] for name in ("corpus", "sequence_id", "token_offset"))

    def compare(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        earlier, later = column[:-1], column[1:]
        return tuple(f(earlier, later).to_numpy(zero_copy_only=False) for f in (pc.less, pc.equal))

    (c_less, c_equal), (s_less, s_equal), (t_less, _) = map(compare, (corpus, sequence_id, token_offset))
    return bool((c_less | (c_equal & (s_less | (s_equal & t_less)))).all())


def _whole_blocks(files: list[pq.ParquetFile]) -> Iterator[pa.RecordBatch]:
    """The rows of the files in blocks of BLOCK_ROWS, whatever their row groups."""
    rest: list[pa.RecordBatch] = []
    waiting = 0
    for piece in (piece for file in files for piece in file.iter_batches(BLOCK_ROWS, columns=SCHEMA.names)):
        rest.append(piece)
        waiting += len(piece)
        if waiting >= BLOCK_ROWS:
            whole = _joined(rest)
            yield whole.slice(0, BLOCK_ROWS)
            rest, waiting = ([whole.slice(BLOCK_ROWS)], len(whole) - BLOCK_ROWS) if len(whole) > BLOCK_ROWS else ([], 0)
    if waiting:
        yield _joined(rest)


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(pieces)
    wanted = ", ".join(f"{field.name} ({field.type})" for field in SCHEMA)
    try:
        columns = [table[field.name].combine_chunks().cast(field.type) for field in SCHEMA]
    except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UdfError(f"build_reference_set() needs {wanted}: {error}") from error
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
