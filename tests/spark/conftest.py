"""Stores that are built on both engines; all of it is skipped where there is no Java or no PySpark."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtax.spark.session import INSTALL_JAVA, java_program
from tests.udf import tiny_models


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here, and skip it where Spark cannot run."""
    missing = None
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("dbt.adapters.spark") is None:
        missing = "PySpark is not installed: make spark installs it and runs these tests"
    elif java_program() is None:
        missing = f"there is no Java: {INSTALL_JAVA}"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.spark)
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session", autouse=True)
def short_lived_java() -> Iterator[None]:
    """Have Java compile quickly rather than well, and collect garbage in one thread: no session here lives for minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-NeoX with random weights, for corpora of 200 token ids."""
    pytest.importorskip("torch")
    return tiny_models.save(
        tmp_path_factory.mktemp("tiny") / "model", "gpt_neox", vocab_size=200, max_position_embeddings=128
    )
