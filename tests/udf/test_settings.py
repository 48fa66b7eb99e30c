"""The number of threads: what a run sets goes before the environment, and 0 before neither."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import udf
from memtax.taxonomy import regression
from udf.errors import UdfError
from udf.settings import available_threads, set_threads, threads


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("MEMTAX_THREADS", raising=False)
    yield
    set_threads(pa.array([0], pa.int32()))


def test_what_is_set_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert threads() == 0
    monkeypatch.setenv("MEMTAX_THREADS", "3")
    assert threads() == 3
    with duckdb.connect() as connection:
        udf.register(connection)
        assert connection.execute("select set_threads(2)").fetchone() == (2,)
        assert threads() == 2
        assert connection.execute("select set_threads(null)").fetchone() == (None,)
        assert threads() == 2
        connection.execute("select set_threads(0)")
        assert threads() == 3


def test_what_takes_a_number_of_threads_gets_the_one_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_threads() >= 1
    set_threads(pa.array([3], pa.int32()))
    assert available_threads() == 3
    set_threads(pa.array([0], pa.int32()))
    monkeypatch.delattr("os.sched_getaffinity", raising=False)  # as on macOS
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert available_threads() == 1


def test_the_taxonomy_fits_with_the_threads_of_the_run() -> None:
    set_threads(pa.array([3], pa.int32()))
    seen: list[int] = []

    class Rows:
        n_columns = 1

        def count(self, choices: object, threads: int) -> np.ndarray:
            seen.append(threads)
            return np.zeros((1, 2))

    regression.fit(Rows(), np.zeros((1, 1), np.int32))
    assert seen == [3]


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(UdfError, match=r"set_threads\(\) got -1"):
        set_threads(pa.array([-1], pa.int32()))
