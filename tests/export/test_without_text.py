"""`memtax export --without-text`: no text, no token and no exact frequency of one leaves."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.export.selection import columns_of
from memtax.export.without_text import ROUNDED_COLUMNS, TEXT_COLUMNS, TOKEN_TABLES
from tests.conftest import Commands
from tests.export.test_export import shards


@pytest.mark.parametrize("schema", ["memtax", "paper"])
def test_no_text_and_no_token_is_left(demo: Commands, tmp_path: Path, schema: str) -> None:
    """No column from which a sequence could be read: its texts, its token ids, or the frequencies that name them."""
    folder = tmp_path / "out"
    demo.memtax("export", folder, "--without-text", "--schema", schema)
    with store.reading(demo.database) as connection:
        windows = connection.execute(
            "select text, prompt_text, continuation_text, tokens, frequencies from feat_sequence__text inner join "
            "dim_evaluated_sequences using (corpus, sequence_id, token_offset) inner join feat_sequence__token_frequency "
            "using (corpus, sequence_id, token_offset)"
        ).fetchall()
    texts = {text for row in windows for text in row[:3] if len(text) > 20}
    lists = {tuple(values) for row in windows for values in row[3:]}
    checked = 0
    for path in folder.rglob("*.parquet"):
        table = pq.read_table(path)
        for name in table.column_names:
            for value in table[name].to_pylist():
                checked += 1
                assert not (
                    isinstance(value, str) and any(text in value for text in (texts if len(value) > 20 else ()))
                )
                assert not (isinstance(value, list) and tuple(value) in lists), (path.name, name)
    assert checked > 1_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert not any(text in card for text in texts)


@pytest.mark.parametrize("schema", ["memtax", "paper"])
def test_no_exact_frequency_of_a_token_is_left(demo: Commands, tmp_path: Path, schema: str) -> None:
    """The largest or median frequency of a window is one token's, and mostly names it; so can the mean, of one token."""
    folder = tmp_path / "out"
    demo.memtax("export", folder, "--without-text", "--schema", schema)
    assert not {path.name for path in folder.iterdir()} & TOKEN_TABLES
    with store.reading(demo.database) as connection:
        counts = {count for (count,) in connection.execute("select frequency from token_frequencies").fetchall()}
        exact = connection.execute(
            f"select {', '.join(sorted(ROUNDED_COLUMNS))} from main.features order by sequence_id, model, revision"
        ).fetchall()
    # Counts that are round already may appear: they stand for all that are rounded to them.
    telling = {count for count in counts if count != rounded_by_digits(count)}
    assert len(telling) > 100
    keys = {"sequence_id", "token_offset", "source_row", "occurrence_sequence_id", "occurrence_token_offset"}
    checked = 0
    for path in folder.rglob("*.parquet"):
        table = pq.read_table(path)
        if "sequence_id" in table.column_names:
            for name in ROUNDED_COLUMNS & set(table.column_names):
                checked += 1
                assert not telling & set(table[name].to_pylist()), (path, name)
            # Elsewhere a small number is a coincidence, and a large one is not.
            for name in set(table.column_names) - keys - ROUNDED_COLUMNS:
                large = {value for value in table[name].to_pylist() if isinstance(value, int | float) and value >= 200}
                assert not telling & large, (path, name)
    assert checked >= 12
    if schema == "memtax":
        features = pq.read_table(shards(folder, "features")).sort_by(
            [("sequence_id", "ascending"), ("model", "ascending"), ("revision", "ascending")]
        )
        written = features.select(sorted(ROUNDED_COLUMNS)).to_pylist()
        assert [list(row.values()) for row in written] == [[rounded_by_digits(value) for value in row] for row in exact]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "rounded to two significant digits" in card
    assert re.search(
        r"`min_frequency` \| int64 \| .* Rounded to two significant digits, and below 100 to tens\. \|", card
    )


def rounded_by_digits(value: float) -> int:
    """To two digits, a half away from zero; below 100 to tens: by decimal arithmetic, apart from the SQL."""
    number = Decimal(value)
    unit = Decimal(10) ** max(1, number.adjusted() - 1)
    return int((number / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit)


def test_a_table_of_tokens_is_refused(demo: Commands, tmp_path: Path) -> None:
    arguments = ("--without-text", "--tables", "features,token_frequencies")
    result = demo.memtax("export", tmp_path / "out", *arguments, check=False)
    assert result.returncode == 1
    assert "token_frequencies has a row for each" in result.stderr
    assert not (tmp_path / "out").exists()


def test_every_list_is_known_to_tell_tokens_or_not(demo: Commands) -> None:
    """A list is where a window's tokens hide, so that a new one has to be judged here."""
    with store.reading(demo.database) as connection:
        lists = {c for columns in columns_of(connection).values() for c, kind in columns.items() if kind.endswith("]")}
    attention = {"entropy_heads", "gini_heads", "paper_entropy_heads", "paper_gini_heads"}
    assert lists - TEXT_COLUMNS == attention
