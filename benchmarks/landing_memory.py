"""Memory that `memtax ingest hub` takes under a limit, by the number of rows of the split.

Splits of windows and of values are made at several sizes, with ids in no order and eight padded rows, and landed by the command
itself under MEMTAX_MEMORY_LIMIT. Beside each peak stand the bytes of the split's keys, which are held in memory. The run fails
unless every row landed, and unless the peak grows by no more than the keys do, twice over, and a tenth.

Run: python benchmarks/landing_memory.py [--quick] [--limit 300MB] [--json FILE]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._measure import machine, print_table, write_json  # noqa: E402
from benchmarks._memory_runs import watched  # noqa: E402

SIZES = ("70M", "160M", "410M", "1B", "1.4B", "2.8B", "6.9B", "12B")
PADDED = 8
KEY_BYTES = 8
WINDOWS = ("EleutherAI/pile-deduped-pythia-random-sampled", "train")
VALUES = ("usvsnsp/generation-num-duplicates", "deduped")
# An odd factor permutes the ids among those of the whole Pile.
ID = "(i * 102_947) % 146_432_000"


def main() -> int:
    """Land each split at each size, print one table, and say by the exit status whether memory is bounded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows")
    parser.add_argument("--limit", default="300MB", help="MEMTAX_MEMORY_LIMIT of the landings (default: 300MB)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    sizes = (50_000, 250_000) if arguments.quick else (1_000_000, 5_000_000)
    lines: list[dict[str, object]] = []
    mistakes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="memtax-landing-memory-") as name:
        for repository, split in (WINDOWS, VALUES):
            peaks = []
            for n_rows in sizes:
                folder = Path(name) / f"{split}-{n_rows}"
                # In a process of its own: what is started here counts this one's memory as its own peak.
                with ProcessPoolExecutor(1, get_context("spawn")) as maker:
                    size = maker.submit(make_split, folder, repository, split, n_rows).result()
                database = folder / "memtax.duckdb"
                command = [sys.executable, "-m", "memtax", "ingest", "hub", repository, "--from", str(folder)]
                run = watched(command, database, arguments.limit)
                if f"landed {n_rows:,} rows" not in run.output:
                    mistakes.append(f"{repository} landed other than {n_rows:,} rows: {run.output}")
                peaks.append(run.peak_mib)
                keys = n_rows * KEY_BYTES / 2**20
                figures = {"rows": n_rows, "file MiB": size / 2**20, "keys MiB": keys, "seconds": run.seconds}
                lines.append({"split": repository, **figures, "peak MiB": run.peak_mib, "spilled MiB": run.spilled_mib})
                shutil.rmtree(folder)
            allowed = 1.1 * peaks[0] + 2 * (sizes[1] - sizes[0]) * KEY_BYTES / 2**20
            # At the quick size the limit itself is not reached by the smaller split.
            if not arguments.quick and peaks[1] > allowed:
                mistakes.append(
                    f"{repository}: {peaks[1]:,.0f} MiB at {sizes[1]:,} rows, expected {allowed:,.0f} at most"
                )
    print_table(f"landing under a limit of {arguments.limit}", lines)
    write_json(arguments.json, {"machine": machine(2), "limit": arguments.limit, "landed": lines, "mistakes": mistakes})
    for mistake in mistakes:
        print(f"WRONG: {mistake}", file=sys.stderr)
    return 1 if mistakes else 0


def make_split(folder: Path, repository: str, split: str, n_rows: int) -> int:
    """The one file of a split, whose last rows repeat the first ones; returns its size in bytes."""
    folder.mkdir()
    path = folder / f"{split}-00000-of-00001.parquet"
    if repository == WINDOWS[0]:
        scores = ", ".join(f'(hash(i, {k}) % 33) / 32 as "{size}"' for k, size in enumerate(SIZES))
        columns = f'{ID} as "Index", [(hash(i, k) % 50_277)::bigint for k in range(64)] as "Tokens", {scores}'
    else:
        columns = f"{ID} as sequence_id, (hash(i, 1) % 1_000)::bigint as counts"
    with duckdb.connect() as connection:
        # In this order, and without being held: rows go from the range to the file.
        connection.execute(
            f"copy (select {columns} from (select i from range({n_rows}) as t(i) union all from range({PADDED}) as t(i))) "
            f"to '{path}' (format parquet)"
        )
    return path.stat().st_size


if __name__ == "__main__":
    raise SystemExit(main())
