"""What the demo prints at the end, read from the tables that dbt built."""

from __future__ import annotations

import sys
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

WIDTH = 132
CATEGORIES = ("recitation", "reconstruction", "recollection")

COUNTS = """
    select
        model,
        revision,
        training_fraction,
        count(*) as windows,
        count(*) filter (memorized) as memorized,
        count(distinct continuation) filter (memorized) as distinct_memorized,
        {categories}
    from fct_memorization
    inner join dim_models using (corpus, model, revision)
    inner join (
        select corpus, sequence_id, token_offset, tokens[33:] as continuation from dim_evaluated_sequences
    ) using (corpus, sequence_id, token_offset)
    where fct_memorization.corpus = ?
    group by all
    order by min(n_parameters), training_fraction
"""

BY_DUPLICATES = """
    select
        case
            when sequence_duplicates = 1 then '1'
            when sequence_duplicates <= 5 then '2–5'
            when sequence_duplicates <= 20 then '6–20'
            else '> 20'
        end as duplicates,
        count(*) as windows,
        count(*) filter (memorized) as memorized
    from fct_memorization
    inner join feat_sequence__duplicates using (corpus, sequence_id, token_offset)
    where corpus = ? and model = ? and revision = ? and sequence_duplicates >= 1
    group by all
    order by min(sequence_duplicates)
"""

BY_CODE_TYPE = """
    select
        code_type,
        count(*) as windows,
        count(*) filter (memorized) as memorized
    from fct_memorization
    inner join feat_sequence__code using (corpus, sequence_id, token_offset)
    where corpus = ? and model = ? and revision = ? and code_type is not null
    group by all
    order by code_type
"""

METRICS = """
    select category, predictor, n_rows, n_memorized, n_fallback_rows, status, roc_auc, pr_auc, precision, recall, f1,
           calibration_error
    from taxonomy_metrics
    where split = 'test' and model = ? and revision = ?
    order by list_position(['all', 'recitation', 'reconstruction', 'recollection'], category), predictor
"""


def print_summary(connection: duckdb.DuckDBPyConnection, corpus: str) -> None:
    """Print memorized counts and categories by checkpoint, P(memorized) by duplicates and by code or language, and the
    taxonomy's metrics.

    Args:
        connection: the demo's store, after `dbt build`.
        corpus: the demo's corpus.
    """
    # In a file or a log there is no terminal to ask for its width, and 80 columns would cut the names.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    counts = _counts(connection, corpus)
    console.print(_counts_table(counts))
    model, revision = counts[-1]["model"], counts[-1]["revision"]
    for title, first, query in (
        ("P(memorized) by duplicates", "duplicates", BY_DUPLICATES),
        ("P(memorized) of code and natural language (nl)", "text is", BY_CODE_TYPE),
    ):
        rows = connection.execute(query, [corpus, model, revision]).fetchall()
        console.print(_probability_table(f"{title}: {model}@{revision}", first, rows))
    console.print(_metrics_table(connection, model, revision))


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share, as statsmodels and scipy define it.

    Args:
        successes: rows that are memorized.
        trials: all rows, at least 1.
    """
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _counts(connection: duckdb.DuckDBPyConnection, corpus: str) -> list[dict[str, Any]]:
    parts = ", ".join(
        f"count(distinct continuation) filter (memorized and category = '{name}') as {name}" for name in CATEGORIES
    )
    return connection.execute(COUNTS.format(categories=parts), [corpus]).to_arrow_table().to_pylist()


def _counts_table(counts: list[dict[str, Any]]) -> Table:
    title = "Memorized windows by model and checkpoint; categories count distinct continuations"
    table = Table(title=title, title_justify="left")
    for name in ("model", "checkpoint", "trained", "windows", "memorized", "distinct", *CATEGORIES):
        table.add_column(name, justify="left" if name in ("model", "checkpoint") else "right")
    for row in counts:
        distinct = row["distinct_memorized"]
        shares = (f"{row[name]} ({row[name] / distinct:.0%})" if distinct else "0" for name in CATEGORIES)
        trained = f"{row['training_fraction']:.0%}"
        table.add_row(
            row["model"], row["revision"], trained, str(row["windows"]), str(row["memorized"]), str(distinct), *shares
        )
    return table


def _probability_table(title: str, first: str, rows: list[tuple[str, int, int]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in (first, "windows", "memorized", "P(memorized)", "95 % interval"):
        table.add_column(name, justify="right")
    for group, windows, memorized in rows:
        low, high = wilson_interval(memorized, windows)
        table.add_row(group, str(windows), str(memorized), f"{memorized / windows:.1%}", f"{low:.1%} – {high:.1%}")
    return table


def _metrics_table(connection: duckdb.DuckDBPyConnection, model: str, revision: str) -> Table:
    title = f"Predicting memorization on held-out continuations: {model}@{revision}"
    table = Table(title=title, title_justify="left")
    measures = ("roc_auc", "pr_auc", "precision", "recall", "f1", "calibration_error")
    headings = ("ROC-AUC", "PR-AUC", "precision", "recall", "F1", "calibration error")
    for name in ("rows", "predictor", "n", "memorized", *headings, "note"):
        table.add_column(name, justify="left" if name in ("rows", "predictor", "note") else "right")
    for row in connection.execute(METRICS, [model, revision]).to_arrow_table().to_pylist():
        note = "" if row["status"] == "evaluated" else row["status"]
        if row["predictor"] == "taxonomy" and row["n_fallback_rows"]:
            note = f"{note}; " if note else ""
            note += f"{row['n_fallback_rows']} rows by the baseline: too few examples to fit their category"
        values = ("–" if row[name] is None else f"{row[name]:.3f}" for name in measures)
        table.add_row(row["category"], row["predictor"], str(row["n_rows"]), str(row["n_memorized"]), *values, note)
    return table
