"""`dbt build` on a store that needs more memory than DuckDB may take: time, peak memory and spilled bytes against a free run.

The store is made from seeds: a corpus whose sequences are partly copies and partly count up, evaluated windows with published
scores, and a tokenizer of whole words; no language model. It is built twice, without a limit and under MEMTAX_MEMORY_LIMIT,
and every value of every mart is compared. Exits with 1 if a value differs, or if nothing was spilled.

Run: python benchmarks/past_memory.py [--quick] [--limit 2GB] [--tokens N] [--windows N] [--json FILE]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._measure import machine, print_table, write_json  # noqa: E402
from benchmarks._memory_runs import differences, watched  # noqa: E402
from benchmarks._memory_store import dbt_command, make_store  # noqa: E402

# Embeddings take a model of language; the search's sample and the bootstrap are of a size of their own.
VARIABLES = {"threads": 2, "embed_with": "", "chunk_rows": 50_000, "taxonomy_bootstrap_samples": 50}


def main() -> int:
    """Make the store, build it twice, print, and say by the exit status whether both are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small store, under 200MB")
    parser.add_argument("--limit", help="of the limited run (default: 2GB)")
    parser.add_argument("--tokens", type=int, help="of the corpus")
    parser.add_argument("--windows", type=int, help="that are evaluated")
    parser.add_argument(
        "--without-text", action="store_true", help="no tokenizer: text features are NULL and take no time"
    )
    parser.add_argument("--select", nargs="+", default=["*"], help="what dbt builds (default: everything)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    limit = arguments.limit or ("200MB" if arguments.quick else "2GB")
    n_tokens = arguments.tokens or (20_000_000 if arguments.quick else 200_000_000)
    n_windows = arguments.windows or (60_000 if arguments.quick else 1_000_000)
    with tempfile.TemporaryDirectory(prefix="memtax-past-memory-") as name:
        folder = Path(name)
        free = make_store(folder, n_tokens, n_windows, with_text=not arguments.without_text)
        limited = folder / "limited.duckdb"
        shutil.copy(free, limited)
        build = dbt_command(folder / "target", "build", "--select", *arguments.select, **VARIABLES)
        runs = {"none": watched(build, free, None), limit: watched(build, limited, limit)}
        different, values = differences(free, limited)
    rows = [
        {"limit": name, "seconds": run.seconds, "peak_mib": run.peak_mib, "spilled_mib": run.spilled_mib}
        for name, run in runs.items()
    ]
    print_table(f"dbt build of {n_windows:,} windows in a corpus of {n_tokens:,} tokens", rows)
    print(f"{values:,} values of the marts compared; different: {', '.join(different) or 'none'}")
    figures = {"machine": machine(2), "tokens": n_tokens, "windows": n_windows, "runs": rows}
    write_json(arguments.json, figures | {"values": values, "different": different})
    return 1 if different or not runs[limit].spilled_mib else 0


if __name__ == "__main__":
    sys.exit(main())
