"""Every SQL statement of the explorer about the rows of `features`; what one sequence is, `memtax.explain` asks."""

# ruff: noqa: S608 - columns are of the table and quoted, values are bound

from __future__ import annotations

from collections.abc import Sequence

from memtax.explorer.sql import Sql, Value, joined, sql
from memtax.quoting import identifier

KEYS = ("sequence_id", "token_offset", "corpus", "dataset", "model", "revision")
"""Unique together. The ids first: rows are compared by them in nearly all cases, and numbers compare fastest."""
SEQUENCE_KEYS = ("corpus", "sequence_id", "token_offset")
MATCHES = "text_matches"

COLUMNS = """
    select column_name, data_type
    from duckdb_columns()
    where database_name = current_database() and schema_name = 'main' and table_name = 'features'
    order by column_index
"""
GROUPS = """
    select dataset, corpus, model, revision, category, memorized, count(*)
    from main.features
    group by all
    order by all
"""
CORPORA = "select corpus from main.dim_corpora"
COSTS_OF_TOKENS = """
    select token_log_probabilities
    from main.feat_sequence_model__token_log_probabilities
    where corpus = ? and sequence_id = ? and token_offset = ? and model = ? and revision = ?
"""
EMBEDDINGS = "select count(*) from intermediate.int_sequence__embedding"


def of_sequence(corpus: str, sequence_id: int, token_offset: int) -> Sql:
    """The rows of `features` that one sequence has, as they are read for its page and shown on it."""
    return sql(
        "select *\nfrom main.features\nwhere corpus = ",
        Value(corpus),
        " and sequence_id = ",
        Value(sequence_id),
        " and token_offset = ",
        Value(token_offset),
        "\norder by dataset, model, revision",
    )


def text_condition(text: str, column: str, *, match_case: bool) -> Sql:
    """Whether a column of `feat_sequence__text` holds a text."""
    if match_case:
        return sql(f"contains({identifier(column)}, ", Value(text), ")")
    return sql(f"contains(lower({identifier(column)}), lower(", Value(text), "))")


def matching_sequences(matches: Sql) -> Sql:
    """The keys of the sequences whose text fulfils a condition."""
    return sql(f"select {', '.join(SEQUENCE_KEYS)} from main.feat_sequence__text where ", matches)


def keep_matches(conditions: Sequence[Sql], matches: Sql) -> Sql:
    """Keep the rows whose text matches on the connection, so that one scan of all texts serves the page and the count.

    Row numbers hold as long as the store is open to read: nobody writes it meanwhile.
    """
    chosen = _where([*conditions, in_matches(matches)])
    return sql(f"create or replace temp table {MATCHES} as select rowid as row from main.features", chosen)


def in_kept_matches() -> Sql:
    """The condition on `features` that `keep_matches` prepared."""
    return sql(f"rowid in (select row from {MATCHES})")


def in_matches(matches: Sql) -> Sql:
    """The condition on `features` that its text fulfils another."""
    return sql(f"({', '.join(SEQUENCE_KEYS)}) in (", matching_sequences(matches), ")")


def count_kept_matches() -> Sql:
    """How many rows `keep_matches` kept."""
    return sql(f"select count(*) from {MATCHES}")


def count(conditions: Sequence[Sql]) -> Sql:
    """How many rows fulfil all conditions."""
    return sql("select count(*) from main.features", _where(conditions))


def edge(column: str, conditions: Sequence[Sql], leading: Sql, rows: int) -> Sql:
    """What the last of the first `rows` rows has in the column that they are ordered by first.

    It reads one column, and bounds the rows that `page` has to compare by all keys, which are many times as wide.
    """
    ordered = sql("\norder by ", leading, f"\nlimit 1 offset {int(rows) - 1}")
    return sql(f"select {identifier(column)} from main.features", _where(conditions), ordered)


def page(columns: Sequence[str], conditions: Sequence[Sql], order: Sql, limit: int) -> Sql:
    """Some columns of the first rows that fulfil all conditions."""
    listed = ", ".join(map(identifier, columns))
    return sql(f"select {listed} from main.features", _where(conditions), "\norder by ", order, f"\nlimit {int(limit)}")


def texts(sequences: Sequence[tuple[str, int, int]]) -> Sql:
    """The texts of a few sequences. The ids alone narrow the scan of a large table down to a few blocks."""
    ids = joined(", ", [sql(Value(sequence_id)) for sequence_id in sorted({key[1] for key in sequences})])
    keys = joined(", ", [sql("(", Value(c), ", ", Value(s), ", ", Value(o), ")") for c, s, o in sequences])
    return sql(
        "select corpus, sequence_id, token_offset, text, prompt_text, continuation_text from main.feat_sequence__text ",
        sql("where sequence_id in (", ids, f") and ({', '.join(SEQUENCE_KEYS)}) in (", keys, ")"),
    )


def selection(
    columns: Sequence[str], conditions: Sequence[Sql], order: Sql, limit: int | None, *, has_text: bool
) -> Sql:
    """The whole selection with its text, as it is shown, copied and downloaded; rows are limited before they are joined."""
    listed = ", ".join(map(identifier, columns))
    narrow = sql("select *\n    from main.features", _where(conditions, "    "))
    if limit is not None:
        narrow += sql("\n    order by ", order, f"\n    limit {int(limit)}")
    if not has_text:
        return sql(f"select {listed}\nfrom (\n    ", narrow, "\n)\norder by ", order)
    return sql(
        f"select {listed}, prompt_text, continuation_text\nfrom (\n    ",
        narrow,
        f"\n)\nleft join main.feat_sequence__text using ({', '.join(SEQUENCE_KEYS)})\norder by ",
        order,
    )


def _where(conditions: Sequence[Sql], indent: str = "") -> Sql:
    if not conditions:
        return sql()
    return sql(f"\n{indent}where ") + joined(f"\n{indent}    and ", conditions)
