"""Running dbt on Spark: in the process of the session, which is where dbt's adapter looks for one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from memtax import store
from memtax.errors import MemtaxError, MissingExtraError
from memtax.project import project_folder
from memtax.spark.folders import SparkFolders, spark_folders
from memtax.spark.landing import land
from memtax.spark.session import spark_session
from memtax.spark.warehouse import only_build, sweep

# Training is for where the rows fit: its models are Python, and read `features` in the DuckDB store.
NOT_ON_SPARK = "path:models/marts/taxonomy+"
# Options of dbt by which it builds less than everything: fewer models, or no rows of them.
PARTIAL = (
    *("-s", "--select", "-m", "--models", "--exclude", "--selector", "--resource-type", "--exclude-resource-type"),
    *("--empty", "--sample"),
)


def build(
    arguments: Sequence[str], settings: Mapping[str, str] | None = None, say: Callable[[str], object] = print
) -> SparkFolders:
    """Land what is new, and run the models.

    Args:
        arguments: more for `dbt run`, such as `--select features`.
        settings: of Spark.
        say: takes a line of progress.

    Returns:
        where the tables are.

    Raises:
        MissingExtraError: the packages of Spark are not installed.
        StoreError, StoreLockedError: see `memtax.store.connect`.
        MemtaxError: Spark does not start, or dbt failed; what it said is on stdout.
    """
    folders = spark_folders()
    store.connect().close()  # says what is wrong with it before anything starts
    with only_build(folders), spark_session(folders, settings) as session:
        sweep(session, folders)
        with store.reading() as connection:
            for name in land(session, connection, folders):
                say(f"landed {name}")
        with unfinished_until_done(arguments, folders):
            run_dbt(arguments, folders)
    return folders


@contextmanager
def unfinished_until_done(arguments: Sequence[str], folders: SparkFolders) -> Iterator[None]:
    """Mark the tables as of different builds until builds have made all that those before them left undone.

    Those are each of them again, or one of everything: one of a few models beside them leaves the mark.
    """
    asked, before = list(arguments), read_unfinished(folders)
    left = [other for other in before if other != asked]
    folders.unfinished.write_text(json.dumps([*left, asked]), encoding="utf-8")
    yield
    if left and any(argument.startswith(PARTIAL) for argument in arguments):
        folders.unfinished.write_text(json.dumps(left), encoding="utf-8")
    else:
        folders.unfinished.unlink()


def read_unfinished(folders: SparkFolders) -> list[list[str]]:
    """The arguments of each build that did not end, and that none made good since."""
    if not folders.unfinished.exists():
        return []
    try:
        found = json.loads(folders.unfinished.read_text(encoding="utf-8"))
    except ValueError:  # cut off by a kill
        return [[]]
    # The arguments of one build alone are what was written there before it could be several.
    return found if found and isinstance(found[0], list) else [found]


def dbt_command(arguments: Sequence[str], folders: SparkFolders) -> list[str]:
    """`dbt run` on Spark with more arguments; what these exclude is excluded beside what cannot run there."""
    project = str(project_folder())
    return [
        *("run", *arguments, "--exclude", NOT_ON_SPARK),
        *("--target", "spark", "--project-dir", project, "--profiles-dir", project),
        *("--target-path", str(folders.target), "--log-path", str(folders.target / "logs")),
    ]


def run_dbt(arguments: Sequence[str], folders: SparkFolders) -> None:
    """Run dbt in this process, on the session that is there.

    Raises:
        MissingExtraError: dbt's adapter for Spark is not installed.
        MemtaxError: it failed.
    """
    try:
        import dbt.adapters.spark  # noqa: F401
        from dbt.cli.main import dbtRunner
    except ModuleNotFoundError as error:
        raise MissingExtraError("memtax spark", "spark") from error
    result = dbtRunner().invoke(dbt_command(arguments, folders))
    if result.exception is not None:
        raise MemtaxError(f"dbt could not run on Spark: {result.exception}")
    if not result.success:
        raise MemtaxError(f"dbt run failed on Spark; its log is {folders.target / 'logs' / 'dbt.log'}")
