"""The score of code and natural language, and its thresholds."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer

# code_type as features has it, in the words and colours of the other figures.
WORDS = "datum.code_type === 'nl' ? 'natural language' : datum.code_type"


def histogram(answer: Answer) -> Any:
    """Windows by score, with the highest score called code and the lowest called natural language."""
    kinds = ["code", "uncertain", "natural language"]
    base = charts.rows().transform_calculate(text_kind=WORDS)
    bars = base.mark_bar(stroke="@page", strokeWidth=0.5).encode(
        x=alt.X("score_from:Q", bin="binned", title="probability of natural language", scale=alt.Scale(domain=[0, 1])),
        x2="score_to:Q",
        y=alt.Y("n_sequences:Q", stack="zero", title="windows", axis=alt.Axis(format="~s", tickMinStep=1)),
        color=charts.coloured("text_kind", kinds),
        tooltip=charts.tooltips(
            "text_kind:N", "score_from:Q:.2f", "score_to:Q:.2f", "n_sequences:Q:,", "n_memorized:Q:,"
        ),
    )
    edges = [
        base.transform_filter(f"datum.text_kind === '{kind}'")
        .transform_aggregate(at=f"{bound}", groupby=["text_kind"])
        .mark_rule(strokeDash=[4, 3], strokeWidth=1.5, color="@ink")
        .encode(x="at:Q", tooltip=charts.tooltips("text_kind:N", "at:Q:.4f"))
        for kind, bound in (("code", "max(greatest_score)"), ("natural language", "min(least_score)"))
    ]
    return alt.layer(bars, *edges).properties(width="container", height=charts.HEIGHT)


def thresholds(answer: Answer) -> Any:
    """The share that would be called code, by threshold."""
    return (
        charts.rows()
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("threshold:Q", title="threshold", scale=alt.Scale(domain=[0, 1])),
            y=charts.share("share_below", "called code"),
            color=charts.coloured("side", charts.SIDES, "stroke"),
            strokeDash=charts.dashed("side", charts.SIDES),
            tooltip=charts.tooltips("side:N", "threshold:Q:.2f", "share_below:Q:.1%"),
        )
        .properties(width="container", height=charts.HEIGHT)
    )


NO_SCORE = "No window has a code score: it takes text, and so a corpus with a tokenizer, or a published score."
COMMAND = "memtax ingest corpus NAME SOURCE --tokenizer T, then dbt run"

SECTION = Section(
    "code-scores",
    "Code scores",
    "Code or natural language: the score and its thresholds",
    (
        Figure(
            name="code-scores",
            title="Where the thresholds lie",
            reading=(
                "Windows by the classifier's probability of natural language. The dashed lines are the highest score "
                "that was called code and the lowest that was called natural language: thresholds that lie where few "
                "windows are decide little."
            ),
            question="code_scores",
            needs=("features",),
            draw=histogram,
            follows=("sample", "run"),
            empty=NO_SCORE,
            command=COMMAND,
        ),
        Figure(
            name="code-thresholds",
            title="What another threshold would call code",
            reading=(
                "The share of windows below each threshold, for memorized windows and others. Where the lines are "
                "flat, moving the threshold changes nothing; where they lie apart, code is memorized more or less "
                "often than natural language."
            ),
            question="code_thresholds",
            needs=("features",),
            draw=thresholds,
            follows=("sample", "run"),
            empty=NO_SCORE,
            command=COMMAND,
        ),
    ),
)
