"""P(memorized) by duplicates, by code or language, and by prompt."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer

DUPLICATES = alt.X(
    "duplicates_from:Q",
    scale=alt.Scale(type="log", nice=False),
    title="duplicates (log scale)",
    axis=alt.Axis(format=",d", values=[1, 2, 5, 10, 20, 50, 100, 1000, 10**4, 10**5, 10**6, 10**7], labelOverlap=True),
)
# What a tooltip says of a range of duplicates.
OF_DUPLICATES = (
    "duplicates_from:Q:,",
    "duplicates_to:Q:,",
    "p_memorized:Q:.2%",
    "p_memorized_low:Q:.2%",
    "p_memorized_high:Q:.2%",
    "n_memorized:Q:,",
    "n_sequences:Q:,",
)


def by_duplicates(answer: Answer) -> Any:
    """A curve with its band for all windows, code and natural language each."""
    kinds = charts.order(answer.column("text_kind"), charts.TEXT_KINDS[:3])
    base = charts.rows().transform_filter("datum.duplicates_from >= 1")
    colour = charts.coloured("text_kind", kinds)
    band = base.mark_area(opacity=0.22).encode(
        x=DUPLICATES, y=charts.share("p_memorized_low", "P(memorized)"), y2="p_memorized_high", color=colour
    )
    line = base.mark_line(strokeWidth=2).encode(
        x=DUPLICATES, y=charts.share("p_memorized", "P(memorized)"), color=colour
    )
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(
        x=DUPLICATES,
        y=charts.share("p_memorized", "P(memorized)"),
        color=colour,
        tooltip=charts.tooltips("text_kind:N", *OF_DUPLICATES),
    )
    return charts.faceted(
        (band + line + dots).properties(height=charts.HEIGHT), "text_kind", kinds, columns=3, cell=230
    )


def by_duplicates_and_model(answer: Answer) -> Any:
    """A curve for each model and checkpoint."""
    curves = charts.order(answer.column("curve"))
    base = charts.rows().transform_filter("datum.duplicates_from >= 1")
    tips = charts.tooltips("curve:N", *OF_DUPLICATES)
    encoding: dict[str, Any] = {
        "x": DUPLICATES,
        "y": charts.share("p_memorized", "P(memorized)"),
        "color": charts.ramp("curve", curves),
    }
    line = base.mark_line(strokeWidth=2).encode(**encoding)
    dots = base.mark_point(filled=True, size=40, opacity=1).encode(**encoding, tooltip=tips)
    return (line + dots).properties(width="container", height=320)


def by_text_kind(answer: Answer) -> Any:
    """A dot with its interval for each kind of text, in the rows of models."""
    kinds = charts.order(answer.column("text_kind"), charts.TEXT_KINDS[1:])
    y = alt.Y("model_and_checkpoint:N", sort=charts.order(answer.column("model_and_checkpoint")), title=None)
    offset = alt.YOffset("text_kind:N", sort=kinds)
    base = charts.rows()
    colour = charts.coloured("text_kind", kinds, "shape")
    axis = alt.Axis(format="~%", tickCount=8)
    rule = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("p_memorized_low:Q", title="P(memorized)", axis=axis),
        x2="p_memorized_high",
        y=y,
        yOffset=offset,
        color=colour,
    )
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X("p_memorized:Q", axis=axis),
        y=y,
        yOffset=offset,
        color=colour,
        shape=charts.shaped("text_kind", kinds),
        tooltip=charts.tooltips(
            "model_and_checkpoint:N",
            "text_kind:N",
            "p_memorized:Q:.2%",
            "p_memorized_low:Q:.2%",
            "p_memorized_high:Q:.2%",
            "n_memorized:Q:,",
            "n_sequences:Q:,",
            "share_of_memorized:Q:.1%",
        ),
    )
    return (rule + dots).properties(width="container", height=alt.Step(13))


def along_the_prompt(answer: Answer, column: str, title: str, last: str | None = None) -> Any:
    """P(memorized) against a number, with intervals.

    Args:
        answer: rows of `column`, p_memorized, low, high, k and n.
        column: whole numbers, along which the points stand.
        title: of their axis.
        last: the column of the last number that a row is of, where it is of several.
    """
    tips = [f"{column}:Q:,", *([f"{last}:Q:,"] if last else [])]
    base = charts.rows()
    # The page marks the numbers that are there, if they are few. An axis that ends where they do has none below 0.
    axis = alt.Axis(format=",d", labelOverlap=True, tickMinStep=1)
    x = alt.X(f"{column}:Q", title=title, axis=axis, scale=alt.Scale(zero=False, nice=False))
    y = charts.share("p_memorized", "P(memorized)", at_most_one=False)
    rule = base.mark_rule(strokeWidth=2, color="@all").encode(x=x, y=alt.Y("low:Q"), y2="high")
    line = base.mark_line(strokeWidth=1.5, color="@all").encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=55, opacity=1, color="@all").encode(
        x=x,
        y=y,
        tooltip=charts.tooltips(*tips, "p_memorized:Q:.2%", "low:Q:.2%", "high:Q:.2%", "k:Q:,", "n:Q:,"),
    )
    alone = len(set(answer.column(column))) == 1
    chart = (rule + line + dots).properties(width="container", height=110 if alone else charts.HEIGHT)
    return chart.properties(usermeta={"ticks": column})


def only_one(answer: Answer, column: str, what: str, command: str) -> str | None:
    """Says how to have more than one, where there is only one."""
    values = set(answer.column(column))
    if len(values) != 1:
        return None
    found = f"Only {what} {values.pop():,} was evaluated."
    # Where no model was run, none of the corpus' windows can be asked for in another way.
    return (
        f"{found} More of them: {command}" if any(answer.column("was_run_here")) else f"{found} The scores were landed."
    )


NO_DUPLICATES = (
    "Of no evaluated window is it known how often its continuation occurs: that takes a corpus, or published counts."
)
DUPLICATES_FROM = "memtax ingest corpus NAME SOURCE, then dbt run"


SECTION = Section(
    "probability",
    "P(memorized)",
    "P(memorized): by duplicates, code and language, and prompt",
    (
        Figure(
            name="memorized-by-duplicates",
            title="P(memorized) by duplicates",
            reading=(
                "How likely a window is to be memorized, by its duplicates: how often its continuation occurs in the "
                "corpus. A point is a range of counts, which double in width from the threshold of recitation on; the "
                "band is its 95 % Wilson interval."
            ),
            question="memorized_by_duplicates",
            needs=("memorization_by_duplicates",),
            draw=by_duplicates,
            follows=("sample", "run"),
            empty=NO_DUPLICATES,
            command=DUPLICATES_FROM,
        ),
        Figure(
            name="memorized-by-duplicates-and-model",
            title="The same across models and checkpoints",
            reading=(
                "One curve for each model and checkpoint, the smallest and earliest in the faintest colour. A curve "
                "that lies further to the left needs fewer repetitions to memorize. Intervals are in the tooltips."
            ),
            question="memorized_by_duplicates_and_model",
            needs=("memorization_by_duplicates",),
            draw=by_duplicates_and_model,
            follows=("sample",),
            empty=NO_DUPLICATES,
            command=DUPLICATES_FROM,
        ),
        Figure(
            name="memorized-by-text-kind",
            title="P(memorized) of code and natural language",
            reading=(
                "Dots with 95 % Wilson intervals. Kinds whose intervals lie apart differ; they may do so because one "
                "of them is repeated more often, which the figures above set aside."
            ),
            question="memorized_by_text_kind",
            needs=("memorization_by_text_kind",),
            draw=by_text_kind,
            follows=("sample",),
        ),
        Figure(
            name="memorized-by-prompt-length",
            title="P(memorized) by length of the prompt",
            reading=(
                "The same continuations, asked for with longer and longer prompts: a rise says how much context "
                "unlocks. Bars are 95 % Wilson intervals."
            ),
            question="memorized_by_prompt_length",
            needs=("memorization_by_prompt",),
            draw=lambda answer: along_the_prompt(answer, "prompt_length", "tokens of prompt"),
            follows=("sample", "run"),
            empty="No model was run on prompts: landed scores say nothing of their length.",
            command="memtax ingest model NAME LOCATION --corpus NAME, then dbt run",
            note=lambda answer: only_one(
                answer, "prompt_length", "a prompt length of", "dbt run --vars '{prompt_lengths: [8, 16, 24]}'"
            ),
        ),
        Figure(
            name="memorized-by-offset",
            title="P(memorized) by position in the sequence",
            reading=(
                "Where in its training sequence a window begins, at the longest prompt; bars are 95 % Wilson "
                "intervals. A flat line says that the position does not matter. Of more than 100 positions, those of "
                "each hundredth of the sequence make one point, at the first of them."
            ),
            question="memorized_by_offset",
            needs=("memorization_by_prompt",),
            draw=lambda answer: along_the_prompt(
                answer, "token_offset", "first token of the window", "last_token_offset"
            ),
            follows=("sample", "run"),
            empty="No model was run on prompts: landed scores say nothing of their place.",
            command="memtax ingest model NAME LOCATION --corpus NAME, then dbt run",
            note=lambda answer: only_one(
                answer,
                "token_offset",
                "the offset",
                "memtax sample NAME --corpus CORPUS --n 1000 --token-offset 0,512,1024",
            ),
        ),
    ),
)
