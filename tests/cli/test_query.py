"""`memtax query`: every format, the UDFs, local files, and no way to write."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import PROJECT, Commands

COUNT = "select count(*) as n, sum(cast(memorized as integer)) as memorized from fct_memorization"


def test_a_table_is_printed(demo: Commands) -> None:
    result = demo.memtax("query", "select 'recitation' as category, 42 as n")
    assert "recitation" in result.stdout
    assert "42" in result.stdout
    assert result.stderr == ""


def test_csv_json_and_parquet_hold_the_same(demo: Commands, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(demo.memtax("query", COUNT, "--format", "csv").stdout)))
    objects = json.loads(demo.memtax("query", COUNT, "--format", "json").stdout)
    assert [{name: str(value) for name, value in row.items()} for row in objects] == rows
    path = tmp_path / "result.parquet"
    with path.open("wb") as file:
        command = [sys.executable, "-m", "memtax", "query", COUNT, "--format", "parquet"]
        subprocess.run(command, cwd=PROJECT, env=demo.environment, stdout=file, check=True)
    assert pq.read_table(path).to_pylist()[0]["n"] == objects[0]["n"]


def test_json_has_null_for_what_is_no_finite_number(demo: Commands) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    sql = (
        "select 'nan'::double as x, $y::float as \"a \"\"b\", [[1.5, 'inf'::double], null] as lists, 2.5::double as kept, "
        "[1, 2] as whole -- and a comment"
    )
    text = demo.memtax("query", sql, "--param", "y=-inf", "--format", "json").stdout
    expected = {"x": None, 'a "b': None, "lists": [[1.5, None], None], "kept": 2.5, "whole": [1, 2]}
    assert json.loads(text, parse_constant=refuse) == [expected]


def test_udfs_and_local_files_can_be_used(demo: Commands, tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text('text\n"1. 2. 3. 4. 5. 6. 7. 8. 9."\n', encoding="utf-8")
    sql = f"select templating(text).is_incrementing as counts, huffman_code_length(text) > 1 as long from '{path}'"
    assert json.loads(demo.memtax("query", sql, "--format", "json").stdout) == [{"counts": True, "long": True}]


@pytest.mark.parametrize(
    "sql",
    [
        "create table main.mine as select 1",
        "delete from main.features",
        "copy (select 1) to '{folder}/stolen.csv'",
        "attach '{folder}/other.duckdb'",
        "install httpfs",
        "select 1; drop table main.features",
        "explain analyze copy (select 1) to '{folder}/stolen.csv'",
        "select scratch_folder('{folder}/x')",
        "explain (analyze /* ) select 1 -- */) copy (select 1) to '{folder}/stolen.csv'",
        "from enable_logging('QueryLog', storage='file', storage_path='{folder}/log')",
        "select (select count(*) from system.main.enable_profiling(format='json', save_location='{folder}/profile'))",
        "from query('from enable_' || 'profiling(format=''json'', save_location=''{folder}/profile'')')",
        "explain analyze from enable_logging()",
        "from json_execute_serialized_sql(json_serialize_sql('from enable_logging()'))",
        "with hidden as materialized (from checkpoint()) select 1 from hidden",
        "export database '{folder}/all'",
        "pragma enable_profiling='json'",
        "explain analyze /* select */ copy (select 1) to '{folder}/stolen.csv'",
    ],
)
def test_nothing_can_be_written(demo: Commands, tmp_path: Path, sql: str) -> None:
    result = demo.memtax("query", sql.format(folder=tmp_path), check=False)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "sql", ["select 1 as n -- one", "select 1 as n; -- done", "select 1 as n;", "describe features"]
)
def test_comments_and_descriptions_come_through_every_format(demo: Commands, sql: str) -> None:
    for name in ("table", "csv", "json"):
        assert demo.memtax("query", sql, "--format", name).stdout


def test_a_mistake_is_named_without_a_traceback(demo: Commands) -> None:
    result = demo.memtax("query", "select no_such_column from features", check=False)
    assert result.returncode == 1
    assert "no_such_column" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_database_it_says_what_to_do(commands: Commands) -> None:
    result = commands.memtax("query", "select 1", check=False)
    assert result.returncode == 1
    assert "run memtax ingest corpus first" in result.stderr


def test_sql_comes_from_a_file_or_stdin_with_parameters(demo: Commands, tmp_path: Path) -> None:
    path = tmp_path / "question.sql"
    path.write_text("select $text as text, $n + 1 as n, list_sum($list) as total -- as asked\n", encoding="utf-8")
    options = ["--param", "text=O'Brien; -- é", "--param", "n=41", "--param", "list=[1, 2]", "--format", "json"]
    result = demo.memtax("query", "--file", path, *options)
    assert json.loads(result.stdout) == [{"text": "O'Brien; -- é", "n": 42, "total": 3}]
    command = [sys.executable, "-m", "memtax", "query", "--format", "csv"]
    piped = subprocess.run(
        command, cwd=PROJECT, env=demo.environment, input="select 7 as n", capture_output=True, text=True, check=True
    )
    assert piped.stdout.split() == ["n", "7"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["select $n"], "add --param n=VALUE"),
        (["select 1", "--param", "n=1"], "names no $n"),
        (["select 1", "--param", "n"], "is not NAME=VALUE"),
        (["select 1", "--param", "n=1", "--param", "n=2"], "given twice"),
    ],
)
def test_parameters_have_to_fit(demo: Commands, arguments: list[str], expected: str) -> None:
    result = demo.memtax("query", *arguments, check=False)
    assert result.returncode == 1
    assert expected in result.stderr


def test_limit_holds_in_every_format(demo: Commands) -> None:
    for sql in ("from features -- all", "describe features"):
        rows = json.loads(demo.memtax("query", sql, "--limit", 3, "--format", "json").stdout)
        assert len(rows) == 3


def test_an_explain_is_shown_as_its_plan_and_has_no_rows(demo: Commands) -> None:
    plan = demo.memtax("query", "explain select model from features where memorized", "--limit", 1).stdout
    assert "SEQ_SCAN" in plan or "TABLE_SCAN" in plan
    run = demo.memtax(
        "query", "explain analyze select count(*) from features where model = $m", "--param", "m=x"
    ).stdout
    assert "Query Profiling Information" in run
    for name in ("csv", "json", "parquet"):
        result = demo.memtax("query", "explain select 1", "--format", name, check=False)
        assert (result.returncode, result.stdout) == (1, "")
        assert f"an EXPLAIN has a text and no rows; leave --format {name} out" in result.stderr


def test_a_pivot_runs_where_it_lists_its_values_and_says_so_where_not(demo: Commands) -> None:
    pivot = "pivot (select model, category from features) on category {values}using count(*) order by model"
    listed = pivot.format(values="in ('recitation', 'recollection') ")
    rows = json.loads(demo.memtax("query", listed, "--format", "json", "--limit", 1).stdout)
    assert [list(row) for row in rows] == [["model", "recitation", "recollection"]]
    assert "recollection" in demo.memtax("query", listed).stdout
    result = demo.memtax("query", pivot.format(values=""), check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert "a PIVOT has to list its values" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_store_that_is_written_is_named_with_its_writer_and_an_export_answers(
    demo: Commands, make_commands: Callable[[Path], Commands], tmp_path: Path
) -> None:
    commands = make_commands(tmp_path / "memtax.duckdb")
    shutil.copy(demo.database, commands.database)
    folder = tmp_path / "out"
    commands.memtax("export", folder, "--tables", "features")
    count = "select count(*) as n from features"
    expected = commands.memtax("query", count, "--format", "csv").stdout
    writer = tmp_path / "writer.py"
    writer.write_text(
        "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, str(writer), str(commands.database)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        locked = commands.memtax("query", count, check=False)
        assert locked.returncode == 1
        assert f"written by writer.py (process {process.pid})" in locked.stderr
        assert commands.memtax("query", count, "--from", folder, "--format", "csv").stdout == expected
    finally:
        process.communicate("")


def test_while_dbt_runs_a_query_names_it_and_once_it_is_stopped_answers(
    demo: Commands, make_commands: Callable[[Path], Commands], tmp_path: Path
) -> None:
    commands = make_commands(tmp_path / "memtax.duckdb")
    shutil.copy(demo.database, commands.database)
    count = ("query", "select count(*) as n from features", "--format", "csv")
    dbt, *arguments = commands.dbt_command("--full-refresh")
    with subprocess.Popen(
        [dbt, "run", *arguments],
        cwd=PROJECT,
        env=commands.dbt_environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert any(" START " in line for line in process.stdout)
            asked = commands.memtax(*count, check=False)
            assert process.poll() is None
        finally:
            process.kill()
    assert (asked.returncode, asked.stdout) == (1, "")
    assert (
        f"{commands.database} is being written by dbt run (process {process.pid}); wait until that is done"
        in asked.stderr
    )
    assert "memtax query --from FOLDER reads that meanwhile" in asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 1
    # Killed between two models, the store is whole: each table is the old one or the new one.
    assert commands.memtax(*count).stdout == demo.memtax(*count).stdout
