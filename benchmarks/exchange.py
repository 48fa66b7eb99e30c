"""How fast tables leave the store and published tables enter it, beside `datasets` and plain DuckDB COPY, in one run.

A table in the shape of `features` (made from a fixed seed) is exported as `memtax export` does it: sorted, zstd, shards, with
checksums. Its peers are DuckDB's COPY of the same sorted rows to one zstd file, COPY without an order, and
`datasets.Dataset.to_parquet` of the rows in memory. A split of published values is landed as `memtax ingest hub` does it
(schema, repeated rows, checksum, transaction); its peers are CREATE TABLE AS from the files, and
`datasets.load_dataset`. The contenders take turns, and the best of their runs counts. The run fails unless every
file and table holds the rows that were made.

Run: python benchmarks/exchange.py [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import duckdb
import pyarrow.parquet as pq
from _measure import machine, print_table, timed, write_json

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from memtax import store  # noqa: E402
from memtax.datasets.hub.land import land_split  # noqa: E402
from memtax.datasets.hub.schemas import find_split  # noqa: E402
from memtax.export.manifest import write_manifest  # noqa: E402
from memtax.export.selection import ExportTable  # noqa: E402
from memtax.export.shards import write_table  # noqa: E402

KEYS = ("dataset", "corpus", "sequence_id", "token_offset", "model", "revision")
REPOSITORY = "usvsnsp/generation-num-duplicates"
SHARD_BYTES = 100 * 10**6


def main() -> int:
    """Measure, print two tables, and say by the exit status whether every result was exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200,000 rows once instead of 3,000,000 three times")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    n_rows, repeats = (200_000, 1) if arguments.quick else (3_000_000, 3)
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory(prefix="memtax-exchange-") as name:
        bench = Bench(Path(name), n_rows)
        exported = bench.turns(repeats, bench.exporters())
        landed = bench.turns(repeats, bench.landers())
    print_table(f"exporting {n_rows:,} rows of {len(bench.columns)} columns", exported)
    print_table(f"landing {n_rows:,} published values", landed)
    figures = {"machine": machine(os.cpu_count() or 1), "rows": n_rows, "exported": exported, "landed": landed}
    write_json(arguments.json, figures | {"mistakes": bench.mistakes})
    for mistake in bench.mistakes:
        print(f"WRONG: {mistake}", file=sys.stderr)
    return 1 if bench.mistakes else 0


class Bench:
    """The made tables, and each way to export and to land them."""

    def __init__(self, folder: Path, n_rows: int) -> None:
        self.folder, self.n_rows = folder, n_rows
        self.mistakes: list[str] = []
        self.connection = duckdb.connect(str(folder / "source.duckdb"))
        counts = ", ".join(f"(hash(i, {k}) % {10 ** (k % 6 + 1)})::bigint as count_{k}" for k in range(10))
        measures = ", ".join(f"hash(i, {k}) / 2e18 as measure_{k}" for k in range(20, 34))
        flags = ", ".join(f"hash(i, {k}) % 2 = 0 as flag_{k}" for k in range(40, 46))
        # The keys are a permutation, so that sorting has work to do.
        self.connection.execute(
            f"create table features as select 'pile' as dataset, 'pile-deduped' as corpus, (i * 7919) % {n_rows} as sequence_id, "
            f"0 as token_offset, 'pythia-12b' as model, 'main' as revision, {counts}, {measures}, {flags}, "
            f"['recitation', 'reconstruction', 'recollection'][1 + (hash(i) % 3)::bigint] as category "
            f"from range({n_rows}) as t(i)"
        )
        self.columns = [row[0] for row in self.connection.execute("describe features").fetchall()]
        self.total = self.connection.execute("select sum(count_3) from features").fetchone()
        self.in_memory = datasets.Dataset(self.connection.execute("from features").to_arrow_table())
        published = folder / "published"
        published.mkdir()
        self.published = published / "deduped-00000-of-00001.parquet"
        self.connection.execute(
            f"copy (select sequence_id, count_3 as counts from features) to '{self.published}' (format parquet)"
        )

    def exporters(self) -> dict[str, Callable[[], Path]]:
        """Each way to write the table to a fresh folder."""
        order = ", ".join(KEYS)

        def memtax() -> Path:
            folder = self._fresh("memtax")
            table = ExportTable("features", "train", "select * from features", KEYS, "")
            written = write_table(self.connection, table, folder, SHARD_BYTES)
            (folder / "README.md").write_text("", encoding="utf-8")
            write_manifest(folder, [written], {})
            return folder

        def copy(query: str, name: str) -> Path:
            folder = self._fresh(name)
            self.connection.execute(f"copy ({query}) to '{folder}/all.parquet' (format parquet, compression zstd)")
            return folder

        def with_datasets() -> Path:
            folder = self._fresh("datasets")
            self.in_memory.to_parquet(str(folder / "all.parquet"))
            return folder

        return {
            "memtax export": memtax,
            "COPY, sorted": lambda: copy(f"from features order by {order}", "sorted"),
            "COPY, unsorted": lambda: copy("from features", "unsorted"),
            "datasets, unsorted, its own compression": with_datasets,
        }

    def landers(self) -> dict[str, Callable[[], Path]]:
        """Each way to land the published values in a fresh folder."""

        def memtax() -> Path:
            folder = self._fresh("landed")
            with store.writing(folder / "memtax.duckdb") as connection:
                land_split(connection, find_split(REPOSITORY, "deduped"), [self.published])
            return folder

        def create_table() -> Path:
            folder = self._fresh("created")
            with duckdb.connect(str(folder / "plain.duckdb")) as connection:
                connection.execute(f"create table published as from read_parquet('{self.published}')")
            return folder

        def with_datasets() -> Path:
            folder = self._fresh("loaded")
            datasets.load_dataset("parquet", data_files=str(self.published), cache_dir=str(folder))
            return folder

        return {"memtax ingest hub": memtax, "CREATE TABLE AS": create_table, "datasets.load_dataset": with_datasets}

    def turns(self, repeats: int, contenders: dict[str, Callable[[], Path]]) -> list[dict[str, object]]:
        """Let the contenders take turns; one line for each."""
        best: dict[str, float] = {}
        sizes: dict[str, int] = {}
        for _ in range(repeats):
            for name, work in contenders.items():
                seconds, folder = timed(work)
                best[name] = min(seconds, best.get(name, seconds))
                sizes[name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                self._check(name, folder)
                shutil.rmtree(folder)
        reference = best[list(contenders)[1]]
        return [
            {
                "way": name,
                "seconds": seconds,
                "M rows/s": self.n_rows / seconds / 1e6,
                "MB/s": sizes[name] / seconds / 1e6,
                "MB": sizes[name] / 1e6,
                f"x {list(contenders)[1]}": reference / seconds,
            }
            for name, seconds in best.items()
        ]

    def _fresh(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def _check(self, name: str, folder: Path) -> None:
        files = [str(path) for path in folder.rglob("*.parquet")]
        if files:
            total = self.connection.execute("select sum(count_3) from read_parquet(?)", [files]).fetchone()
            n_rows = sum(pq.read_metadata(path).num_rows for path in files)
            if (n_rows, total) != (self.n_rows, self.total):
                self.mistakes.append(
                    f"{name} wrote {n_rows} rows with the sum {total}, expected {self.n_rows}, {self.total}"
                )
        elif (folder / "memtax.duckdb").is_file():
            with store.reading(folder / "memtax.duckdb") as connection:
                found = connection.execute("select count(*), sum(value) from raw.published_values").fetchone()
            if found != (self.n_rows, float(self.total[0])):
                self.mistakes.append(f"{name} landed {found}, expected {self.n_rows} rows with the sum {self.total}")


if __name__ == "__main__":
    raise SystemExit(main())
