from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from memtax import store
from memtax.corpus.ingest import ingest_corpus
from memtax.corpus.land import Landing
from memtax.corpus.source import SourceOptions
from tests.corpus.helpers import word_tokenizer

Ingest = Callable[..., Landing]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb"


@pytest.fixture
def ingest(database: Path) -> Ingest:
    """`ingest_corpus` in a transaction of its own; options of the source may be given by name."""

    def run(name: str, *paths: Path, tokenizer: Path | None = None, **given: Any) -> Landing:
        fields = SourceOptions.__dataclass_fields__
        options = SourceOptions(**{key: given.pop(key) for key in list(given) if key in fields})
        with store.writing(database) as connection:
            return ingest_corpus(
                connection, name, paths, tokenizer=str(tokenizer) if tokenizer else None, options=options, **given
            )

    return run


@pytest.fixture
def reading(database: Path) -> Iterator[Callable[[], duckdb.DuckDBPyConnection]]:
    """Opens the store for reading; what it opened is closed when the test ends."""
    opened: list[duckdb.DuckDBPyConnection] = []

    def run() -> duckdb.DuckDBPyConnection:
        opened.append(store.connect(path=database))
        return opened[-1]

    yield run
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of 100 entries: <|endoftext|> is 0, an unknown word 1, and w2 … w99 themselves."""
    return word_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json", 100)
