"""The explorer over small stores, asked without a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from memtax.explorer.app import Explorer, create_app
from memtax.export.descriptions import described_columns
from memtax.project import project_vars
from tests.conftest import PROJECT, Commands
from tests.explorer.stores import make_store


@pytest.fixture(scope="session")
def open_store() -> Callable[[Path], TestClient]:
    """A client of the explorer over the database at a path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMTAX_PROJECT", str(PROJECT))
        settings = project_vars()
    described = described_columns(PROJECT)

    def client(database: Path) -> TestClient:
        app = create_app(Explorer(database, settings, described))
        return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)

    return client


@pytest.fixture(scope="session")
def unkind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of `stores.py`; tests only read it."""
    return make_store(tmp_path_factory.mktemp("unkind"))


@pytest.fixture
def client(unkind: Path, open_store: Callable[[Path], TestClient], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("MEMTAX_DATABASE", str(unkind))
    return open_store(unkind)


@pytest.fixture
def demo_client(
    demo: Commands, open_store: Callable[[Path], TestClient], monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    monkeypatch.setenv("MEMTAX_DATABASE", str(demo.database))
    return open_store(demo.database)
