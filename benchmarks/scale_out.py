"""How counting duplicates scales on Spark: time against tokens and against executors, and the overhead over DuckDB.

Corpora of sequences of 2,049 uint16 tokens are read where they lie. Each is built by dbt on DuckDB and by `memtax spark
build` (the start of the session included) from the same windows; whole processes are timed, one after the other, so that
the ratios are of one run. What Spark's tasks did comes from its event log: the seconds in the tasks of the scan give the
rate of a core (the start of a Python worker is in them), and the bytes that they leave for the next stage what is shuffled.
The memory of an executor's Python workers holds the pages of the corpus that are mapped. `local[n]` has n tasks at a time in one
JVM with n Python workers; `local-cluster[n,1,1024]` n executors, each a process of its own.

The run fails unless both engines give the same counts.

Run: python benchmarks/scale_out.py [--quick] [--sequences N]… [--master MASTER]… [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _measure import machine, print_table, timed, write_json

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from memtax.spark.events import Stage, read_stages  # noqa: E402
from udf.query_tables import build_query_table  # noqa: E402

LENGTH = 2_049
VOCABULARY = 50_277
SEED = 1024
WINDOWS = 1_000
MODELS = ["+feat_sequence__duplicates"]
TABLE = "feat_sequence__duplicates"
MASTERS = ["local[1]", "local[2]", "local-cluster[2,1,1024]"]
FULL = [20_000, 160_000]
QUICK = [5_000]


def main() -> int:
    """Measure, print a table, and say by the exit status whether every count was the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="one corpus of 10 million tokens, and no executors of their own"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--sequences", type=int, action="append", metavar="N", help="a size of the corpus; several are measured in turn"
    )
    parser.add_argument("--master", action="append", metavar="MASTER", help="a master of Spark; several in turn")
    arguments = parser.parse_args()
    masters = arguments.master or (["local[2]"] if arguments.quick else MASTERS)
    rows: list[dict[str, object]] = []
    for sequences in arguments.sequences or (QUICK if arguments.quick else FULL):
        with tempfile.TemporaryDirectory(prefix="memtax-scale-") as name:
            rows += Store(Path(name), sequences).measure(masters)
    table = query_table()
    print_table(f"counting {WINDOWS:,} windows", rows)
    print_table("what goes to every executor", [table])
    figures = {"machine": machine(os.cpu_count() or 1), "windows": WINDOWS, "runs": rows, "query_table": table}
    write_json(arguments.json, figures)
    wrong = [row for row in rows if row["same"] is False]
    for row in wrong:
        print(f"WRONG: {row['engine']} counts otherwise than duckdb on {row['tokens']} tokens", file=sys.stderr)
    return 1 if wrong else 0


def query_table(windows: int = 100_000) -> dict[str, object]:
    """How large a query table is, and how long the driver takes to build it: prompts, continuations and whole windows."""
    tokens = np.random.default_rng(SEED).integers(0, VOCABULARY, (windows, 64), dtype=np.uint16)
    spans = [*tokens[:, :32], *tokens[:, 32:], *tokens]
    with tempfile.TemporaryDirectory(prefix="memtax-scale-") as name:
        pq.write_table(pa.table({"window": pa.array(spans, pa.list_(pa.uint16()))}), f"{name}/windows.parquet")
        seconds, _ = timed(lambda: build_query_table(pa.array([f"{name}/windows.parquet"]), pa.array([name])))
        stored = sum(path.stat().st_size for path in Path(name).glob("*.memtaxq"))
    return {"windows": f"{windows:,}", "seconds to build": seconds, "bytes a window": stored / windows}


class Store:
    """A corpus of random tokens in which some sequences are copies, and a sample of its windows."""

    def __init__(self, folder: Path, sequences: int) -> None:
        self.folder, self.tokens = folder, sequences * LENGTH
        rows = np.random.default_rng(SEED).integers(0, VOCABULARY, (sequences, LENGTH), dtype=np.uint16)
        rows[:: max(sequences // 500, 1)] = rows[0]
        rows.tofile(folder / "corpus.bin")
        self._environment = os.environ | {"MEMTAX_DATABASE": str(folder / "memtax.duckdb"), "MEMTAX_PROJECT": str(ROOT)}
        source = [
            "corpus",
            str(folder / "corpus.bin"),
            "--sequence-length",
            str(LENGTH),
            "--format",
            "bin",
            "--in-place",
        ]
        self._run([sys.executable, "-m", "memtax", "ingest", "corpus", *source])
        sample = ["sample", "some", "--corpus", "corpus", "--n", str(WINDOWS), "--seed", str(SEED)]
        self._run([sys.executable, "-m", "memtax", *sample])

    def measure(self, masters: list[str]) -> list[dict[str, object]]:
        """A row for each engine."""
        target = ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        dbt = [str(Path(sys.executable).with_name("dbt")), "run", "--select", *MODELS, *target]
        seconds, _ = timed(lambda: self._run(dbt))
        expected = self._rows(f"main.{TABLE}")
        rows = [self._row("duckdb", seconds, seconds, [], True)]
        for master in masters:
            name = "".join(letter if letter.isalnum() else "-" for letter in master)
            spark, log = self.folder / f"spark-{name}", self.folder / f"events-{name}"
            log.mkdir()
            self._environment |= {"MEMTAX_SPARK_FOLDER": str(spark), "SPARK_WORKER_DIR": str(self.folder / "workers")}
            settings = {
                "spark.driver.memory": "1g",
                "spark.executor.memory": "1g",
                "spark.eventLog.enabled": "true",
                "spark.eventLog.compress": "false",
                "spark.eventLog.dir": log.as_uri(),
                "spark.executor.processTreeMetrics.enabled": "true",
                "spark.executor.metrics.pollingInterval": "500",
            }
            command = [sys.executable, "-m", "memtax", "spark", "build", "--master", master]
            command += [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
            taken, _ = timed(lambda command=command: self._run([*command, "--", "--select", *MODELS]))
            found = self._rows(f"read_parquet('{spark}/warehouse/main.db/{TABLE}/*.parquet')")
            rows.append(self._row(master, taken, seconds, read_stages(log), found == expected))
        return rows

    def _row(
        self, engine: str, seconds: float, duckdb_seconds: float, stages: list[Stage], same: bool
    ) -> dict[str, object]:
        scan = max(stages, key=lambda stage: sum(stage.seconds), default=None)
        return {
            "tokens": f"{self.tokens:,}",
            "engine": engine,
            "seconds": seconds,
            "over duckdb": seconds / duckdb_seconds,
            "tasks' seconds": sum(sum(stage.seconds) for stage in stages) if scan else "",
            "scan: tasks": len(scan.seconds) if scan else "",
            "scan: seconds": sum(scan.seconds) if scan else "",
            "scan: Mtokens/s a core": self.tokens / sum(scan.seconds) / 1e6 if scan else "",
            "scan: shuffled kB": sum(scan.written_bytes) / 1e3 if scan else "",
            "Python MB an executor": max(stage.python_bytes for stage in stages) / 1e6 if scan else "",
            "same": same,
        }

    def _rows(self, relation: str) -> list[tuple]:
        columns = (
            "sequence_id, token_offset, sequence_duplicates, duplicate_sequences, prompt_duplicates, window_duplicates"
        )
        with duckdb.connect(str(self.folder / "memtax.duckdb"), read_only=True) as connection:
            return connection.execute(f"select {columns} from {relation} order by all").fetchall()

    def _run(self, command: list[str]) -> None:
        result = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(result.stdout[-4000:] + result.stderr[-4000:])


if __name__ == "__main__":
    raise SystemExit(main())
