"""How long `memtax explore` takes for a page of a store of millions of evaluated sequences.

A store is made in SQL: `features` with all its columns and `feat_sequence__text`, random, of one model. The real command
serves it, and each page is fetched twice, the first time with nothing prepared but what earlier pages left. Beside each
stands the statement that one would write first (join, filter, sort, limit, and a count of the same), and the least that any
way has to read: the column that is filtered, sorted or searched. Counts are held against DuckDB's own.

The overview has a line for each dataset and checkpoint: a second, small store has as many as a suite of models.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from _measure import machine, print_table, timed, write_json

from memtax import store
from memtax.export.descriptions import described_marts
from memtax.project import project_folder

ROWS, QUICK_ROWS = 5_000_000, 200_000
MEMORY = "3GB"
TARGET_SECONDS = 3.0
DATASETS, SIZES, CHECKPOINTS = 2, 8, 154
WORDS = [
    "the",
    "of",
    "licence",
    "copyright",
    "return",
    "self",
    "def",
    "int",
    "value",
    "and",
    "to",
    "permission",
    "software",
]
WORDS += ["model", "token", "data", "query", "in", "begin", "verse"]
PHRASES = 4096
# What differs from a random number, by column.
SPECIAL = {
    "dataset": "'made'",
    "corpus": "'made'",
    "origin": "'computed'",
    "source_row": "cast(null as bigint)",
    "sequence_id": "cast(i as bigint)",
    "token_offset": "cast(0 as integer)",
    "model": "'pythia-12b'",
    "revision": "'main'",
    "code_type": "case when hash(i, 3) % 3 = 0 then 'code' else 'nl' end",
    "memorized": "hash(i, 4) % 10 = 0",
    "category": "['recitation', 'reconstruction', 'recollection'][1 + cast(hash(i, 5) % 3 as integer)]",
    "sequence_duplicates": "cast(floor(exp((hash(i, 6) % 1000) / 100.0)) as bigint)",
}
RANDOM = {
    "bigint": "cast(hash(i, {n}) % 1000000 as bigint)",
    "integer": "cast(hash(i, {n}) % 64 as integer)",
    "double": "(hash(i, {n}) % 1000000) / 1000.0",
    "boolean": "hash(i, {n}) % 2 = 0",
    "varchar": "'x'",
}
JOINED = "main.features inner join main.feat_sequence__text using (corpus, sequence_id, token_offset)"
# Page -> (address, the condition on it, the order, the column that has to be read).
PAGES = {
    "overview": ("/", None, None, "category"),
    "list": ("/sequences", "true", "sequence_id", "sequence_id"),
    "list of one model": (
        "/sequences?model={model}%40{revision}&memorized=yes",
        "model = '{model}' and revision = '{revision}' and memorized",
        "sequence_id",
        "memorized",
    ),
    "filter": (
        "/sequences?column=sequence_duplicates&op=ge&value=1000",
        "sequence_duplicates >= 1000",
        "sequence_id",
        "sequence_duplicates",
    ),
    "sort": (
        "/sequences?sort=generation_perplexity&desc=1",
        "true",
        "generation_perplexity desc nulls last, sequence_id",
        "generation_perplexity",
    ),
    "filter and sort": (
        "/sequences?category=recitation&column=nl_score&op=lt&value=300&sort=loss",
        "category = 'recitation' and nl_score < 300",
        "loss nulls last, sequence_id",
        "loss",
    ),
    "search, as written": (
        "/sequences?q=licence+copyright+return&case=1",
        "contains(text, 'licence copyright return')",
        "sequence_id",
        "text",
    ),
    "search, any case": (
        "/sequences?q=Licence+Copyright+Return",
        "contains(lower(text), 'licence copyright return')",
        "sequence_id",
        "text",
    ),
    "search and sort": (
        "/sequences?q=licence+copyright+return&case=1&sort=loss",
        "contains(text, 'licence copyright return')",
        "loss nulls last, sequence_id",
        "text",
    ),
}


def main() -> int:
    """Measure; the exit status says whether every count was right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows")
    parser.add_argument("--store", type=Path, help="keep the store here, or take the one that is there")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = QUICK_ROWS if arguments.quick else arguments.rows
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.store or Path(folder) / "memtax.duckdb"
        seconds = 0.0
        if not path.is_file():
            seconds, _ = timed(lambda: make_store(path, rows))
            print(f"made {rows:,} rows in {seconds:.0f} s, {path.stat().st_size / 1e6:,.0f} MB")
        rows = int(str(ask(path, "select count(*) from main.features")[0][0]))
        results, right = measure(path)
        runs = Path(folder) / "runs.duckdb"
        make_runs(runs)
        row, all_there = measure_runs(runs)
        results.append(row)
        right &= all_there
    print_table(f"{rows:,} rows of features: seconds for a page", results)
    slow = [str(row["page"]) for row in results if float(str(row["first"])) > TARGET_SECONDS]
    print(f"\nover {TARGET_SECONDS:.0f} s: {', '.join(slow) or 'none'}")
    write_json(arguments.json, {"machine": machine(os.cpu_count() or 1), "rows": rows, "pages": results})
    return 0 if right else 1


def make_store(path: Path, rows: int) -> None:
    """A store with the two tables that lists are made of, and nothing else."""
    columns = described_types()
    values = [
        f"{SPECIAL.get(name) or RANDOM[type_].format(n=number)} as {name}"
        for number, (name, type_) in enumerate(columns.items())
    ]
    with store.writing(path):
        pass
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"set memory_limit = '{MEMORY}'; set preserve_insertion_order = false")
        connection.execute(f"create table main.features as select {', '.join(values)} from range({rows}) as made (i)")
        connection.execute(
            "create temp table phrases as select list(phrase order by i) as phrases from ("
            "select i, string_agg(?[1 + cast(hash(i * 7919 + j) % ? as integer)], ' ') as phrase "
            f"from range({PHRASES}) as a (i), range(6) as b (j) group by i)",
            [WORDS, len(WORDS)],
        )
        pick = ", ".join(f"phrases[1 + cast(hash(i * 8 + {k}) % {PHRASES} as integer)]" for k in range(8))
        connection.execute(
            "create table main.feat_sequence__text as select 'made' as corpus, cast(i as bigint) as sequence_id, "
            "cast(0 as integer) as token_offset, prompt_text || ' ' || continuation_text as text, prompt_text, "
            "continuation_text from (select i, array_to_string(parts[1:4], ' ') as prompt_text, "
            f"array_to_string(parts[5:8], ' ') as continuation_text from (select i, [{pick}] as parts "
            f"from range({rows}) as made (i), phrases))"
        )


def make_runs(path: Path) -> None:
    """A store of many checkpoints, each with a few rows of every category, memorized and not."""
    special = SPECIAL | {
        "dataset": "'made ' || dataset",
        "model": "'model ' || size",
        "revision": "'step' || step",
        "category": "['recitation', 'reconstruction', 'recollection'][1 + i % 3]",
        "memorized": "i % 2 = 0",
    }
    values = [
        f"{special.get(name) or RANDOM[type_].format(n=number)} as {name}"
        for number, (name, type_) in enumerate(described_types().items())
    ]
    with store.writing(path):
        pass
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create table main.features as select {', '.join(values)} from range(12) as made (i), "
            f"range({DATASETS}) as a (dataset), range({SIZES}) as b (size), range({CHECKPOINTS}) as c (step)"
        )


def measure_runs(path: Path) -> tuple[dict[str, object], bool]:
    """A row for the overview of many checkpoints, and whether it has a line for each."""
    with served(path) as address:
        first, body = timed(lambda: fetch(address))
        again, _ = timed(lambda: fetch(address))
    least, _ = timed(lambda: ask(path, least_sql("category")))
    lines = DATASETS * SIZES * CHECKPOINTS
    row: dict[str, object] = {"page": f"overview, {lines:,} lines", "first": first, "again": again, "naive": ""}
    return row | {"least": least, "naive / first": ""}, body.count("<meter") == lines


def described_types() -> dict[str, str]:
    """The columns of `features` with their types, as the project declares them."""
    import yaml

    assert "features" in described_marts(project_folder())
    for path in sorted((project_folder() / "models" / "marts").rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models") or []:
            if model["name"] == "features":
                return {column["name"]: column["data_type"] for column in model["columns"]}
    raise SystemExit("no YAML describes features")


def measure(path: Path) -> tuple[list[dict[str, object]], bool]:
    """A row for each page, and whether all counts were right."""
    results, right = [], True
    model, revision = ask(path, "select model, revision from main.features limit 1")[0]
    with served(path) as address:
        for name, (page, condition, order, column) in PAGES.items():
            page = page.format(model=model, revision=revision)
            condition = condition and condition.format(model=model, revision=revision)
            # One after the other, so that all have the same page cache and none the other's memory.
            first, body = timed(lambda page=page: fetch(address + page[1:]))
            again, _ = timed(lambda page=page: fetch(address + page[1:]))
            least, _ = timed(lambda column=column: ask(path, least_sql(column)))
            row: dict[str, object] = {"page": name, "first": first, "again": again, "naive": "", "least": least}
            if condition is not None:
                seconds, counted = timed(lambda c=condition, o=order: naive(path, c, o))
                row |= {"naive": seconds, "naive / first": seconds / first}
                right &= f"<strong>{counted:,}</strong>" in html.unescape(body)
            else:
                row |= {"naive / first": ""}
            results.append(row)
    return results, right


def least_sql(column: str) -> str:
    """A statement that reads one column whole."""
    table = "feat_sequence__text" if column == "text" else "features"
    return (
        f"select max(length(cast({column} as varchar))) from main.{table}"
        if column == "text"
        else (f"select max({column}) from main.{table}")
    )


def naive(path: Path, condition: str, order: str | None) -> int:
    """The page as one statement and its count as another; returns the count."""
    ask(path, f"select * from {JOINED} where {condition} order by {order} limit 50")
    return int(str(ask(path, f"select count(*) from {JOINED} where {condition}")[0][0]))


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    """What a statement gives, on a connection of its own as the explorer has one."""
    with store.reading(path) as connection:
        return connection.execute(sql).fetchall()


def fetch(address: str) -> str:
    """A page."""
    with urllib.request.urlopen(address) as answer:
        return str(answer.read(), "utf-8")


@contextmanager
def served(path: Path) -> Iterator[str]:
    """The address where the real command shows a store."""
    command = [sys.executable, "-m", "memtax", "explore", "--no-browser", "--port", "0"]
    environment = os.environ | {"MEMTAX_DATABASE": str(path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+/", line)
        if found is None:
            raise SystemExit(line + process.stderr.read())
        time.sleep(0.2)
        yield found[0]
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    sys.exit(main())
