"""How long the taxonomy takes at the paper's size: 48 million rows of `features`, eight models, from a fixed seed.

The rows are made in SQL in `raw.feature_rows` (for each model a representative sample of 5,000,000 and 1,000,000 memorized
ones); timed are three calls of `dbt run`: `build` (`features` with its categories, the marts across models, text and
duplicates, the rows to train on), `search` (the partition search, each model's on a sample of `taxonomy_search_rows`) and
`train` (the corrected protocol's training, prediction and evaluation). The target at full size: 10 minutes and 16 GiB on two
cores for `build` and `train`; the search is timed apart. Exits with 1 if a mart does not count the rows that were made.

Run: python benchmarks/taxonomy_at_size.py [--quick] [--rows N] [--keep FOLDER [--phase make|build|search|train]] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._measure import machine, print_table, timed, write_json  # noqa: E402
from memtax import store  # noqa: E402

ROWS, QUICK_ROWS = 48_000_000, 160_000
MODELS = ("70m", "160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b")
BUILT = [
    "+memorization_by_category",
    "+memorization_by_text_kind",
    "+memorization_by_duplicates",
    "+int_taxonomy__rows",
]
TRAINED = [
    "int_taxonomy__fits",
    "taxonomy_predictions",
    "int_taxonomy__metrics",
    "taxonomy_models",
    "taxonomy_metrics",
    "taxonomy_comparisons",
    "taxonomy_reliability",
]
PHASES = {"build": BUILT, "search": ["int_taxonomy__search"], "train": TRAINED}
# DuckDB keeps what it has read for as long as it has room: what it may take of the 16 GiB, beside Python's arrays.
MEMORY_LIMIT = "7GB"

MADE = """
insert into raw.feature_rows by name
with drawn as (
    select
        n,
        hash(n * 31 + 1) / 18446744073709551615.0 as u1,
        hash(n * 31 + 2) / 18446744073709551615.0 as u2,
        hash(n * 31 + 3) / 18446744073709551615.0 as u3,
        hash(n * 31 + 4) / 18446744073709551615.0 as u4,
        hash(n * 31 + 5) / 18446744073709551615.0 as u5,
        hash(n * 31 + 7 + {model}) / 18446744073709551615.0 as luck
    from range({first}, {last}) as rows (n)
),

features as (
    select
        *,
        cast(floor(pow(greatest(u1, 1e-6), -0.9)) as bigint) as duplicates,
        1 + 3 * sqrt(-2 * ln(greatest(u2, 1e-9))) * abs(cos(6.283 * u3)) as perplexity
    from drawn
)

select
    '{dataset}' as dataset,
    '{name}' as model,
    'final' as revision,
    'pile' as corpus,
    n as sequence_id,
    0 as token_offset,
    n as source_row,
    duplicates as sequence_duplicates,
    cast(1e6 * u2 + 1e5 * u4 as bigint) as max_frequency,
    1e5 * u4 as avg_frequency,
    cast(100 * u5 as bigint) as min_frequency,
    1e4 * u4 * u5 as median_frequency,
    cast(1e4 * u5 as bigint) as p25_frequency,
    cast(1e6 * u4 as bigint) as p75_frequency,
    u3 < 0.1 as is_templating,
    u4 as nl_score,
    3 + 2 * u5 as huffman_code_length,
    cast(20 * u2 * u5 as bigint) as semantic_matches_0_8,
    cast(4 * u2 * u5 as bigint) as textual_matches_0_8,
    perplexity + u4 as prompt_perplexity,
    perplexity as generation_perplexity,
    perplexity + u5 as sequence_perplexity,
    {memorized} as memorized
from features
"""
LIKELY = "luck < 1 / (1 + exp(2 - 0.1 * {model} - 0.6 * ln(duplicates) + 1.2 * (perplexity - 1)))"


def main() -> int:
    """Make the rows, run dbt, print, and say by the exit status whether every row was counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows instead of {ROWS:,}")
    parser.add_argument("--rows", type=int, help="another number of rows")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the store there; rows in it are not made again"
    )
    parser.add_argument("--phase", choices=("make", *PHASES), help="only this one, of the store that --keep names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    n = arguments.rows or (QUICK_ROWS if arguments.quick else ROWS)
    if arguments.phase and not arguments.keep:
        parser.error("--phase needs --keep FOLDER")
    phases = [arguments.phase] if arguments.phase else ["make", *PHASES]
    with tempfile.TemporaryDirectory(prefix="memtax-at-size-") as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        database = folder / "memtax.duckdb"
        figures: dict[str, object] = {"machine": machine(2), "rows": n, "models": len(MODELS)}
        if "make" in phases and not database.exists():
            figures["making_seconds"], _ = timed(lambda: make_rows(database, n))
        for phase in phases:
            if phase in PHASES:
                figures[f"{phase}_seconds"], figures[f"{phase}_gib"] = run_dbt(database, folder, PHASES[phase])
        right = check(database, n, figures, phases)
        print_table(f"{n:,} rows of features", [figures | {"machine": ""}])
    write_json(arguments.json, figures)
    return 0 if right else 1


def check(database: Path, n: int, figures: dict[str, object], phases: list[str]) -> bool:
    """Whether the marts count every row, and every model was fitted."""
    right = True
    with store.reading(database) as connection:
        if "build" in phases:
            (counted,) = connection.execute(
                "select sum(n_sequences) from memorization_by_category where text_kind = 'all' and category = 'all'"
            ).fetchone()  # type: ignore[misc]
            figures["rows_counted"] = int(counted)
            right &= counted == n
        if "train" in phases:
            (fitted,) = connection.execute(
                "select count(distinct model) from taxonomy_models where status = 'fitted'"
            ).fetchone()  # type: ignore[misc]
            figures["models_fitted"] = fitted
            right &= fitted == len(MODELS)
    return right


def make_rows(database: Path, n: int) -> None:
    """Land `n` rows: five sixths of each model's are representative, the others memorized ones that lie elsewhere."""
    each = n // len(MODELS)
    sample = each * 5 // 6
    with store.writing(database) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('pile')")
        for number, name in enumerate(MODELS):
            for dataset, first, last in (("pile", 0, sample), ("memories", sample, each)):
                memorized = LIKELY.format(model=number) if dataset == "pile" else "true"
                connection.execute(
                    MADE.format(model=number, first=first, last=last, dataset=dataset, name=name, memorized=memorized)
                )
                connection.execute(
                    "insert into raw.feature_tables (dataset, model, revision, corpus, table_schema, origin, checksum, "
                    "n_rows, n_repeated) values (?, ?, 'final', 'pile', 'memtax', 'made', 'made', ?, 0)",
                    [dataset, name, last - first],
                )


def run_dbt(database: Path, folder: Path, selected: list[str]) -> tuple[float, float]:
    """Seconds and peak resident GiB of `dbt run`, whose lines are shown."""
    dbt = str(Path(sys.executable).with_name("dbt"))
    command = [
        dbt,
        "--no-use-colors",
        "run",
        "--target-path",
        str(folder / "target"),
        "--log-path",
        str(folder / "logs"),
    ]
    command += ["--vars", "threads: 2", "--select", *selected]
    environment = os.environ | {
        "MEMTAX_DATABASE": str(database),
        "MEMTAX_THREADS": "2",
        "MEMTAX_MEMORY_LIMIT": MEMORY_LIMIT,
        "OPENBLAS_NUM_THREADS": "2",
    }
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    for line in process.stdout or ():
        if " OK created" in line or "ERROR" in line or "Error" in line:
            print("  " + line.rstrip(), flush=True)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("dbt run failed")
    return time.perf_counter() - began, usage.ru_maxrss / 2**20


if __name__ == "__main__":
    sys.exit(main())
