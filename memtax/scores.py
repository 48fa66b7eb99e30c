"""Scoring with language models in parts: a shard's database holds only what scoring needs, and its scores merge back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import yaml

from memtax import store
from memtax.errors import MemtaxError, ProjectError, SourceError
from memtax.project import DATABASE_VARIABLE, database_path, project_folder
from memtax.quoting import literal

# What the language models' inputs are made of. The corpus itself, which may be large, stays behind.
TABLES = ("corpora", "evaluated_sequences", "models")
LANGUAGE_MODELS = "+tag:language_model"
# What the store goes by where a shard's file is written: the file's own name is another's already, and is the user's choice.
SOURCE = "memtax_source_store"
# What a shard was prepared for and its store no longer has. A store that gained windows or models has all of it.
STRANGERS = (
    """
    select 'no model ' || model || '@' || revision
    from raw.models anti join {source}.raw.models using (model, revision)
    """,
    """
    select 'other weights of model ' || model || '@' || revision
    from raw.models as here inner join {source}.raw.models as there using (model, revision)
    where here.checksum <> there.checksum
    """,
    # Digests, since the tokens of all windows would not fit where their keys do.
    """
    select 'no window with these tokens at token ' || token_offset || ' of sequence ' || sequence_id || ' of corpus ' || corpus
    from (select corpus, sequence_id, token_offset, hash(tokens) as digest from raw.evaluated_sequences)
    anti join (select corpus, sequence_id, token_offset, hash(tokens) as digest from {source}.raw.evaluated_sequences)
        using (corpus, sequence_id, token_offset, digest)
    """,
)


def prepare_shard(into: Path, source: Path | None = None) -> int:
    """Make (or bring up to date) a database with what there is to score; scores that it holds already stay.

    Args:
        into: its file.
        source: the store; by default `memtax.project.database_path()`.

    Returns:
        how many evaluated sequences there are.

    Raises:
        StoreError, StoreLockedError: see `memtax.store.connect`.
        SourceError: `into` is the store itself, or was prepared for windows or weights that the store does not have, as
            those of another store.
    """
    source = source or database_path()
    if into.resolve() == source.resolve():
        raise SourceError(f"{into} is the store itself; name another file with --into, or leave it out")
    store.connect(path=source).close()  # says what is wrong with it, and who holds it
    with store.writing(into) as connection:
        connection.execute(f"attach {literal(source)} as {SOURCE} (read_only)")
        stranger = _not_in_source(connection)
        if stranger is not None:
            raise SourceError(
                f"{into} was prepared from another store, or {source} has changed since: {source} has {stranger}; set "
                f"{DATABASE_VARIABLE} to the store that it came from, or name another file with --into, as the scores in this "
                "one would be lost"
            )
        for table in TABLES:
            connection.execute(f"delete from raw.{table}")  # noqa: S608 (own names alone)
            connection.execute(f"insert into raw.{table} by name select * from {SOURCE}.raw.{table}")  # noqa: S608
        found = connection.execute("select count(*) from raw.evaluated_sequences").fetchone()
    return found[0] if found else 0


def _not_in_source(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The first thing that a shard was prepared for and the store does not have, in words; None if it has all."""
    for question in STRANGERS:
        found = connection.execute(f"{question.format(source=SOURCE)} order by all limit 1").fetchone()
        if found is not None:
            return str(found[0])
    return None


def score(shard: str | None, database: Path, variables: str | None) -> None:
    """Run the language models over what is not scored yet; progress goes to stdout as dbt says it.

    Args:
        shard: 'I/N', or None for everything.
        database: where.
        variables: more vars, as `dbt --vars` takes them.

    Raises:
        SourceError: the shard or the vars cannot be read.
        MemtaxError: dbt failed; what it said is on stdout.
    """
    given = parse_variables(variables)
    if shard is not None:
        given["score_shard"] = check_shard(shard)
    # A shard's database has no datasets, and nothing here trains on them: what a project asks of them is not asked here.
    run_dbt(
        ["run", "--select", LANGUAGE_MODELS],
        database,
        given | {"taxonomy_datasets": [], "taxonomy_memorized_datasets": []},
    )


def merge_scores(databases: Sequence[Path], variables: str | None) -> None:
    """Take over the scores of other databases that the store wants and does not have.

    A row is wanted where its window, model, weights and vars (its fingerprint) are those of the store.

    Args:
        databases: files that `score` wrote.
        variables: the vars that they were scored with, as `dbt --vars` takes them.

    Raises:
        SourceError: one of them is the store itself, or is not there.
        StoreError, StoreLockedError: one of them is no database, or is being written.
        MemtaxError: dbt failed; what it said is on stdout.
    """
    given = parse_variables(variables)
    for path in databases:
        if path.resolve() == database_path().resolve():
            raise SourceError(f"{path} is the store itself; name the files that memtax score --into wrote")
        if not path.is_file():
            raise SourceError(f"there is no file {path.absolute()}; name the files that memtax score --into wrote")
        with store.reading(path) as connection:
            store.require_table(
                connection, "intermediate", "int_sequence_model__scores", f"run memtax score --into {path} first"
            )
    # Makes the tables that rows are merged into, and says what is wanted; scores nothing.
    given["score_shard"] = "none"
    run_dbt(["--quiet", "run", "--select", LANGUAGE_MODELS], database_path(), given)
    arguments = json.dumps({"databases": [str(path.resolve()) for path in databases]})
    run_dbt(["run-operation", "merge_scores", "--args", arguments], database_path(), given)


def check_shard(shard: str) -> str:
    """`shard`, if it reads as I/N with 1 ≤ I ≤ N.

    Raises:
        SourceError: it does not.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", shard)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise SourceError(f"{shard!r} is no shard; expected I/N, the I-th of N, such as 1/4")
    return shard


def parse_variables(text: str | None) -> dict[str, object]:
    """Vars as `dbt --vars` takes them: a YAML or JSON mapping.

    Raises:
        SourceError: it is none, or holds what dbt cannot be handed, such as a date.
    """
    try:
        found = yaml.safe_load(text) if text else {}
    # A date that no calendar has is a bare ValueError.
    except (yaml.YAMLError, ValueError) as error:
        raise SourceError(f"--vars {text!r} is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise SourceError(f"--vars {text!r} is no mapping; expected vars such as '{{attention: true}}'")
    try:
        json.dumps(found)
    except (TypeError, ValueError) as error:
        raise SourceError(
            f"--vars {text!r} holds what is neither a text, a number nor true or false ({error}); put texts that read as "
            "dates in quotes"
        ) from error
    return found


def run_dbt(arguments: Sequence[str], database: Path, variables: dict[str, object]) -> None:
    """Run dbt on a database in a process of its own, its output shown as it comes.

    Raises:
        ProjectError: dbt is not installed beside this Python.
        MemtaxError: it failed.
    """
    dbt = Path(sys.executable).with_name("dbt")
    if not dbt.exists():
        raise ProjectError(f"no dbt beside {sys.executable}; install memtax's dependencies into this environment")
    command = [str(dbt), "--no-use-colors", *arguments, "--vars", json.dumps(variables)]
    if database.resolve() != database_path().resolve():
        # Two shards on one machine must not parse into one folder at the same time.
        command += ["--target-path", f"{database.resolve()}.target", "--log-path", f"{database.resolve()}.target"]
    environment = os.environ | {DATABASE_VARIABLE: str(database.resolve())}
    status = subprocess.run(command, cwd=project_folder(), env=environment).returncode
    if status:
        raise MemtaxError(
            f"dbt failed with status {status}: mend what it names above and run the same command again; what was scored so "
            "far is kept"
        )
