"""What `dbt run` takes for the same counts on landed tokens, all SQL and aggregation included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
from _duplicate_corpora import LENGTH, WINDOW, make_repeated, matrix
from _measure import freshly_mapped, median_time, rate, timed

from memtax_native import QueryTable

PROJECT = Path(__file__).resolve().parent.parent
# The scan, and what it feeds; views take no time, but are built as well.
MODELS = ("int_shard_windows", "int_shard_window__counts", "feat_sequence__duplicates", "duplicate_occurrences")


def measure_dbt(folder: Path, n: int, n_queries: int, threads: int) -> tuple[list[dict[str, object]], bool]:
    """`dbt run` on a landed corpus of n sequences, against the native count of the continuations alone.

    dbt counts the prompts and the whole windows beside the continuations, so that it does three times as much. Three
    runs: of the token frequencies alone, before anything is evaluated; of the windows alone; and of both in one pass.
    """
    corpus = make_repeated(folder, n)
    evaluated = np.linspace(0, n - 1, min(n, n_queries), dtype=np.int64)
    windows = np.ascontiguousarray(matrix(corpus)[evaluated][:, : 2 * WINDOW])
    continuations = np.ascontiguousarray(windows[:, WINDOW:])
    native, counts = median_time(lambda: _count(corpus, continuations, threads), 3)
    # For the landed copy and dbt's tables; they are as large as the corpus.
    database = folder / "dbt.duckdb"
    database.unlink(missing_ok=True)
    environment = os.environ | {"MEMTAX_DATABASE": str(database.absolute()), "MEMTAX_PROJECT": str(PROJECT)}
    source = [str(corpus), "--format", "bin", "--dtype", "uint16", "--sequence-length", str(LENGTH)]
    memtax = [sys.executable, "-m", "memtax", "ingest", "corpus", "c", *source]
    landing, _ = timed(lambda: subprocess.run(memtax, env=environment, check=True, stdout=subprocess.DEVNULL))
    target = folder / "dbt-target"

    def run(*arguments: str) -> dict[str, float]:
        paths = ["--target-path", str(target.absolute()), "--log-path", str(target.absolute() / "logs")]
        command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "run", *paths, *arguments]
        variables = ["--vars", json.dumps({"threads": threads})]
        subprocess.run([*command, *variables], cwd=PROJECT, env=environment, check=True)
        results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
        return {result["unique_id"].rsplit(".", 1)[-1]: result["execution_time"] for result in results}

    frequencies = run("--select", "+token_frequencies")
    exact = _frequencies_are_exact(database, corpus)
    _evaluate(database, evaluated, windows)
    seconds = run("--select", *(f"+{name}" for name in MODELS[-2:]))
    exact &= _counts_are_exact(database, counts)
    both = run("--full-refresh", "--select", "int_shard_window__counts")
    database.unlink()
    total = sum(seconds[name] for name in MODELS)
    row = {
        "tokens": n * LENGTH,
        "queries": len(continuations),
        "landing_s": landing,
        "native_s": native,
        "native_mtokens_per_s": rate(n * LENGTH, native),
        "frequencies_alone_s": frequencies["int_shard_window__counts"],
        "windows_alone_s": seconds["int_shard_window__counts"],
        "both_s": both["int_shard_window__counts"],
        "windows_all_models_s": total,
        "percent_of_native": 100 * native / total,
    }
    return [row], exact


def _frequencies_are_exact(database: Path, corpus: Path) -> bool:
    expected = np.bincount(freshly_mapped(corpus), minlength=1 << 16)
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute("select token_id, frequency from token_frequencies order by token_id").fetchnumpy()
    ids = np.flatnonzero(expected)
    return np.array_equal(found["token_id"], ids) and np.array_equal(found["frequency"], expected[ids])


def _counts_are_exact(database: Path, expected: np.ndarray) -> bool:
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(
            "select sequence_duplicates from feat_sequence__duplicates order by sequence_id"
        ).fetchnumpy()["sequence_duplicates"]
    return bool(np.array_equal(np.ma.filled(found, -1), expected))


def _count(corpus: Path, windows: np.ndarray, threads: int) -> np.ndarray:
    table = QueryTable.build(windows, threads)
    values = freshly_mapped(corpus)
    _, queries, occurrences, _ = table.scan(values, np.arange(0, len(values) + 1, LENGTH), threads)
    totals = np.bincount(queries, weights=occurrences, minlength=len(table)).astype(np.int64)
    return totals[table.find(windows.ravel(), np.arange(len(windows) + 1) * WINDOW, threads)]


def _evaluate(database: Path, sequence_ids: np.ndarray, windows: np.ndarray) -> None:
    import pyarrow as pa

    tokens = pa.FixedSizeListArray.from_arrays(pa.array(windows.ravel().astype(np.int32)), windows.shape[1])
    rows = pa.table({"sequence_id": sequence_ids, "tokens": tokens})
    with duckdb.connect(str(database)) as connection:
        connection.register("evaluated_rows", rows)
        connection.execute("insert into raw.evaluated_sequences select 'c', sequence_id, 0, tokens from evaluated_rows")
        connection.execute("insert into raw.dataset_members select 'd', 'c', sequence_id, 0, null from evaluated_rows")
