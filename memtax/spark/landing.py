"""The `raw` schema on Spark: the store's raw tables as Parquet, and the corpora that stay in their files as views.

One ingests into DuckDB, as always; what a build finds changed there since the last one is written again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memtax.corpus.in_place import shard_name
from memtax.corpus.shards import IN_PLACE, LANDED, Shard, shards_of
from memtax.errors import SourceError
from memtax.quoting import literal
from memtax.spark.folders import SparkFolders
from memtax.spark.session import BATCH_BYTES, RECORDS_PER_BATCH
from memtax.spark.tokens import describe

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SEQUENCES = "corpus_sequences_"
# Of a file of landed sequences a task reads so many at once, at most, and so many bytes of them.
SEQUENCES_PER_ROW_GROUP = 4_096
ROW_GROUP_BYTES = 16 << 20
# Tokens of an in-place shard to a task, in bytes, where there are that many.
TASK_BYTES = 64 << 20


def land(session: SparkSession, store: duckdb.DuckDBPyConnection, folders: SparkFolders) -> Iterator[str]:
    """Bring the schema `raw` of the session up to date with the store, as far as the result is asked for.

    Wherever a build is killed in it, the next one goes on: a table is declared after its files are complete, and not by
    what is new alone but by what the catalogue knows.

    Yields:
        what was written, once it is: the names of tables, and of shards.
    """
    session.sql("create schema if not exists raw")
    declared = {row.tableName for row in session.sql("show tables in raw").collect()}
    for table in _tables_but_sequences(store):
        changed = _export_table(store, table, folders.raw / table)
        if changed or table not in declared or session.table(f"raw.{table}").columns != _columns(store, table):
            _declare(
                session, f"create table raw.{table} using parquet location {_spark_literal(folders.raw / table)}", table
            )
        if changed:
            yield table
    shards = shards_of(store)
    for dtype in ("uint16", "uint32"):
        table = SEQUENCES + dtype
        landed = [shard for shard in shards if shard.storage == LANDED and shard.token_dtype == dtype]
        changed = False
        for name in _export_shards(store, landed, folders.raw / table):
            changed = True
            yield f"{table}, {name}"
        wanted = {shard.shard_id for shard in landed}
        if changed or table not in declared or _declared_shards(session, table) != wanted:
            _declare(
                session,
                f"create table raw.{table} (corpus string, sequence_id bigint, tokens binary, shard_id int) using parquet "
                f"partitioned by (shard_id) location {_spark_literal(folders.raw / table)}",
                table,
            )
            session.sql(f"msck repair table raw.{table}")
    for shard in shards:
        if shard.storage == IN_PLACE:
            _attach(session, shard, folders.scratch)
            # A place says nothing of how many tokens are there, by which Spark might bound a batch.
            most = int(session.conf.get(RECORDS_PER_BATCH))
            most = most if most > 0 else shard.n_sequences  # Spark takes 0 for no bound
            session.conf.set(RECORDS_PER_BATCH, str(sequences_at_once(shard, most, BATCH_BYTES)))


def _tables_but_sequences(store: duckdb.DuckDBPyConnection) -> list[str]:
    """Tables and views alike: what a view of DuckDB's says in its own SQL is rows on Spark."""
    rows = store.execute(
        "select table_name from information_schema.tables where table_schema = 'raw' order by 1"
    ).fetchall()
    return [name for (name,) in rows if not name.startswith(SEQUENCES)]


def _export_table(store: duckdb.DuckDBPyConnection, table: str, folder: Path) -> bool:
    """Write a table to a folder unless it is there as it is; whether it was written."""
    rows, digest = store.execute(f"select count(*), sum(hash(landed)) from raw.{table} as landed").fetchone()  # type: ignore[misc]  # noqa: S608
    state = {"rows": rows, "digest": str(digest), "columns": _columns(store, table), "duckdb": duckdb.__version__}
    if _state(folder) == state:
        return False
    partial = _partial(folder)
    # Spark has no JSON and no time zones in Parquet as DuckDB writes them.
    store.execute(
        f"copy (select * replace ({_replacements(store, table)}) from raw.{table}) "  # noqa: S608
        f"to {literal(partial / 'part.parquet')} (format parquet)"
        if _replacements(store, table)
        else f"copy raw.{table} to {literal(partial / 'part.parquet')} (format parquet)"
    )
    _settle(partial, folder, state)
    return True


def _columns(store: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [name for name, *_ in store.execute(f"describe raw.{table}").fetchall()]


def _declared_shards(session: SparkSession, table: str) -> set[int]:
    """The shards that the catalogue knows of a table of sequences."""
    partitions = session.sql(f"show partitions raw.{table}").collect()
    return {int(row.partition.removeprefix("shard_id=")) for row in partitions}


def _replacements(store: duckdb.DuckDBPyConnection, table: str) -> str:
    described = store.execute(f"describe raw.{table}").fetchall()
    return ", ".join(f'cast("{name}" as varchar) as "{name}"' for name, kind, *_ in described if kind == "JSON")


def _export_shards(store: duckdb.DuckDBPyConnection, shards: list[Shard], folder: Path) -> Iterator[str]:
    """Write the landed shards that are not there yet, drop those that are no more; yield each when it is done."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"shard_id={shard.shard_id}": shard for shard in shards}
    for present in list(folder.iterdir()):
        if present.name not in wanted:
            shutil.rmtree(present)
            yield f"{present.name} dropped"
    for name, shard in wanted.items():
        state = {
            "checksum": shard.checksum,
            "sequences": shard.n_sequences,
            "first": shard.first_sequence_id,
            "row_group_bytes": ROW_GROUP_BYTES,
        }
        if _state(folder / name) == state:
            continue
        partial = _partial(folder / name)
        _write_sequences(store, shard, partial / "part.parquet")
        _settle(partial, folder / name, state)
        yield name


def _write_sequences(store: duckdb.DuckDBPyConnection, shard: Shard, path: Path) -> None:
    schema = pa.schema([("corpus", pa.string()), ("sequence_id", pa.int64()), ("tokens", pa.binary())])
    reader = store.execute(
        f"select corpus, sequence_id, tokens from {shard.table} where shard_id = ?",  # noqa: S608
        [shard.shard_id],
    ).to_arrow_reader(sequences_at_once(shard, SEQUENCES_PER_ROW_GROUP, ROW_GROUP_BYTES))
    # Ids of 16 bits hardly compress, and as bytes they are handed on without a look at them.
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=["corpus"]) as writer:
        for batch in reader:
            for begin, end in runs_of_bytes(batch["tokens"], ROW_GROUP_BYTES):
                part = batch.slice(begin, end - begin)
                columns = [part["corpus"].cast(pa.string()), part["sequence_id"], packed(part["tokens"])]
                writer.write_batch(pa.record_batch(columns, schema=schema))


def sequences_at_once(shard: Shard, most: int, most_bytes: int) -> int:
    """How many sequences of a shard have about `most_bytes` of tokens together: from 1 to `most`, by their mean length."""
    return max(min(most, most_bytes * shard.n_sequences // max(shard.n_tokens * token_bytes(shard), 1)), 1)


def token_bytes(shard: Shard) -> int:
    """Bytes of a token, landed or in its file."""
    return 2 if shard.token_dtype == "uint16" else 4  # noqa: S105 (no password)


def runs_of_bytes(tokens: pa.ListArray, most_bytes: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of runs of lists, of at most `most_bytes` each; a list that has more is a run of its own."""
    ends = (tokens.offsets.to_numpy().astype(np.int64)) * (tokens.type.value_type.bit_width // 8)
    begin = 0
    while begin < len(tokens):
        end = int(np.searchsorted(ends, ends[begin] + most_bytes, side="right")) - 1
        end = max(end, begin + 1)
        yield begin, end
        begin = end


def packed(tokens: pa.ListArray) -> pa.BinaryArray:
    """A list column without NULLs as bytes, little-endian, without a copy of them.

    Raises:
        SourceError: a value of Spark's does not hold so many.
    """
    width = tokens.type.value_type.bit_width // 8
    offsets = tokens.offsets.to_numpy().astype(np.int64) * width
    values = tokens.values
    data = values.buffers()[1] or pa.py_buffer(b"")
    first = int(offsets[0]) if len(offsets) else 0
    if len(offsets) and offsets[-1] - first >= 2**31:
        raise SourceError(
            "a landed sequence has 2 GiB of tokens or more, and Spark holds no value so long; ingest its corpus with "
            "--in-place, or with a --sequence-length"
        )
    return pa.Array.from_buffers(
        pa.binary(),
        len(tokens),
        [None, pa.py_buffer((offsets - first).astype(np.int32)), data.slice(values.offset * width + first)],
    )


def _attach(session: SparkSession, shard: Shard, scratch: Path) -> None:
    """A view of an in-place shard: a place for each sequence, dealt out to tasks in runs."""
    path = scratch / f"{shard_name(shard.shard_id)}.json"
    describe(shard, path)
    session.sparkContext.addFile(str(path))
    tasks = max(session.sparkContext.defaultParallelism * 2, -(-shard.n_tokens * token_bytes(shard) // TASK_BYTES))
    rows = session.range(0, shard.n_sequences, 1, min(tasks, max(shard.n_sequences, 1)))
    rows.selectExpr(
        f"id + {shard.first_sequence_id} as sequence_id", f"named_struct('source', '{path.name}', 'row', id) as tokens"
    ).createOrReplaceTempView(shard_name(shard.shard_id))


def _declare(session: SparkSession, create: str, table: str) -> None:
    # The files are the table's own only in name: dropping it leaves them.
    session.sql(f"drop table if exists raw.{table}")
    session.sql(create)


def _state(folder: Path) -> dict[str, Any] | None:
    path = folder / "_state.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _partial(folder: Path) -> Path:
    partial = folder.with_name(f"_{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _settle(partial: Path, folder: Path, state: dict[str, Any]) -> None:
    """Put a folder that is complete in its place."""
    (partial / "_state.json").write_text(json.dumps(state), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _spark_literal(path: Path) -> str:
    """As Spark reads it, which takes two quotes for the end of one text and the start of the next."""
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"
