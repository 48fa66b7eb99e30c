"""What the UDFs take from Spark and give it, at the border of types; no Spark runs here."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtax.spark.landing import packed
from udf import engine_spark
from udf.catalogue import load_all
from udf.errors import UdfError
from udf.handles import located, look_up_with

token_lists = st.lists(st.lists(st.integers(0, 2**16 - 1), max_size=5), max_size=6)


@pytest.mark.parametrize("function", load_all(), ids=lambda function: function.name)
def test_every_udf_has_types_that_spark_knows(function):
    for kind in (*function.parameters, function.returns):
        assert engine_spark.sql_type(engine_spark.spark_type(kind))


def test_unsigned_numbers_become_the_next_wider_signed_ones():
    kind = pa.struct([("tokens", pa.list_(pa.uint32())), ("vector", pa.list_(pa.float32(), 3))])
    assert (
        engine_spark.sql_type(engine_spark.spark_type(kind))
        == "struct<`tokens`: array<bigint>, `vector`: array<float>>"
    )


@given(token_lists, st.sampled_from([pa.uint16(), pa.uint32()]), st.integers(0, 3))
def test_tokens_packed_as_bytes_come_back(rows, width, begin):
    tokens = pa.array(rows, pa.list_(width)).slice(begin)
    column = packed(tokens)
    assert column.to_pylist() == [np.array(row, width.to_pandas_dtype()).tobytes() for row in tokens.to_pylist()]
    assert engine_spark.unpacked(column, pa.list_(width)).equals(tokens)


def test_packed_tokens_keep_nulls():
    column = pa.array([b"\1\0\2\0", None, b""], pa.binary())
    assert engine_spark.unpacked(column, pa.list_(pa.uint16())).to_pylist() == [[1, 2], None, []]


def test_packed_tokens_of_another_width_are_refused():
    with pytest.raises(UdfError, match="another width"):
        engine_spark.unpacked(pa.array([b"\1\0\2"], pa.binary()), pa.list_(pa.uint16()))


@given(st.lists(st.none() | st.lists(st.integers(0, 2**32 - 1), max_size=4), max_size=6), st.integers(0, 3))
def test_lists_change_their_items_and_keep_nulls(rows, begin):
    wide = pa.array(rows, pa.list_(pa.int64())).slice(begin)
    narrow = engine_spark.converted(wide, pa.list_(pa.uint32()))
    assert narrow.type == pa.list_(pa.uint32())
    assert narrow.to_pylist() == wide.to_pylist()
    assert engine_spark.converted(narrow, pa.list_(pa.int64())).to_pylist() == wide.to_pylist()


@given(st.lists(st.none() | st.lists(st.floats(width=32, allow_nan=False), min_size=3, max_size=3), max_size=5))
def test_lists_of_a_fixed_size_go_there_and_back(rows):
    lists = pa.array(rows, pa.list_(pa.float32()))
    fixed = engine_spark.converted(lists, pa.list_(pa.float32(), 3))
    assert fixed.to_pylist() == rows
    assert engine_spark.converted(fixed, pa.list_(pa.float32())).to_pylist() == rows


def test_a_list_of_another_size_is_refused():
    with pytest.raises(UdfError, match="lists of 3"):
        engine_spark.converted(pa.array([[1.0, 2.0]], pa.list_(pa.float32())), pa.list_(pa.float32(), 3))


def test_structs_are_matched_by_name_and_may_be_null():
    given = pa.array([{"b": 1, "a": "x"}, None], pa.struct([("b", pa.int64()), ("a", pa.string())]))
    wanted = pa.struct([("a", pa.string()), ("b", pa.int32())])
    assert engine_spark.converted(given, wanted).to_pylist() == [{"a": "x", "b": 1}, None]


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(UdfError, match="uint16"):
        engine_spark.converted(pa.array([70_000], pa.int64()), pa.uint16())


def test_tokens_are_read_from_the_places_that_a_batch_names():
    def read(source, rows, wanted):
        return pa.array([[len(source), row] for row in rows.tolist()], wanted)

    places = pa.array([{"source": "a", "row": 3}, {"source": "a", "row": 4}, {"source": "bb", "row": 0}])
    found = engine_spark._read(places, pa.list_(pa.uint16()), read)
    assert found.to_pylist() == [[1, 3], [1, 4], [2, 0]]


def test_a_handle_is_opened_from_its_copy_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr("udf.handles._lookups", [])
    copy = tmp_path / "copy" / "digest.memtaxq"
    copy.parent.mkdir()
    copy.touch()
    assert located("/elsewhere/digest.memtaxq").parent.name == "elsewhere"
    look_up_with(lambda name: str(copy.parent / name))
    assert located("/elsewhere/digest.memtaxq") == copy
    assert located("/elsewhere/other.memtaxq").parent.name == "elsewhere"
