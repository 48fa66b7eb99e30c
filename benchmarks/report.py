"""How large `memtax report` is, and how long it takes, on a store of tens of millions of rows.

What the page shows of marts that are aggregated does not grow with rows; it grows with models and checkpoints. So the small
ones are taken from a demo's store (`make demo SIZE=small`), its models under new names until there are as many as a page shows
at once. The marts with a row for each window are made in SQL, from fixed hashes: `features` with what the report reads of
it, `taxonomy_predictions` of the held-out share by four predictors, whose probabilities fill the curves as far as they go, and
attention of 48 layers. The page is the real command's; its counts are held against those of the store.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from _measure import machine, print_table, timed, write_json

from memtax.demo.__main__ import FOLDER
from memtax.project import DATABASE_VARIABLE, DEFAULT_DATABASE, project_folder
from memtax.report.write import MOST_RUNS

ROWS, QUICK_ROWS = 48_000_000, 200_000
MOST_BYTES = 15e6
MEMORY = "4GB"
HELD_OUT = 0.3
LAYERS, ATTENTION_ROWS = 48, 200_000
PREDICTORS = ("baseline", "taxonomy", "tree", "searched")
# A number in 0 … 1 from a row's number and a salt.
SHARE = "((hash(i, {salt}) % 1000003) / 1000002)"

FIGURE = re.compile(r'<figure id="figure-([\w-]+)"(?:(?!</figure>).)*?data-payload>(.*?)</script>', flags=re.DOTALL)


def main() -> int:
    """Measure; the exit status says whether the counts were right and the page small enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows")
    parser.add_argument("--demo", type=Path, help="a demo's store; without one, the small one's, made if need be")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = QUICK_ROWS if arguments.quick else arguments.rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memtax.duckdb"
        demo = arguments.demo or small_demo()
        seconds, runs = timed(lambda: make_store(demo, path, rows))
        print(
            f"made {rows:,} rows of {runs} models and checkpoints in {seconds:.0f} s, {path.stat().st_size / 1e6:,.0f} MB"
        )
        results, right = measure(path, rows)
    print_table(f"{rows:,} rows of features, {runs} models and checkpoints", results)
    write_json(arguments.json, {"machine": machine(os.cpu_count() or 1), "rows": rows, "pages": results})
    return 0 if right else 1


def small_demo() -> Path:
    """The store of `make demo SIZE=small`, which is made where it is not there."""
    path = project_folder() / FOLDER / "small" / DEFAULT_DATABASE
    if not path.is_file():
        environment = os.environ | {DATABASE_VARIABLE: str(path)}
        subprocess.run([sys.executable, "-m", "memtax.demo", "--size", "small"], env=environment, check=True)
    return path


def make_store(demo: Path, path: Path, rows: int) -> int:
    """A store as large as asked, at `path`; returns how many models and checkpoints it has."""
    shutil.copy(demo, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"set memory_limit = '{MEMORY}'; set preserve_insertion_order = false")
        large = ("features", "taxonomy_predictions", "feat_sequence_model__attention", "fct_memorization")
        for name in large:
            connection.execute(f"drop table if exists main.{name}")
        multiply_models(connection)
        connection.execute(
            "create temp table runs as select model, revision, corpus, row_number() over (order by model, revision) - 1 as r "
            "from dim_models"
        )
        runs = connection.execute("select count(*) from runs").fetchone()[0]  # type: ignore[index]
        memorized, score = f"{SHARE.format(salt=1)} < 0.1", SHARE.format(salt=2)
        connection.execute(
            "create table main.features as select 'demo_sample' as dataset, corpus, model, revision, "
            f"cast(i as bigint) as sequence_id, cast(0 as integer) as token_offset, {score} as nl_score, "
            f"case when {score} < 0.5 then 'code' when {score} < 0.64 then 'uncertain' else 'nl' end as code_type, "
            f"{memorized} as memorized from range({rows}) as made (i) inner join runs on i % {runs} = r"
        )
        for number, predictor in enumerate(PREDICTORS):
            # The better the predictor, the further apart the memorized are; squares fill the curves up to their ends.
            probability = (
                f"least(1, {SHARE.format(salt=3 + number)} ** 3 + case when {memorized} then 0.{3 + number} else 0 end)"
            )
            made = (
                f"select model, revision, '{predictor}' as predictor, 'test' as split, true as is_representative, "
                "['recitation', 'reconstruction', 'recollection'][1 + cast(hash(i, 9) % 3 as integer)] as category, "
                f"{memorized} as memorized, {probability} as probability "
                f"from range({int(rows * HELD_OUT)}) as made (i) inner join runs on i % {runs} = r"
            )
            verb = (
                "insert into main.taxonomy_predictions by name"
                if number
                else "create table main.taxonomy_predictions as"
            )
            connection.execute(f"{verb} {made}")
        keys = "corpus, cast(i as bigint) as sequence_id, cast(0 as integer) as token_offset, model, revision"
        source = f"from range({min(rows, ATTENTION_ROWS)}) as made (i) inner join runs on i % {runs} = r"
        connection.execute(f"create table main.fct_memorization as select {keys}, {memorized} as memorized {source}")
        heads = f"[[0.5 + {SHARE.format(salt=10)} / 10 + layer / 200] for layer in range({LAYERS})]"
        connection.execute(
            f"create table main.feat_sequence_model__attention as select {keys}, {heads} as entropy_heads, "
            f"{heads} as gini_heads {source}"
        )
    return int(runs)


def multiply_models(connection: duckdb.DuckDBPyConnection) -> None:
    """Repeat every model under new names until a page leaves some out, in all tables that name models."""
    known = connection.execute("select count(*) from dim_models").fetchone()[0]  # type: ignore[index]
    tables = connection.execute(
        "select table_name from duckdb_columns() where schema_name = 'main' and column_name = 'model' "
        "and table_name in (select table_name from duckdb_tables() where schema_name = 'main')"
    ).fetchall()
    copies = -(-MOST_RUNS // known)
    for (name,) in tables:
        connection.execute(
            f"insert into main.{name} select held.* replace (model || '-' || copy as model) "
            f"from main.{name} as held, range(1, {copies}) as copies (copy)"
        )


def measure(path: Path, rows: int) -> tuple[list[dict[str, object]], bool]:
    """A row for the page, and whether it is right and small enough."""
    page = path.with_name("report.html")
    command = [sys.executable, "-m", "memtax", "report", str(page)]
    environment = os.environ | {DATABASE_VARIABLE: str(path)}
    seconds, _ = timed(lambda: subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL))
    least, _ = timed(lambda: read_once(path))
    figures = {
        name: json.loads(payload) for name, payload in FIGURE.findall(page.read_text(encoding="utf-8")) if payload
    }
    size = page.stat().st_size
    scores = figures["code-scores"]
    counted = sum(row[scores["columns"].index("n_sequences")] for row in scores["rows"])
    right = counted == rows and size <= MOST_BYTES
    embedded = sorted(((len(figure["rows"]), name) for name, figure in figures.items()), reverse=True)
    print(f"the largest of {len(figures)} figures: {', '.join(f'{name}: {n:,} rows' for n, name in embedded[:4])}")
    return [{"seconds": seconds, "reading once": least, "MB": size / 1e6, "MB at most": MOST_BYTES / 1e6}], right


def read_once(path: Path) -> None:
    """Read what the report needs of the large tables, once."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("select count(distinct model), max(nl_score), max(code_type), max(memorized) from features")
        connection.execute(
            "select count(distinct model), max(predictor), max(category), max(memorized), max(probability) "
            "from taxonomy_predictions"
        )


if __name__ == "__main__":
    sys.exit(main())
