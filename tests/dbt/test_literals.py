"""How a text stands in SQL: the macro by itself, as each engine reads it."""

from __future__ import annotations

import re

import duckdb
import jinja2
import pytest

from tests.conftest import PROJECT
from tests.dbt.test_usable_vars import Returned, macros

TEXTS = ["plain", "mo's\\b", "\\", "\\'", "''", 'a "b"\nc']


def literal(engine: str, text: str) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"], autoescape=False)
    environment.globals = macros({})
    module = environment.from_string((PROJECT / "macros" / "dialect" / "values.sql").read_text()).module
    with pytest.raises(Returned) as returned:
        getattr(module, f"{engine}__literal")(text)
    return str(returned.value.args[0])


@pytest.mark.parametrize("text", TEXTS)
def test_duckdb_reads_the_text_itself(text: str) -> None:
    with duckdb.connect() as connection:
        assert connection.execute(f"select {literal('default', text)}").fetchall() == [(text,)]


@pytest.mark.parametrize("text", TEXTS)
def test_spark_reads_the_text_itself(text: str) -> None:
    """By its rule: a backslash makes what follows it stand for itself, or for a control character."""
    inner = re.fullmatch(r"'((?:[^'\\]|\\.)*)'", literal("spark", text), re.DOTALL)
    assert inner is not None, "no quote in it ends it"
    assert re.sub(r"\\(.)", lambda match: {"b": "\b", "n": "\n"}.get(match[1], match[1]), inner[1]) == text
