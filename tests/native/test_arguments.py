"""What is refused, and that the message says what to pass instead."""

import numpy as np
import pytest

from memtax_native import QueryTable, count_tokens, instruction_set, instruction_sets, ngram_equal, ngram_hash

TOKENS = np.arange(100, dtype=np.uint16)
OFFSETS = np.array([0, 100])
TABLE = QueryTable.build(TOKENS[:96].reshape(3, 32))


@pytest.mark.parametrize(
    ("windows", "error", "message"),
    [
        (TOKENS, ValueError, "two dimensions"),
        (np.zeros((2, 32)), TypeError, "must be uint16 or uint32, not float64"),
        (np.zeros((2, 32), np.int32), TypeError, "not int32"),
        (np.zeros((2, 32), ">u2"), TypeError, "must be uint16"),
        (np.zeros((32, 40), np.uint16).T, TypeError, "ascontiguousarray"),
        (np.zeros((2, 7), np.uint16), ValueError, "windows of 7 tokens: a query table takes 8 to 128"),
        (np.zeros((2, 129), np.uint16), ValueError, "windows of 129 tokens"),
        (np.zeros((0, 0), np.uint16), ValueError, "windows of 0 tokens"),
    ],
)
def test_unfit_windows_are_refused(windows: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        QueryTable.build(windows)


@pytest.mark.parametrize(
    ("offsets", "error", "message"),
    [
        (np.array([0, 101]), ValueError, "from 0 to 101, outside the 100 values"),
        (np.array([-1, 100]), ValueError, "outside"),
        (np.array([0, 60, 50]), ValueError, "offsets fall at row 1"),
        (np.array([], np.int64), ValueError, "one entry more than rows"),
        (np.array([[0, 100]]), ValueError, "one dimension"),
        (np.array([0.0, 100.0]), TypeError, "int32 or int64, not float64"),
    ],
)
def test_unfit_offsets_are_refused(offsets: np.ndarray, error: type[Exception], message: str) -> None:
    for call in (
        lambda: TABLE.scan(TOKENS, offsets),
        lambda: TABLE.find(TOKENS, offsets),
        lambda: ngram_hash(TOKENS, offsets, 0, 1),
        lambda: ngram_equal(TOKENS, offsets, TOKENS, OFFSETS),
    ):
        with pytest.raises(error, match=message):
            call()


def test_unfit_values_are_refused() -> None:
    with pytest.raises(TypeError, match="values must be uint16 or uint32, not int64"):
        TABLE.scan(np.arange(100), OFFSETS)
    with pytest.raises(ValueError, match="values must have one dimension, not 2"):
        TABLE.scan(TOKENS.reshape(2, 50), OFFSETS)
    with pytest.raises(TypeError, match="contiguous"):
        count_tokens(TOKENS[::2])


def test_a_row_to_find_must_have_the_length_of_the_table() -> None:
    with pytest.raises(ValueError, match="row 1 has 31 tokens; this table holds windows of 32"):
        TABLE.find(TOKENS, np.array([0, 32, 63]))


def test_other_unfit_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="threads must be 0"):
        TABLE.scan(TOKENS, OFFSETS, -1)
    with pytest.raises(ValueError, match="size must be 1 or more"):
        count_tokens(TOKENS, 0)
    with pytest.raises(IndexError, match="query 3 of a table of 3"):
        TABLE.window(3)
    with pytest.raises(ValueError, match="one per row"):
        ngram_hash(TOKENS, OFFSETS, np.array([0, 1]), 1)
    with pytest.raises(ValueError, match="a has 1 rows and b 2"):
        ngram_equal(TOKENS, OFFSETS, TOKENS, np.array([0, 1, 2]))


def test_an_absent_instruction_set_is_refused_by_name() -> None:
    """Never a silent slow fallback."""
    assert instruction_sets()[-1] == "portable"
    assert instruction_set() == instruction_sets()[0]
    assert [instruction_set(name) for name in instruction_sets()] == instruction_sets()
    for ask in (
        lambda: instruction_set("abacus"),
        lambda: TABLE.scan(TOKENS, OFFSETS, 1, "abacus"),
        lambda: QueryTable.build(TOKENS[:32].reshape(1, 32), instruction_set="abacus"),
    ):
        with pytest.raises(ValueError, match=r"'abacus' is not available here; .* have: .*portable"):
            ask()


def test_read_only_and_mapped_arrays_are_taken() -> None:
    tokens = TOKENS.copy()
    tokens.flags.writeable = False
    assert TABLE.scan(tokens, np.array([0, 100], np.int32))[2].tolist() == [1, 1, 1]
