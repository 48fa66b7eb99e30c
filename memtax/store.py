"""Opening the warehouse: one writer at a time, readers briefly, and errors that say who is in the way."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import duckdb

from memtax.errors import StoreError, StoreLockedError
from memtax.memory import limit_memory
from memtax.project import database_path

# dbt and the other commands hold the database for moments only; waiting this long rides over them.
LOCK_PATIENCE_SECONDS = 2.0
# A store of an earlier memtax has a row for each score, where there is a view now.
RENAME_SCORES = "; alter table raw.published_scores rename to scores_by_row"
MOVE_SCORES = """
    insert into raw.dataset_scores
    select dataset, row_number() over (partition by dataset order by model, revision), model, revision
    from (select distinct dataset, model, revision from raw.scores_by_row);
    update raw.dataset_members set scores = listed.scores
    from (
        select dataset, corpus, sequence_id, token_offset, list(score order by place) as scores
        from (select distinct dataset, corpus, sequence_id, token_offset from raw.scores_by_row)
        inner join raw.dataset_scores using (dataset)
        left join raw.scores_by_row using (dataset, corpus, sequence_id, token_offset, model, revision)
        group by all
    ) as listed
    where dataset_members.dataset = listed.dataset and dataset_members.corpus = listed.corpus
        and dataset_members.sequence_id = listed.sequence_id and dataset_members.token_offset = listed.token_offset;
    drop table raw.scores_by_row;
"""


def connect(*, read_only: bool = True, path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open the store.

    Args:
        read_only: a reader never creates the file; a writer does, with an empty `raw` schema.
        path: the database file; by default `memtax.project.database_path()`.

    Raises:
        StoreError: it is not there (for a reader), or not a DuckDB database that this DuckDB reads.
        StoreLockedError: another process holds it.
    """
    path = path or database_path()
    if read_only and not path.is_file():
        raise StoreError(f"no database at {path}; run memtax ingest corpus first, or set MEMTAX_DATABASE")
    if not path.parent.is_dir():
        raise StoreError(f"{path.parent} is not a folder; create it, or set MEMTAX_DATABASE to another place")
    connection = _open(path, read_only)
    if not read_only:
        schema = files("memtax").joinpath("raw_schema.sql").read_text(encoding="utf-8")
        old_scores = has_table(connection, "raw", "published_scores") and not has_table(
            connection, "raw", "dataset_scores"
        )
        connection.execute("begin transaction" + (RENAME_SCORES if old_scores else ""))
        connection.execute(schema)
        connection.execute((MOVE_SCORES if old_scores else "") + "commit")
    return connection


@contextmanager
def writing(path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A writer's connection inside one transaction: committed at the end, rolled back on any error."""
    connection = connect(read_only=False, path=path)
    try:
        connection.execute("begin transaction")
        yield connection
        connection.execute("commit")
    except BaseException:
        _roll_back(connection)
        raise
    finally:
        connection.close()


@contextmanager
def reading(path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A reader's connection, closed at the end."""
    connection = connect(read_only=True, path=path)
    try:
        yield connection
    finally:
        connection.close()


def require_unlocked(path: Path) -> None:
    """Raise as `connect` does if the database at `path` cannot be opened for writing; make nothing if it is not there."""
    if path.is_file():
        _open(path, read_only=False).close()


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the store holds `schema.table`."""
    found = connection.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [schema, table]
    ).fetchone()
    return found is not None


def require_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str, how: str) -> None:
    """Raise a StoreError that says `how` to make `schema.table`, unless it is there."""
    if not has_table(connection, schema, table):
        raise StoreError(f"the store has no table {schema}.{table} yet; {how}")


def _open(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            connection = duckdb.connect(str(path), read_only=read_only)
            break
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise StoreError(f"{path} cannot be opened: {_first_line(error)}") from error
            if time.monotonic() >= deadline:
                raise StoreLockedError(_who_holds(path, str(error), read_only)) from error
            time.sleep(0.1)
        except duckdb.Error as error:
            raise StoreError(f"{path} cannot be opened as a DuckDB database: {_first_line(error)}") from error
    try:
        limit_memory(connection)
    except StoreError:
        connection.close()
        raise
    return connection


def _who_holds(path: Path, message: str, read_only: bool) -> str:
    holder = re.search(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)", message)
    by = (
        f"{_program(int(holder['pid'])) or holder['program']} (process {holder['pid']})"
        if holder
        else "another process"
    )
    if not read_only:
        # It may only read: a writer needs the store for itself.
        return f"{path} is held open by {by}; wait until that is done, or stop it, and run this again"
    return (
        f"{path} is being written by {by}; wait until that is done, or stop it, and run this again. Where an export of it "
        "was made, memtax query --from FOLDER reads that meanwhile"
    )


def _program(pid: int) -> str | None:
    """What a process runs, as `dbt run`, where the system tells: the program and a command's name, no other argument."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return None
    if Path(words[0]).name.startswith("python"):
        words = words[2:] if words[1:2] == ["-m"] else words[1:]
    # Code that was given with -c, and options, say nothing and may hold what is nobody's business.
    if not words or words[0].startswith("-"):
        return None
    return " ".join([Path(words[0]).name, *(word for word in words[1:2] if re.fullmatch(r"[a-z]\w{1,20}", word))])


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("rollback")
    except duckdb.Error:
        # The error that brought us here may have ended the transaction already.
        return
