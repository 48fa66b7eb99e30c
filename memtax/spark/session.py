"""A Spark session with memtax's functions, local by default and on a cluster where the configuration says so."""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from memtax.errors import MemtaxError, MissingExtraError, ProjectError
from memtax.models.verify import model_fault, tokenizer_fault
from memtax.spark.folders import CATALOGUE, SparkFolders
from memtax.spark.tokens import read_tokens

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCRATCH_VARIABLE = "MEMTAX_SPARK_SCRATCH"
TASKS_VARIABLE = "MEMTAX_SPARK_TASKS"
# Tasks to a core: enough that one slow task does not keep the others waiting.
TASKS_PER_CORE = 2
# Spark's setting of how many rows a UDF is given at once.
RECORDS_PER_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"
BATCH_BYTES = 16 << 20
INSTALL_JAVA = "install Java 17 or later (on Debian: apt install default-jre-headless)"


def default_configuration(folders: SparkFolders) -> dict[str, str]:
    """What a session has unless it is told otherwise: this machine's cores, and a catalogue beside the database."""
    root = folders.root
    return {
        "spark.app.name": "memtax",
        "spark.master": "local[*]",
        "spark.driver.memory": "2g",
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
        # A batch of rows is what a UDF holds at once: with 2,048 sequences of 2,049 tokens, 8 MB. Longer ones are fewer.
        RECORDS_PER_BATCH: "2048",
        "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
        "spark.sql.session.timeZone": "UTC",
        # The catalogue of tables: Spark's own, in a folder. A cluster that has a metastore names it instead.
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": str(folders.warehouse),
        CATALOGUE: f"jdbc:derby:;databaseName={folders.metastore};create=true",
        # Its filter of partitions can fail on a busy machine; a corpus has few shards, whose list is as good.
        "spark.sql.hive.metastorePartitionPruningFallbackOnException": "true",
        # Quoted: Spark takes this apart at spaces.
        "spark.driver.extraJavaOptions": f'-Dderby.stream.error.file="{root / "derby.log"}"',
        # An executor's cores are its tasks'; native code that took them all would only get in their way.
        "spark.executorEnv.MEMTAX_THREADS": "1",
        "spark.executorEnv.OMP_NUM_THREADS": "1",
        "spark.executorEnv.TOKENIZERS_PARALLELISM": "false",
    }


def parse_configuration(settings: Iterable[str]) -> dict[str, str]:
    """KEY=VALUE settings as a mapping.

    Raises:
        ProjectError: one has another form.
    """
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.startswith("spark."):
            raise ProjectError(f"--conf {setting!r} is no setting of Spark; expected spark.KEY=VALUE")
        found[key] = value
    return found


def read_defaults() -> dict[str, str]:
    """The settings of `spark-defaults.conf` in the folder that SPARK_CONF_DIR names, or of SPARK_HOME, if there is one."""
    home = os.environ.get("SPARK_HOME")
    folder = os.environ.get("SPARK_CONF_DIR") or (home and f"{home}/conf")
    path = Path(folder or ".") / "spark-defaults.conf"
    if not folder or not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        # As Java reads properties: white space parts a key from its value, or an equals sign or a colon does.
        setting = re.match(r"(spark\.[^\s=:]+)(?:\s*[=:]\s*|\s+)(.*)", line.strip())
        if setting:
            found[setting[1]] = setting[2]
    return found


@contextmanager
def spark_session(folders: SparkFolders, settings: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """A session with the UDFs registered; stopped at the end, when the scratch folder goes, too.

    Args:
        folders: where it keeps what it writes.
        settings: beyond `spark-defaults.conf`, which is beyond `default_configuration`.

    Raises:
        MissingExtraError: PySpark is not installed.
        MemtaxError: there is no Java, Spark does not start, its Java process ends, or it fails in what is done with the session.
    """
    require_java()
    # Of what is said there nothing is used: Arrow goes from Spark to the UDFs, and back.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    logging.getLogger().addFilter(no_trace_of_java)
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise MissingExtraError("memtax spark", "spark") from error
    from udf.engine_spark import register

    chosen = default_configuration(folders) | read_defaults() | dict(settings or {})
    folders.root.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if chosen["spark.master"].startswith("local"):
        # All processes are on this machine: none has to find its name in a network, or to be reached from there.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder
    for key, value in chosen.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        raise MemtaxError(
            f"Spark did not start with master {chosen['spark.master']}: {java_reason(error)}. What Java says of it is above. A "
            "master is local[N], spark://HOST:PORT or k8s://https://HOST:PORT, must run, and must be reached from here; "
            "memtax spark build --master names another, and --conf sets what else Spark needs"
        ) from error
    try:
        cores = session.sparkContext.defaultParallelism
        if "spark.sql.shuffle.partitions" not in chosen:
            session.conf.set("spark.sql.shuffle.partitions", str(TASKS_PER_CORE * cores))
        shutil.rmtree(folders.scratch, ignore_errors=True)
        folders.scratch.mkdir()
        os.environ[SCRATCH_VARIABLE] = str(folders.scratch)
        os.environ[TASKS_VARIABLE] = str(TASKS_PER_CORE * cores)
        register(session, read_tokens=read_tokens)
        for name, fault in (("model_fault", model_fault), ("tokenizer_fault", tokenizer_fault)):
            session.udf.register(name, fault, "string")
        yield session
    except Exception as error:
        # Whatever was at work then failed of it, dbt among others, and knows no reason.
        if java_ended(session):
            memory = chosen["spark.driver.memory"]
            raise MemtaxError(
                "Spark's Java process ended: it ran out of memory, or was killed. Give it more than its "
                f"spark.driver.memory={memory}, such as by memtax spark build --conf spark.driver.memory=8g, or fewer tasks at a "
                "time by --master local[1], and build again: what was landed and built before stays"
            ) from error
        if not isinstance(error, PySparkException | Py4JError):
            raise
        raise MemtaxError(
            f"Spark failed: {java_reason(error)}. The folder {folders.root} and the catalogue that the configuration names must "
            "be there and open to be written; what was landed and built before stays"
        ) from error
    finally:
        if not java_ended(session):
            session.stop()
        shutil.rmtree(folders.scratch, ignore_errors=True)


def java_ended(session: SparkSession) -> bool:
    """Whether the Java process of a session is no more."""
    from py4j.protocol import Py4JError

    try:
        session.sparkContext._jvm.System.currentTimeMillis()
    except (OSError, Py4JError):
        return True
    return False


def no_trace_of_java(record: logging.LogRecord) -> bool:
    """Whether a record may be logged: not the trace of a call of py4j's that finds no Java, which a MemtaxError is made of."""
    return record.getMessage() != "Exception while sending command."


def java_reason(error: Exception) -> str:
    """What went wrong in Java, without where: py4j has the whole trace in its text, in which the reason follows a colon."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return next((line.removeprefix(": ") for line in lines if line.startswith(": ")), lines[0]).rstrip(". ")


def java_program() -> str | None:
    """The Java that Spark would start: that of JAVA_HOME where it is set, else the one on the PATH; None if it is not there."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=Path(home, "bin")) if home else shutil.which("java")


def missing_java() -> str:
    """Where there is none, in words."""
    home = os.environ.get("JAVA_HOME")
    return f"none in JAVA_HOME, which is {home}" if home else "none on the PATH, and JAVA_HOME is not set"


def require_java() -> None:
    """Raise a MemtaxError where there is no Java to run Spark on."""
    if java_program() is None:
        raise MemtaxError(f"Spark runs on Java, and there is {missing_java()}; {INSTALL_JAVA}")
