"""What the demo prints at the end, read from the tables that dbt built."""

from __future__ import annotations

import sys
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from memtax.taxonomy.words import comparison_sentences

WIDTH = 150
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
    select
        category,
        predictor,
        any_value(n_rows) as n_rows,
        any_value(n_memorized) as n_memorized,
        any_value(n_fallback_rows) as n_fallback_rows,
        any_value(status) filter (measure = 'log_loss') as status,
        {measures}
    from taxonomy_metrics
    where split = 'test' and protocol = 'corrected' and model = ? and revision = ?
    group by category, predictor
    order by
        list_position(['all', 'recitation', 'reconstruction', 'recollection'], category),
        list_position(['baseline', 'taxonomy', 'tree', 'searched', 'own'], predictor)
"""

COMPARISONS = """
    select predictor, difference, low, high, n_rows, n_memorized
    from taxonomy_comparisons
    where model = ? and revision = ? and category = 'all' and measure = 'log_loss'
    order by list_position(['taxonomy', 'tree', 'searched', 'own'], predictor)
"""

MEASURES = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "f1": "F1", "calibration_error": "calibration error"}


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
    console.print("In words")
    for sentence in comparison_sentences(_dicts(connection, COMPARISONS, [model, revision])):
        console.print(f"  {sentence}")


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
    return _dicts(connection, COUNTS.format(categories=parts), [corpus])


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
    title = f"Predicting memorization on held-out continuations, with 95 % intervals: {model}@{revision}"
    table = Table(title=title, title_justify="left")
    for name in ("rows", "predictor", "n", "memorized", *MEASURES.values(), "note"):
        table.add_column(name, justify="left" if name in ("rows", "predictor", "note") else "right")
    columns = ", ".join(
        f"any_value({part}) filter (measure = '{name}') as {name}_{part}"
        for name in MEASURES
        for part in ("value", "low", "high")
    )
    for row in _dicts(connection, METRICS.format(measures=columns), [model, revision]):
        # Of log-loss, which every row has a part in: what another measure alone lacks can be seen.
        note = "" if row["status"].startswith("evaluated") else row["status"]
        if row["predictor"] != "baseline" and row["n_fallback_rows"]:
            note = f"{note}; " if note else ""
            note += f"{row['n_fallback_rows']} by the baseline"
        values = (_with_interval(row[f"{name}_value"], row[f"{name}_low"], row[f"{name}_high"]) for name in MEASURES)
        table.add_row(row["category"], row["predictor"], str(row["n_rows"]), str(row["n_memorized"]), *values, note)
    return table


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.2f}–{high:.2f})"


def _dicts(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    return connection.execute(sql, parameters).to_arrow_table().to_pylist()
