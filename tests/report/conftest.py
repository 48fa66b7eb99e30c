"""Pages made of the demo's store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Commands
from tests.report.pages import Report, changed_copy, make_page


@pytest.fixture(scope="session")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Report]:
    """`report_of(database, **options)` makes a page."""

    def made(database: Path, **options: Any) -> Report:
        return make_page(database, tmp_path_factory.mktemp("report"), **options)

    return made


@pytest.fixture(scope="session")
def report(demo: Commands, report_of: Callable[..., Report]) -> Report:
    """The page of the demo's store."""
    return report_of(demo.database)


@pytest.fixture(scope="session")
def paper_report(
    demo: Commands,
    make_commands: Callable[[Path], Commands],
    tmp_path_factory: pytest.TempPathFactory,
    report_of: Callable[..., Report],
) -> Report:
    """The page of the demo's store with the taxonomy's tables as the protocol paper makes them."""
    commands = make_commands(changed_copy(demo.database, tmp_path_factory.mktemp("paper")))
    settings = "{protocol: paper, taxonomy_search_rows: 0}"
    commands.dbt("run", "--select", "int_taxonomy__datasets+", "--vars", settings)
    return report_of(commands.database)


@pytest.fixture
def changed(demo: Commands, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the demo's store after some statements."""
    return lambda *statements: changed_copy(demo.database, tmp_path, *statements)
