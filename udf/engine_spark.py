"""The UDFs on Spark: `register` makes them callable from SQL in a session, as Arrow UDFs of the same functions.

Spark knows no unsigned numbers and no lists of fixed size, so that types change at the border. On the way in, whatever Spark
brings is cast to what the function declares; on the way out, the result takes the nearest type that Spark has.

A list of tokens may also arrive packed, which spares Spark to handle every token: as bytes (the tokens, little-endian), or as a
place, struct(source, row), which a reader that the session was given turns into tokens where the task runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udf.catalogue import load_all
from udf.errors import UdfError
from udf.handles import look_up_with
from udf.registry import Udf

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ReadTokens = Callable[[str, np.ndarray, pa.DataType], pa.ListArray]
"""Source, rows int64 [n] and the list type that is wanted -> the tokens of those rows."""

_NEAREST = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
}
_SQL_TYPES = {
    pa.bool_(): "boolean",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.decimal128(20, 0): "decimal(20,0)",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
}


def register(session: SparkSession, *, read_tokens: ReadTokens | None = None) -> None:
    """Make the UDFs callable from SQL in `session`.

    Args:
        session: a running session; each executor must be able to import `udf`.
        read_tokens: reads tokens that arrive as a place; a module's own function, which executors import by name.
    """
    from pyspark.sql.functions import arrow_udf

    for function in load_all():
        wrapped = arrow_udf(_task(function.name, read_tokens), sql_type(spark_type(function.returns)))
        # Of a CTE that is read twice, Spark computes once only what may give another answer the second time.
        once = function.volatile or function.scan
        session.udf.register(function.name, wrapped.asNondeterministic() if once else wrapped)


def spark_type(arrow_type: pa.DataType) -> pa.DataType:
    """The nearest Arrow type that Spark can hold: wider signed numbers, lists of any size."""
    if _is_list(arrow_type):
        return pa.list_(spark_type(arrow_type.value_type))
    if pa.types.is_struct(arrow_type):
        return pa.struct([pa.field(field.name, spark_type(field.type)) for field in arrow_type])
    return _NEAREST.get(arrow_type, arrow_type)


def sql_type(arrow_type: pa.DataType) -> str:
    """Spark's name of an Arrow type that it can hold.

    Raises:
        TypeError: a UDF declares a type that no mapping covers.
    """
    if _is_list(arrow_type):
        return f"array<{sql_type(arrow_type.value_type)}>"
    if pa.types.is_struct(arrow_type):
        return f"struct<{', '.join(f'`{field.name}`: {sql_type(field.type)}' for field in arrow_type)}>"
    if arrow_type not in _SQL_TYPES:
        raise TypeError(f"no Spark type is declared for Arrow's {arrow_type}; add it to udf/engine_spark.py")
    return _SQL_TYPES[arrow_type]


def _task(name: str, read_tokens: ReadTokens | None) -> Callable[..., pa.Array]:
    call = partial(_run, name, read_tokens)

    # What travels to the executors is a name; they import the function. Annotations tell Spark that it takes Arrow.
    def task(*columns: pa.Array) -> pa.Array:
        return call(*columns)

    task.__annotations__ = {"columns": pa.Array, "return": pa.Array}
    task.__name__ = name
    return task


@cache
def _functions() -> dict[str, Udf]:
    from pyspark import SparkFiles

    # Files that the session sent out (`add file`) lie in a folder of the executor's own.
    look_up_with(SparkFiles.get)
    return {function.name: function for function in load_all()}


def _run(name: str, read_tokens: ReadTokens | None, *columns: pa.Array) -> pa.Array:
    """Run a UDF on a batch inside a task."""
    function = _functions()[name]
    if len(columns) != len(function.parameters):
        raise UdfError(f"{name}() takes {len(function.parameters)} arguments and got {len(columns)}")
    given = [
        _taken(_one_array(column), parameter, read_tokens)
        for column, parameter in zip(columns, function.parameters, strict=True)
    ]
    return converted(function(*given), spark_type(function.returns))


def _one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _taken(column: pa.Array, wanted: pa.DataType, read_tokens: ReadTokens | None) -> pa.Array:
    """What Spark brought, as the type that the function declares."""
    if pa.types.is_list(wanted):
        if pa.types.is_binary(column.type):
            return unpacked(column, wanted)
        if pa.types.is_struct(column.type):
            return _read(column, wanted, read_tokens)
    return converted(column, wanted)


def unpacked(column: pa.BinaryArray, wanted: pa.ListType) -> pa.ListArray:
    """Tokens that were packed as bytes, as a list of `wanted`'s width; the bytes are not copied."""
    width = wanted.value_type.bit_width // 8
    if len(column) == 0:
        return pa.array([], wanted)
    offsets = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
    data = column.buffers()[2]
    size = 0 if data is None else data.size // width
    values = pa.Array.from_buffers(wanted.value_type, size, [None, data or pa.py_buffer(b"")])
    mask = column.is_null() if column.null_count else None
    if (offsets % width).any():
        raise UdfError(f"packed tokens of {width} bytes end inside a token; they were packed with another width")
    return pa.ListArray.from_arrays(pa.array(offsets // width, pa.int32()), values, type=wanted, mask=mask)


def _read(column: pa.StructArray, wanted: pa.ListType, read_tokens: ReadTokens | None) -> pa.ListArray:
    if read_tokens is None:
        raise UdfError("tokens came as a place in a file, and this session was given nothing that reads them")
    sources, rows = column.field("source"), column.field("row").to_numpy()
    if len(column) == 0:
        return pa.array([], wanted)
    parts = []
    # Batches are of one source but for the one in which the next begins.
    codes = sources.dictionary_encode()
    indices = codes.indices.to_numpy()
    for begin, end in _runs(indices):
        parts.append(read_tokens(codes.dictionary[int(indices[begin])].as_py(), rows[begin:end], wanted))
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def _runs(values: np.ndarray) -> list[tuple[int, int]]:
    """(begin, end) of each run of one value."""
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1, [len(values)]))
    return [(int(begin), int(end)) for begin, end in pairwise(bounds)]


def converted(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """`column` as `wanted`, level by level: Arrow's own cast knows no struct with other fields, and no list of fixed size.

    Raises:
        UdfError: a value does not fit, or a struct lacks a field.
    """
    if column.type == wanted:
        return column
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), wanted)
    if pa.types.is_struct(wanted) and pa.types.is_struct(column.type):
        return _converted_struct(column, wanted)
    if _is_list(wanted) and _is_list(column.type):
        return _converted_list(column, wanted)
    try:
        return pc.cast(column, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UdfError(f"a UDF takes {wanted} and got {column.type}: {error}") from error


def _converted_struct(column: pa.StructArray, wanted: pa.StructType) -> pa.StructArray:
    names = {field.name for field in column.type}
    missing = [field.name for field in wanted if field.name not in names]
    if missing:
        raise UdfError(f"a UDF takes {wanted}, and its argument {column.type} has no {', '.join(missing)}")
    fields = [converted(column.field(field.name), field.type) for field in wanted]
    mask = column.is_null() if column.null_count else None
    return pa.StructArray.from_arrays(fields, fields=list(wanted), mask=mask)


def _converted_list(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    mask = column.is_null() if column.null_count else None
    if pa.types.is_fixed_size_list(wanted):
        size = wanted.list_size
        lengths = column.value_lengths().drop_null()
        if len(lengths) and pc.any(pc.not_equal(lengths, size)).as_py():
            raise UdfError(f"a UDF takes lists of {size} numbers, and got one of another length")
        flat = converted(column.flatten(), wanted.value_type)
        if mask is not None:  # every row, also one that is NULL, has its numbers
            places = np.cumsum(np.where(np.asarray(mask), 0, 1)) - 1
            taken = (np.maximum(places, 0)[:, None] * size + np.arange(size)).ravel()
            flat = flat.take(pa.array(taken)) if len(flat) else pa.nulls(len(taken), wanted.value_type)
        return pa.FixedSizeListArray.from_arrays(flat, type=wanted, mask=mask)
    if pa.types.is_fixed_size_list(column.type):
        lengths = np.where(np.asarray(column.is_valid()), column.type.list_size, 0)
        offsets, flat = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32), column.flatten()
    else:
        offsets = np.asarray(column.offsets)
        flat = column.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
        offsets = offsets - offsets[0]
    values = converted(flat, wanted.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=wanted, mask=mask)


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
