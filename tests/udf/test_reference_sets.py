"""Reference sets: written once under the digest of their rows, checked, and looked up by key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udf.errors import UdfError
from udf.similarity import reference_sets
from udf.similarity.reference_sets import ReferenceSet, build_reference_set

Key = tuple[str, int, int]


def rows(keys: list[Key], seed: int = 0) -> pa.Table:
    vectors = np.random.default_rng(seed).standard_normal((len(keys), 384)).astype(np.float32)
    columns = list(zip(*keys, strict=True)) if keys else [[], [], []]
    return pa.table(
        {
            "corpus": pa.array(columns[0], pa.string()),
            "sequence_id": pa.array(columns[1], pa.int64()),
            "token_offset": pa.array(columns[2], pa.int32()),
            "prompt_text": pa.array([f"prompt of {key}" for key in keys], pa.string()),
            "embedding": pa.array(vectors.tolist(), pa.list_(pa.float32())),
        }
    )


def build(table: pa.Table, folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    pq.write_table(table, folder / "rows.parquet")
    (handle,) = build_reference_set(pa.array([str(folder / "rows.parquet")]), pa.array([str(folder)])).to_pylist()
    return handle


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_sets, "BLOCK_ROWS", 7)


def test_the_same_rows_have_the_same_name(tmp_path: Path) -> None:
    keys = [("a", number, 0) for number in range(20)]
    first, again = build(rows(keys), tmp_path / "x"), build(rows(keys), tmp_path / "y")
    assert Path(first).name == Path(again).name
    assert Path(build(rows(keys, seed=1), tmp_path / "x")).name != Path(first).name
    assert Path(build(rows(keys[1:]), tmp_path / "x")).name != Path(first).name
    assert not list(tmp_path.rglob("*.partial"))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "ü"]), st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3), st.integers(0, 4)),
        unique=True, max_size=40,
    ),
    st.data(),
)  # fmt: skip
def test_every_key_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, keys: list[Key], data: st.DataObject
) -> None:
    keys = sorted(keys, key=lambda key: (key[0].encode(), *key[1:]))
    kept = [key for key in keys if data.draw(st.booleans())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference_sets, "BLOCK_ROWS", 7)
        found = ReferenceSet(build(rows(kept), tmp_path_factory.mktemp("set")))
    assert len(found) == len(kept)
    asked = [*keys, ("absent", 0, 0)]
    columns = list(zip(*asked, strict=True))
    result = found.rows_of(list(columns[0]), np.array(columns[1], np.int64), np.array(columns[2], np.int32))
    assert result.tolist() == [kept.index(key) if key in kept else -1 for key in asked]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("place", [3, 6, 7])  # inside a block, and over the border of two
def test_rows_out_of_order_are_refused(tmp_path: Path, place: int) -> None:
    keys = [("a", number, 0) for number in range(20)]
    keys[place], keys[place + 1] = keys[place + 1], keys[place]
    with pytest.raises(UdfError, match="needs rows ordered by key, each once"):
        build(rows(keys), tmp_path)
    assert not list(tmp_path.glob("*.partial"))
    keys[place] = keys[place + 1]
    with pytest.raises(UdfError, match="needs rows ordered by key, each once"):
        build(rows(keys), tmp_path)


def test_other_rows_are_refused(tmp_path: Path) -> None:
    table = rows([("a", 1, 0), ("a", 2, 0)])
    with pytest.raises(UdfError, match="got a NULL"):
        build(table.set_column(3, "prompt_text", pa.array(["x", None])), tmp_path)
    with pytest.raises(UdfError, match=r"needs corpus \(string\), "):
        build(table.set_column(4, "embedding", pa.array([[1.0], [2.0]], pa.list_(pa.float32()))), tmp_path)
    with pytest.raises(UdfError, match=r"needs corpus \(string\), .*: .*prompt_text"):
        build(table.drop_columns("prompt_text"), tmp_path)
    with pytest.raises(UdfError, match="cannot read"):
        build_reference_set(pa.array([str(tmp_path / "absent.parquet")]), pa.array([str(tmp_path)]))


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    table = rows([("a", 1, 0), ("a", 2, 0)])
    vectors = np.ones((2, 384), np.float32)
    vectors[1, 5] = np.nan
    handle = build(table.set_column(4, "embedding", pa.array(vectors.tolist(), pa.list_(pa.float32()))), tmp_path)
    with pytest.raises(UdfError, match="cannot be used, after 0 rows: row 1 holds a number that is not finite"):
        ReferenceSet(handle)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    handle = Path(build(rows([("a", 1, 0)]), tmp_path))
    handle.write_bytes(handle.read_bytes()[:-9])
    with pytest.raises(UdfError, match="is no reference set"):
        ReferenceSet(str(handle))
    with pytest.raises(UdfError, match="is no reference set"):
        ReferenceSet(str(tmp_path / "absent.memtaxr"))
