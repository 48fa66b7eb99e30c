"""Features in the paper's 27 columns, under its names and by its definitions, so that its notebooks run on them."""

from __future__ import annotations

import re

import duckdb

from memtax.errors import StoreError
from memtax.export.selection import ExportTable, columns_of, limited
from memtax.export.without_text import ROUNDED_COLUMNS, TEXT_COLUMNS, description, rounded
from memtax.quoting import literal

# The paper's column, what it is in memtax's, and the type; in the published order.
COLUMNS = (
    ("sequence_id", "sequence_id", "bigint"),
    ("loss", "loss", "double"),
    # -1 is what the paper writes where it has no perplexity.
    ("prompt_perplexity", "coalesce(paper_prompt_perplexity, -1)", "double"),
    ("generation_perplexity", "coalesce(paper_generation_perplexity, -1)", "double"),
    ("sequence_perplexity", "coalesce(paper_sequence_perplexity, -1)", "double"),
    ("text", "text", "varchar"),
    ("is_incrementing", "paper_is_incrementing", "boolean"),
    ("is_repeating", "paper_is_repeating", "boolean"),
    ("sequence_duplicates", "sequence_duplicates", "bigint"),
    ("max_frequency", "max_frequency", "bigint"),
    ("avg_frequency", "avg_frequency", "double"),
    ("min_frequency", "min_frequency", "bigint"),
    ("median_frequency", "median_frequency", "double"),
    ("p25_frequency", "p25_frequency", "bigint"),
    ("p75_frequency", "p75_frequency", "bigint"),
    ("frequencies", "frequencies", "bigint[]"),
    ("tokens", "tokens", "bigint[]"),
    ("repeating_offset", "repeating_offset", "integer"),
    ("num_repeating", "num_repeating", "integer"),
    ("smallest_repeating_chunk", "smallest_repeating_chunk", "bigint[]"),
    ("nl_scores", "nl_score", "double"),
    ("0_8_snowclones", "semantic_matches_0_8", "bigint"),
    ("0_9_snowclones", "semantic_matches_0_9", "bigint"),
    ("0_8_templates", "textual_matches_0_8", "bigint"),
    ("0_9_templates", "textual_matches_0_9", "bigint"),
    ("huffman_coding_length", "paper_huffman_coding_length", "double"),
    ("memorization_score", "memorization_score", "double"),
)
# Columns that features has not, and the table that has them.
JOINED = {
    "text": "feat_sequence__text",
    "frequencies": "feat_sequence__token_frequency",
    "tokens": "dim_evaluated_sequences",
    "smallest_repeating_chunk": "feat_sequence__templating",
}
PYTHIA = re.compile(r"pythia-([\d.]+[mb])(-deduped)?", re.IGNORECASE)
DESCRIPTION = (
    "One row per evaluated sequence, in the columns and by the definitions of the paper's published feature tables; one "
    "split per dataset, model and revision."
)


def paper_tables(
    connection: duckdb.DuckDBPyConnection, described: dict[str, str], *, without_text: bool, swapped: bool
) -> list[ExportTable]:
    """One split per dataset, model and revision of `features`.

    Args:
        connection: of a store, after `choose_rows`.
        described: what each column of the marts is.
        without_text: leave out text, tokens, the frequencies of tokens and the repeated chunk: 23 columns; blur the rest
            of what tells single tokens.
        swapped: name the match columns as the published data does, textual ones `snowclones`.

    Raises:
        StoreError: `features` is not built, or has no rows to export.
    """
    built = columns_of(connection)
    if "features" not in built:
        raise StoreError("the store has no table features yet; run dbt run first")
    chosen = limited(connection, built["features"])
    groups = connection.execute(
        f"select distinct dataset, model, revision from main.features{chosen} order by all"  # noqa: S608
    ).fetchall()
    if not groups:
        raise StoreError("features has no rows to export; change --where, or land sequences and run dbt run")
    splits = {group: split_name(*group) for group in groups}
    names = list(splits.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StoreError(f"the split {twice[0]} would hold several datasets or models; export them apart with --where")
    return [
        ExportTable(
            "default",
            split,
            _query(connection, built, group, without_text=without_text, swapped=swapped),
            ("sequence_id", "token_offset", "corpus"),
            DESCRIPTION,
            _descriptions(described, without_text=without_text, swapped=swapped),
            ("features", *sorted(table for table in JOINED.values() if table in built and not without_text)),
        )
        for group, split in splits.items()
    ]


def split_name(dataset: str, model: str, revision: str) -> str:
    """As published, `memories_deduped_12b` or `memories_deduped_12b.23000`, for Pythia; else dataset_model_revision."""
    pythia = PYTHIA.fullmatch(model)
    if pythia:
        step = "" if revision == "main" else f".{revision.removeprefix('step')}"
        suffix = f"_{'deduped' if pythia[2] else 'duped'}_{pythia[1].lower()}{step}"
        # The name of a landed table of the paper ends so already.
        name = dataset.removesuffix(suffix) + suffix
    else:
        name = f"{dataset}_{model}" + ("" if revision == "main" else f"_{revision}")
    return re.sub(r"[^\w.]+", "_", name)


def _swapped(expression: str) -> str:
    other = {"semantic": "textual", "textual": "semantic"}
    return re.sub(r"^(semantic|textual)_matches", lambda match: f"{other[match[1]]}_matches", expression)


def _column_in(expression: str) -> str:
    """The one column of memtax's that an expression of `COLUMNS` reads."""
    return expression.removeprefix("coalesce(").removesuffix(", -1)")


def _descriptions(described: dict[str, str], *, without_text: bool, swapped: bool) -> dict[str, str]:
    texts = {}
    for name, expression, _ in COLUMNS:
        column = _column_in(_swapped(expression) if swapped else expression)
        text = described.get(column, "")
        if column != name:
            text += f" The column `{column}` of memtax's tables."
        if expression.startswith("coalesce("):
            text += " -1 where there is none."
        texts[name] = description(name, text) if without_text else text
    return texts


def _query(
    connection: duckdb.DuckDBPyConnection,
    built: dict[str, dict[str, str]],
    group: tuple[str, str, str],
    *,
    without_text: bool,
    swapped: bool,
) -> str:
    available = {*built["features"], *(c for c, table in JOINED.items() if table in built and not without_text)}
    if without_text:
        available -= TEXT_COLUMNS
    listed = []
    for name, expression, kind in COLUMNS:
        if without_text and name in TEXT_COLUMNS:
            continue
        source = _swapped(expression) if swapped else expression
        value = f"cast({source if _column_in(source) in available else 'null'} as {kind})"
        if without_text and name in ROUNDED_COLUMNS:
            value = rounded(value, kind)
        listed.append(f'{value} as "{name}"')
    from_tables = "main.features"
    for column, table in JOINED.items():
        if column in available and not without_text:
            from_tables += (
                f" left join (select corpus, sequence_id, token_offset, {column} from main.{table}) as {column}_of "  # noqa: S608
                "using (corpus, sequence_id, token_offset)"
            )
    chosen = limited(connection, built["features"])
    condition = " and ".join(
        f"features.{key} = {literal(value)}" for key, value in zip(("dataset", "model", "revision"), group, strict=True)
    )
    return f"select {', '.join(listed)} from {from_tables}{chosen} where {condition}"  # noqa: S608
