"""The registry holds every UDF to its declaration, and counts what it was handed."""

from __future__ import annotations

import pyarrow as pa
import pytest

from udf.catalogue import load_all
from udf.errors import UdfError
from udf.registry import Udf, constant, rows_seen


def test_the_contracts_functions_are_there() -> None:
    names = {function.name for function in load_all()}
    assert names >= {
        "templating",
        "huffman_code_length",
        "paper_huffman_coding_length",
        "detokenize",
        "ngram_hash",
        "ngram_equal",
        "count_windows",
        "score_continuation",
    }


def test_every_function_says_what_it_does_and_passes_nulls_on() -> None:
    for function in load_all():
        assert function.function.__doc__, function.name
        columns = [pa.nulls(3, parameter) for parameter in function.parameters]
        assert function(*columns).null_count == 3, function.name


def test_every_function_takes_an_empty_batch() -> None:
    for function in load_all():
        columns = [pa.nulls(0, parameter) for parameter in function.parameters]
        result = function(*columns)
        assert (len(result), result.type) == (0, function.returns), function.name


def test_rows_are_counted() -> None:
    double = Udf("double_for_test", lambda values: values, (pa.int64(),), pa.int64())
    double(pa.array([1, 2, 3]))
    double(pa.chunked_array([[1], [2]]))
    assert rows_seen.get("double_for_test") == 5


def test_a_result_of_another_length_is_a_bug_that_is_named() -> None:
    short = Udf("short_for_test", lambda values: values.slice(1), (pa.int64(),), pa.int64())
    with pytest.raises(UdfError, match=r"short_for_test\(\) returned 1 rows for a batch of 2"):
        short(pa.array([1, 2]))


def test_a_parameter_that_must_be_one_value() -> None:
    assert constant(pa.array(["a", None, "a"]), "f", "p") == "a"
    assert constant(pa.array([None], pa.string()), "f", "p") is None
    with pytest.raises(UdfError, match="needs one value of p per query"):
        constant(pa.array(["a", "b"]), "f", "p")
