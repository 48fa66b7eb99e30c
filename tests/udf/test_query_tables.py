"""Query tables as SQL handles them: built from Parquet, named by content, opened once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from udf import UdfError, query_tables
from udf.query_tables import OpenTables, build_query_table

WINDOWS = np.random.default_rng(0).integers(0, 50_000, (500, 32)).astype(np.uint16)


UINT16 = pa.list_(pa.uint16())


def write(path: Path, windows: object, kind: pa.DataType = UINT16, **options: object) -> Path:
    rows = windows.tolist() if isinstance(windows, np.ndarray) else windows
    pq.write_table(pa.table({"continuation": pa.array(rows, kind)}), path, **options)
    return path


def build(source: Path, folder: Path) -> str:
    return build_query_table(pa.array([str(source)]), pa.array([str(folder)])).to_pylist()[0]


def test_a_table_holds_the_windows_of_the_file(tmp_path: Path) -> None:
    handle = build(write(tmp_path / "a.parquet", WINDOWS, row_group_size=64), tmp_path / "tables")
    (table,) = query_tables.open_tables.get(handle).tables
    assert len(table) == 500
    assert (table.find(WINDOWS.ravel(), np.arange(501) * 32) >= 0).all()
    assert Path(handle) == tmp_path / "tables" / f"{table.digest}.memtaxq"


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.uint32()), pa.list_(pa.int64()), pa.large_list(pa.int32()), pa.list_(pa.uint16(), 32)],
    ids=str,
)
def test_the_type_of_the_tokens_does_not_matter(tmp_path: Path, kind: pa.DataType) -> None:
    narrow = build(write(tmp_path / "a.parquet", WINDOWS), tmp_path)
    assert build(write(tmp_path / "b.parquet", WINDOWS[::-1], kind), tmp_path) == narrow


def test_a_folder_of_files_is_one_set(tmp_path: Path) -> None:
    whole = build(write(tmp_path / "whole.parquet", WINDOWS), tmp_path / "tables")
    parts = tmp_path / "parts"
    parts.mkdir()
    write(parts / "1.parquet", WINDOWS[:200])
    write(parts / "2.parquet", WINDOWS[150:], pa.list_(pa.uint32()))
    assert build(parts, tmp_path / "tables") == whole


def test_a_table_that_is_there_is_used_again_and_a_damaged_one_replaced(tmp_path: Path) -> None:
    source = write(tmp_path / "a.parquet", WINDOWS)
    handle = Path(build(source, tmp_path))
    before = handle.stat()
    assert build(source, tmp_path) == str(handle)
    assert handle.stat().st_mtime_ns == before.st_mtime_ns
    content = handle.read_bytes()
    handle.write_bytes(content[:-100])
    assert build(source, tmp_path) == str(handle)
    assert handle.read_bytes() == content


def test_null_windows_are_left_out_and_a_null_path_is_null(tmp_path: Path) -> None:
    with_null = build(write(tmp_path / "a.parquet", [None, *WINDOWS.tolist(), None]), tmp_path)
    assert with_null == build(write(tmp_path / "b.parquet", WINDOWS), tmp_path)
    nothing = build_query_table(pa.array([None, "x"], pa.string()), pa.array(["x", None], pa.string()))
    assert nothing.to_pylist() == [None, None]


def test_no_windows_are_a_table_too(tmp_path: Path) -> None:
    assert len(query_tables.open_tables.get(build(write(tmp_path / "a.parquet", []), tmp_path))) == 0


@pytest.mark.parametrize(
    ("windows", "kind", "message"),
    [
        ([[1] * 32, [1] * 129], pa.list_(pa.uint16()), "windows of 129 tokens in column continuation"),
        ([[1] * 7], pa.list_(pa.uint16()), "windows of 7 tokens in column continuation; it takes 8 to 128"),
        ([[1] * 31 + [None]], pa.list_(pa.uint16()), "a NULL token in column continuation"),
        ([[-1] * 32], pa.list_(pa.int64()), "no 32-bit id"),
        ([["a"] * 32], pa.list_(pa.string()), "needs whole numbers"),
        ([1, 2], pa.int32(), "single column, a list of tokens"),
    ],
)
def test_files_that_hold_no_windows_are_refused(
    tmp_path: Path, windows: object, kind: pa.DataType, message: str
) -> None:
    with pytest.raises(UdfError, match=message):
        build(write(tmp_path / "a.parquet", windows, kind), tmp_path)


def test_windows_of_several_lengths_make_a_table_for_each(tmp_path: Path) -> None:
    whole, half = (build(write(tmp_path / f"{n}.parquet", WINDOWS[:, :n]), tmp_path / "apart") for n in (32, 16))
    mixed = [row for pair in zip(WINDOWS.tolist(), WINDOWS[:, :16].tolist(), strict=True) for row in pair]
    mixed[-1] = [70_000] * 16  # the last batch may bring a wider token
    handle = build(write(tmp_path / "mixed.parquet", mixed, pa.list_(pa.uint32())), tmp_path / "tables")
    tables = query_tables.open_tables.get(handle)
    assert [(table.length, len(table)) for table in tables.tables] == [(16, 500), (32, 500)]
    assert (tables.first_index, len(tables)) == ((0, 500), 1000)
    assert Path(handle).name == "+".join(table.digest for table in tables.tables) + ".memtaxq"
    parts = tmp_path / "parts"
    parts.mkdir()
    write(parts / "1.parquet", WINDOWS)
    write(parts / "2.parquet", WINDOWS[:, :16])
    assert Path(build(parts, tmp_path / "tables")).stem == f"{Path(half).stem}+{Path(whole).stem}"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UdfError, match="found no Parquet file at"):
        build(tmp_path / "absent.parquet", tmp_path)
    with pytest.raises(UdfError, match="found no Parquet file at"):
        build(tmp_path, tmp_path)
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(UdfError, match="cannot read"):
        build(tmp_path / "text.parquet", tmp_path)
    with pytest.raises(UdfError, match="cannot write"):
        build(write(tmp_path / "a.parquet", WINDOWS), tmp_path / "text.parquet")


def test_the_tables_used_last_stay_open(tmp_path: Path) -> None:
    handles = [build(write(tmp_path / "a.parquet", WINDOWS[:n]), tmp_path) for n in (1, 2, 3)]
    tables = OpenTables(capacity=2)
    first, second = tables.get(handles[0]), tables.get(handles[1])
    assert tables.get(handles[0]) is first
    tables.get(handles[2])  # drops the second, which was used longest ago
    assert tables.get(handles[0]) is first
    assert tables.get(handles[1]) is not second


def test_threads_that_ask_at_once_share_one_table(tmp_path: Path) -> None:
    handle = build(write(tmp_path / "a.parquet", WINDOWS), tmp_path)
    tables = OpenTables()
    with ThreadPoolExecutor(8) as pool:
        assert len({id(table) for table in pool.map(tables.get, [handle] * 32)}) == 1


def test_a_handle_of_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UdfError, match=r"No such file.*must come from build_query_table\(\)"):
        OpenTables().get(str(tmp_path / "absent.memtaxq"))


def test_the_number_of_threads_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEMTAX_THREADS", raising=False)
    assert query_tables.threads() == 0
    monkeypatch.setenv("MEMTAX_THREADS", "3")
    assert query_tables.threads() == 3
    monkeypatch.setenv("MEMTAX_THREADS", "many")
    with pytest.raises(UdfError, match="MEMTAX_THREADS is 'many'"):
        query_tables.threads()
