"""What a query table is: a set of windows with one content, however it was built, and a file that is checked."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtax_native import QueryTable, instruction_sets
from tests.native.strategies import Case, cases


def random_windows(n: int, length: int = 32, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 50_000, (n, length)).astype(dtype)


@settings(max_examples=100)
@given(cases(), st.randoms(use_true_random=False))
def test_the_same_set_of_windows_gives_the_same_table(case: Case, random: object) -> None:
    table = QueryTable.build(case.window_array(), 1)
    again = case.windows + case.windows[::2]
    random.shuffle(again)
    for name in instruction_sets():
        other = QueryTable.build(np.array(again, case.window_dtype).reshape(-1, case.length), 2, instruction_set=name)
        assert other.digest == table.digest
        assert len(other) == len(table) == len({tuple(window) for window in case.windows})
        assert [other.window(i).tolist() for i in range(len(table))] == [
            table.window(i).tolist() for i in range(len(table))
        ]


def test_equal_tables_are_equal_files(tmp_path: Path) -> None:
    windows = random_windows(20_000)
    for name, array in {"a": windows, "b": np.concatenate([windows[::-1], windows]).astype(np.uint32)}.items():
        QueryTable.build(array, 2).save(str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_different_sets_have_different_digests() -> None:
    windows = random_windows(100)
    changed = windows.copy()
    changed[5, 31] ^= 1
    tables = [QueryTable.build(array) for array in (windows, changed, windows[1:], windows[:, 1:].copy(), windows[:0])]
    assert len({table.digest for table in tables}) == len(tables)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
@pytest.mark.parametrize("n", [0, 1, 30_000])
def test_a_stored_table_is_the_table(tmp_path: Path, n: int, dtype: type) -> None:
    windows = random_windows(n, dtype=dtype) + (70_000 if dtype is np.uint32 else 0)
    table = QueryTable.build(windows)
    path = str(tmp_path / "table")
    table.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["table"]
    opened = QueryTable.open(path)
    assert (opened.digest, opened.length, len(opened)) == (table.digest, 32, n)
    values, offsets = windows.ravel(), np.arange(n + 1) * 32
    for fresh, stored in zip(table.scan(values, offsets), opened.scan(values, offsets), strict=True):
        assert np.array_equal(fresh, stored)
    opened.save(path + "2")
    assert Path(path).read_bytes() == Path(path + "2").read_bytes()


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "table"
    QueryTable.build(random_windows(1000)).save(str(path))
    return path


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="absent: No such file"):
        QueryTable.open(str(tmp_path / "absent"))


@pytest.mark.parametrize("size", [0, 1, 100, 4095, 4096, 5000, -1])
def test_a_truncated_file_is_refused(stored: Path, size: int) -> None:
    content = stored.read_bytes()
    stored.write_bytes(content[:size])
    with pytest.raises(RuntimeError, match="query table"):
        QueryTable.open(str(stored))


def test_a_longer_file_is_refused(stored: Path) -> None:
    stored.write_bytes(stored.read_bytes() + b"\0")
    with pytest.raises(RuntimeError, match="truncated or damaged"):
        QueryTable.open(str(stored))


def test_a_foreign_file_is_refused(stored: Path) -> None:
    stored.write_bytes(b"PAR1" * 10_000)
    with pytest.raises(RuntimeError, match="not a query table"):
        QueryTable.open(str(stored))


def test_another_version_is_refused(stored: Path) -> None:
    content = bytearray(stored.read_bytes())
    content[8] += 1
    stored.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"version 2, this build reads version 1"):
        QueryTable.open(str(stored))


@pytest.mark.parametrize("at", [16, 40, 60, 100])
def test_a_damaged_header_is_refused(stored: Path, at: int) -> None:
    content = bytearray(stored.read_bytes())
    content[at] ^= 0x10
    stored.write_bytes(content)
    with pytest.raises(RuntimeError, match="header is damaged"):
        QueryTable.open(str(stored))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.999])
def test_damaged_content_is_refused(stored: Path, share: float) -> None:
    content = bytearray(stored.read_bytes())
    content[4096 + int(share * (len(content) - 4096))] ^= 1
    stored.write_bytes(content)
    with pytest.raises(RuntimeError, match="content is damaged"):
        QueryTable.open(str(stored))


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot write"):
        QueryTable.build(random_windows(3)).save(str(tmp_path / "no" / "such" / "folder"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(RuntimeError, match="cannot write"):
        QueryTable.build(random_windows(3)).save(str(tmp_path / "folder"))
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_the_index_takes_at_most_32_bytes_a_query() -> None:
    sizes = QueryTable.build(random_windows(100_000)).nbytes
    assert sizes["index"] <= 32 * 100_000
    assert sizes["tokens"] == 64 * 100_000
