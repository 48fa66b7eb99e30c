"""How fast token data lands and is scanned, beside DuckDB's own way and the limits of the disk, in one run.

A corpus of sequences of 2,049 uint16 tokens is written as `.bin` and as Parquet. Landing is measured as `memtax ingest
corpus` does it (checks, checksum, transaction, checkpoint) on a new database each; its peers are CREATE TABLE AS from
the Parquet file, with and without compression of the stored tokens, and its limits are reading the `.bin` (files lie in
the page cache) and writing as many bytes and syncing them. Scans add up every token. The run fails unless every table
and scan gives the sum and the rows that numpy gives.

Run: python benchmarks/ingest.py [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _measure import cpu_timed, machine, print_table, write_json

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from memtax import store  # noqa: E402
from memtax.corpus.in_place import attach  # noqa: E402
from memtax.corpus.ingest import ingest_corpus  # noqa: E402
from memtax.corpus.reader import read_sequences  # noqa: E402

LENGTH = 2_049
VOCABULARY = 50_277
SEED = 1024
BLOCK_ROWS = 10_000


def main() -> int:
    """Measure, print two tables, and say by the exit status whether every result was exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="82 MB of tokens instead of 2 GB")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    n_sequences = 20_000 if arguments.quick else 500_000
    with tempfile.TemporaryDirectory(prefix="memtax-ingest-") as name:
        bench = Bench(Path(name), n_sequences)
        landing = bench.measure_landing()
        scanning = bench.measure_scanning()
    print_table(f"landing {n_sequences:,} sequences, {bench.n_bytes / 1e6:,.0f} MB", landing)
    print_table("adding up every token", scanning)
    figures = {"machine": machine(os.cpu_count() or 1), "sequences": n_sequences, "bytes": bench.n_bytes}
    write_json(arguments.json, figures | {"landing": landing, "scanning": scanning, "mistakes": bench.mistakes})
    for mistake in bench.mistakes:
        print(f"WRONG: {mistake}", file=sys.stderr)
    return 1 if bench.mistakes else 0


class Bench:
    """The files of one run, and what was found wrong."""

    def __init__(self, folder: Path, n_sequences: int) -> None:
        self.folder = folder
        self.n_sequences = n_sequences
        self.n_bytes = n_sequences * LENGTH * 2
        self.bin = folder / "tokens.bin"
        self.parquet = folder / "tokens.parquet"
        self.store = folder / "memtax.duckdb"
        self.total = 0
        self.mistakes: list[str] = []
        self._write_files()

    def measure_landing(self) -> list[dict[str, Any]]:
        """One row for each way to land, peer or limit."""
        rows = [
            self._row("limit: read the .bin", self._read),
            self._row("limit: write as many bytes, sync", self._write_again),
        ]
        for label, path, options in (
            ("memtax: .bin", self.bin, {}),
            ("memtax: Parquet", self.parquet, {}),
            ("memtax: .bin in place", self.bin, {"in_place": True}),
        ):
            corpus = label.removeprefix("memtax: ")
            rows.append(self._row(label, partial(self._ingest, corpus, path, **options)))
        again = self._row("memtax: .bin again (nothing to do)", lambda: self._ingest(".bin", self.bin))
        for label, compression in (("compressed", "auto"), ("uncompressed", "uncompressed")):
            database = self.folder / f"{label}.duckdb"
            work = partial(self._create_table_as, database, compression)
            rows.append(self._row(f"peer: CREATE TABLE AS, {label}", work))
        return [*rows, again]

    def measure_scanning(self) -> list[dict[str, Any]]:
        """One row for each place that tokens can be in."""
        rows = []
        with store.reading(self.store) as connection:
            attach(connection)
            (shard_id,) = connection.execute(
                "select shard_id from raw.corpus_shards where storage = 'in_place'"
            ).fetchone()  # type: ignore[misc]
            for label, relation in {
                "landed": "raw.corpus_sequences_uint16 where corpus = '.bin'",
                "in place": f"in_place_shard_{shard_id}",
                "Parquet, for comparison": f"'{self.parquet}'",
            }.items():
                query = f"select sum(list_sum(tokens)), count(*) from {relation}"
                rows.append(self._row(label, lambda q=query: connection.execute(q).fetchone(), check=label))
            self._check_rows(connection)
        return [self._row("limit: numpy, one thread", lambda: (self._sum_with_numpy(), self.n_sequences)), *rows]

    def _row(self, label: str, work: Callable[[], Any], check: str = "") -> dict[str, Any]:
        seconds, cpu_seconds, result = cpu_timed(work)
        if check and tuple(result) != (self.total, self.n_sequences):
            self.mistakes.append(f"{check}: sum and rows are {result}, expected {(self.total, self.n_sequences)}")
        return {
            "what": label,
            "seconds": seconds,
            "cpu seconds": cpu_seconds,
            "sequences/s": self.n_sequences / seconds,
            "MB/s": self.n_bytes / seconds / 1e6,
        }

    def _write_files(self) -> None:
        generator = np.random.Generator(np.random.PCG64(SEED))
        ranks = 1.0 / np.arange(1, VOCABULARY + 1)
        cumulative = np.cumsum(ranks / ranks.sum())
        schema = pa.schema([("sequence_id", pa.int64()), ("tokens", pa.list_(pa.uint16()))])
        with self.bin.open("wb") as raw, pq.ParquetWriter(self.parquet, schema) as writer:
            for first in range(0, self.n_sequences, BLOCK_ROWS):
                count = min(BLOCK_ROWS, self.n_sequences - first)
                # Natural text's tokens are about this uneven, which is what compression sees.
                tokens = np.searchsorted(cumulative, generator.random(count * LENGTH)).astype(np.uint16)
                self.total += int(tokens.sum(dtype=np.int64))
                raw.write(tokens.tobytes())
                lists = pa.ListArray.from_arrays(np.arange(count + 1, dtype=np.int32) * LENGTH, pa.array(tokens))
                writer.write_batch(pa.record_batch([np.arange(first, first + count), lists], schema=schema))

    def _ingest(self, corpus: str, path: Path, **options: bool) -> None:
        with store.writing(self.store) as connection:
            ingest_corpus(connection, corpus, [path], **options)

    def _create_table_as(self, database: Path, compression: str) -> None:
        with duckdb.connect(str(database)) as connection:
            connection.execute(f"set force_compression = '{compression}'")
            connection.execute(f"create table tokens as from '{self.parquet}'")
            connection.execute("checkpoint")
            found = connection.execute("select count(*) from tokens").fetchone()
        if found != (self.n_sequences,):
            self.mistakes.append(f"peer {compression}: {found} rows")
        database.unlink()

    def _read(self) -> None:
        buffer = bytearray(4 << 20)
        with self.bin.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    def _write_again(self) -> None:
        path = self.folder / "copy"
        with self.bin.open("rb") as source, path.open("wb") as target:
            while block := source.read(4 << 20):
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        path.unlink()

    def _sum_with_numpy(self) -> int:
        return int(np.memmap(self.bin, np.uint16, "r").sum(dtype=np.int64))

    def _check_rows(self, connection: duckdb.DuckDBPyConnection) -> None:
        expected = np.memmap(self.bin, np.uint16, "r").reshape(-1, LENGTH)
        ids = np.random.Generator(np.random.PCG64(SEED)).integers(0, self.n_sequences, 200)
        for corpus in (".bin", "Parquet", ".bin in place"):
            for sequence_id, tokens in read_sequences(connection, corpus, ids.tolist()).items():
                if not np.array_equal(tokens, expected[sequence_id]):
                    self.mistakes.append(f"corpus {corpus!r}: sequence {sequence_id} differs from the file")


if __name__ == "__main__":
    raise SystemExit(main())
