from pathlib import Path

import pytest

from memtax import store
from memtax.corpus.ingest import ingest_corpus
from memtax.corpus.source import SourceOptions
from tests.corpus.helpers import write_bin

# 50 sequences of 8 tokens; token p of sequence s is 8 s + p.
ROWS = [[8 * row + place for place in range(8)] for row in range(50)]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A store with the corpus `c` of ROWS: 20 sequences landed, 20 in place, 10 landed."""
    path = tmp_path / "store.duckdb"
    with store.writing(path) as connection:
        for number, (first, last) in enumerate([(0, 20), (20, 40), (40, 50)]):
            part = write_bin(tmp_path / f"{number}.bin", ROWS[first:last])
            options = SourceOptions(sequence_length=8)
            ingest_corpus(connection, "c", [part], options=options, in_place=number == 1, append=True)
    return path
