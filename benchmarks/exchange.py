"""How fast tables leave the store and published tables enter it, beside `datasets` and plain DuckDB COPY, in one run.

A table in the shape of `features` (made from a fixed seed) is exported as `memtax export` does it: sorted, zstd, shards, with
checksums. Its peers are DuckDB's COPY of the same sorted rows to one zstd file in groups of as many rows, COPY without an
order, and `datasets.Dataset.to_parquet` of the rows in memory. Two splits are landed as `memtax ingest hub` does it (schema,
repeated rows, tokens, scores, checksum, transaction): windows with the scores of eight models, and one value a sequence.
Their peers are COPY of the same file into a table with the file's columns, COPY of what is stored into a table with the
store's, and `datasets.load_dataset`. The contenders take turns, and the best of their runs counts; the processor's
seconds stand beside the time, since they hardly depend on what else the machine does. The run fails unless
every file and table holds the rows that were made.

Run: python benchmarks/exchange.py [--quick] [--rows N] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import duckdb
import pyarrow.parquet as pq
from _measure import cpu_timed, machine, print_table, write_json

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from memtax import store  # noqa: E402
from memtax.datasets.hub.land import land_split  # noqa: E402
from memtax.datasets.hub.schemas import SIZES, find_split  # noqa: E402
from memtax.export.manifest import write_manifest  # noqa: E402
from memtax.export.selection import ExportTable  # noqa: E402
from memtax.export.shards import ROWS_IN_GROUP, write_table  # noqa: E402

KEYS = ("dataset", "corpus", "sequence_id", "token_offset", "model", "revision")
VALUES = ("usvsnsp/generation-num-duplicates", "deduped")
WINDOWS = ("EleutherAI/pile-deduped-pythia-random-sampled", "train")
SHARD_BYTES = 100 * 10**6
# What memtax keeps of each row: the names of dataset and corpus beside it, token ids in 32 bits, the scores as a list.
STORED = {
    WINDOWS[
        0
    ]: "select 'pile_deduped' as dataset, 'pile-deduped' as corpus, \"Index\" as sequence_id, 0 as token_offset, "
    '"Tokens"::uinteger[] as tokens, ['
    + ", ".join(f'"{size}"' for size in SIZES)
    + "] as scores from read_parquet('{file}')",
    VALUES[0]: "select 1 as table_id, sequence_id, counts::double as value from read_parquet('{file}')",
}


def main() -> int:
    """Measure, print two tables, and say by the exit status whether every result was exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, once instead of three times")
    parser.add_argument(
        "--rows", type=int, help="of the table and the values; half as many windows (default: 1,000,000)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    n_rows = arguments.rows or (100_000 if arguments.quick else 1_000_000)
    repeats = 1 if arguments.quick else 3
    n_windows = n_rows // 2
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory(prefix="memtax-exchange-") as name:
        bench = Bench(Path(name), n_rows, n_windows)
        exported = bench.turns(repeats, bench.exporters(), n_rows, ("COPY, sorted", "COPY, unsorted"))
        references = ("COPY", "COPY, the store's columns")
        windows = bench.turns(repeats, bench.landers(WINDOWS, bench.windows), n_windows, references)
        values = bench.turns(repeats, bench.landers(VALUES, bench.values), n_rows, references)
    print_table(f"exporting {n_rows:,} rows of {len(bench.columns)} columns", exported)
    print_table(f"landing {n_windows:,} windows of 64 tokens with 8 scores", windows)
    print_table(f"landing {n_rows:,} published values", values)
    figures = {
        "machine": machine(os.cpu_count() or 1),
        "rows": n_rows,
        "windows": n_windows,
        "exported": exported,
        "landed_windows": windows,
        "landed_values": values,
    }
    write_json(arguments.json, figures | {"mistakes": bench.mistakes})
    for mistake in bench.mistakes:
        print(f"WRONG: {mistake}", file=sys.stderr)
    return 1 if bench.mistakes else 0


class Bench:
    """The made tables, and each way to export and to land them."""

    def __init__(self, folder: Path, n_rows: int, n_windows: int) -> None:
        self.folder, self.n_rows, self.n_windows = folder, n_rows, n_windows
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
        self.values, self.windows = folder / "values.parquet", folder / "windows.parquet"
        self.connection.execute(
            f"copy (select sequence_id, count_3 as counts from features) to '{self.values}' (format parquet)"
        )
        scores = ", ".join(f'(hash(i, {k}) % 33) / 32 as "{size}"' for k, size in enumerate(SIZES))
        # Ids in no order, among those of the whole Pile.
        self.connection.execute(
            f'copy (select (i * 102_947) % 146_432_000 as "Index", '
            f'[(hash(i, k) % 50_277)::bigint for k in range(64)] as "Tokens", {scores} '
            f"from range({n_windows}) as t(i)) to '{self.windows}' (format parquet)"
        )
        self.token_total = self.connection.execute(
            f'select sum(list_sum("Tokens")), sum("12B") from read_parquet(\'{self.windows}\')'
        ).fetchone()

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
            options = f"format parquet, compression zstd, row_group_size {ROWS_IN_GROUP}"
            self.connection.execute(f"copy ({query}) to '{folder}/all.parquet' ({options})")
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

    def landers(self, published: tuple[str, str], path: Path) -> dict[str, Callable[[], Path]]:
        """Each way to land a split in a fresh folder."""
        repository, name = published
        stored = STORED[repository].format(file=path)

        def memtax() -> Path:
            folder = self._fresh("landed")
            with store.writing(folder / "memtax.duckdb") as connection:
                land_split(connection, find_split(repository, name), [path])
            return folder

        def copy() -> Path:
            folder = self._fresh("created")
            with duckdb.connect(str(folder / "plain.duckdb")) as connection:
                connection.execute(f"create table published as from read_parquet('{path}') limit 0")
                connection.execute(f"copy published from '{path}' (format parquet)")
            return folder

        def copy_stored() -> Path:
            folder = self._fresh("stored")
            with duckdb.connect(str(folder / "plain.duckdb")) as connection:
                connection.execute(f"create table published as {stored} limit 0")
                connection.execute(f"insert into published {stored}")
            return folder

        def with_datasets() -> Path:
            folder = self._fresh("loaded")
            datasets.load_dataset("parquet", data_files=str(path), cache_dir=str(folder))
            return folder

        return {
            "memtax ingest hub": memtax,
            "COPY": copy,
            "COPY, the store's columns": copy_stored,
            "datasets.load_dataset": with_datasets,
        }

    def turns(
        self, repeats: int, contenders: dict[str, Callable[[], Path]], n_rows: int, references: Sequence[str]
    ) -> list[dict[str, object]]:
        """Let the contenders take turns; one line for each, beside those that are named."""
        best: dict[str, float] = {}
        cpu: dict[str, float] = {}
        sizes: dict[str, int] = {}
        for _ in range(repeats):
            for name, work in contenders.items():
                seconds, cpu_seconds, folder = cpu_timed(work)
                best[name] = min(seconds, best.get(name, seconds))
                cpu[name] = min(cpu_seconds, cpu.get(name, cpu_seconds))
                sizes[name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                self._check(name, folder)
                shutil.rmtree(folder)
        return [
            {
                "way": name,
                "seconds": seconds,
                "cpu s": cpu[name],
                "M rows/s": n_rows / seconds / 1e6,
                "MB/s": sizes[name] / seconds / 1e6,
                "MB": sizes[name] / 1e6,
                **{f"x {reference}": best[reference] / seconds for reference in references},
                **{f"cpu x {reference}": cpu[reference] / cpu[name] for reference in references},
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
                if connection.execute("from raw.datasets").fetchone():
                    query = (
                        "select count(*), sum(list_sum(tokens)), (select sum(score) from raw.published_scores "
                        "where model = 'pythia-12b-deduped') from raw.evaluated_sequences"
                    )
                    expected: tuple = (self.n_windows, *self.token_total)
                else:
                    query = "select count(*), sum(value) from raw.published_values"
                    expected = (self.n_rows, float(self.total[0]))
                found = connection.execute(query).fetchone()
            if found != expected:
                self.mistakes.append(f"{name} landed {found}, expected {expected}")


if __name__ == "__main__":
    raise SystemExit(main())
