"""What goes with memorization: the regressions' coefficients, and correlations."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer

SCOPES = ("baseline", "recitation", "reconstruction", "recollection")
METHODS = ("pearson", "spearman", "xi")
TEXTS = ("all", "natural language", "code")


def coefficients(answer: Answer) -> Any:
    """Dots with intervals, a row for each feature, panels by scope."""
    features = alt.Y(
        "feature:N",
        title=None,
        sort=alt.EncodingSortField(field="standardized_coefficient", op="max", order="descending"),
        axis=alt.Axis(grid=True),
    )
    # A cross has no interval, and is no hollow dot, whose interval includes 0.
    bounded = "isValid(datum.standardized_low) && isValid(datum.standardized_high)"
    base = charts.rows().transform_calculate(
        told_apart=f"!({bounded}) || datum.standardized_low > 0 || datum.standardized_high < 0 ? 1 : 0"
    )
    colour = charts.coloured("scope", SCOPES)
    fill = alt.FillOpacity("told_apart:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None)
    rule = charts.intervals(base, "standardized_low", "standardized_high", "standardized_coefficient").encode(
        x=alt.X("bar_low:Q", title="change in log-odds per standard deviation"),
        x2="bar_high",
        y=features,
        color=colour,
    )
    dot = base.mark_point(size=55, strokeWidth=1.5, opacity=1).encode(
        x="standardized_coefficient:Q",
        y=features,
        color=colour,
        fill=charts.filled("scope", SCOPES),
        fillOpacity=fill,
        shape=alt.condition(bounded, alt.value("circle"), alt.value("cross")),
        tooltip=charts.tooltips(
            "feature:N",
            "scope:N",
            "standardized_coefficient:Q:+.3f",
            "standardized_low:Q:+.3f",
            "standardized_high:Q:+.3f",
            "p_value:Q:.2g",
            "variance_inflation:Q:.3s",
            "n_train_rows:Q:,",
            "n_train_memorized:Q:,",
            "status:N",
        ),
    )
    chart = alt.layer(charts.zero_line(), rule, dot).properties(height=alt.Step(17))
    scopes = charts.order(answer.column("scope"), SCOPES)
    return charts.faceted(chart, "scope", scopes, columns=2, cell=420)


def separable(answer: Answer) -> str | None:
    """Names the fits of one model and checkpoint that need a word of caution."""
    statuses = zip(answer.column("scope"), answer.column("status"), strict=True)
    cautions = {scope: status for scope, status in statuses if status != "fitted"}
    if not cautions:
        return None
    shown = "; ".join(f"{scope}: {cautions[scope]}" for scope in charts.order(list(cautions), SCOPES))
    return f"To be read with care: {shown}."


def heat(answer: Answer, across: str, names: tuple[str, ...], panels: str, order: tuple[str, ...]) -> Any:
    """A heat map of correlations with their values."""
    base = charts.rows()
    # The table calls all windows what the regressions call the one for all.
    words = alt.Axis(labelAngle=-35, labelExpr="datum.label === 'baseline' ? 'all' : datum.label")
    x = alt.X(f"{across}:N", sort=list(names), title=None, axis=words)
    features = charts.order(answer.column("feature"))
    y = alt.Y("feature:N", sort=features, title=None)
    colour = alt.Color(
        "correlation:Q",
        scale=alt.Scale(domain=[-1, 0, 1], range=["@low", "@middle", "@high"], interpolate="rgb"),
        legend=alt.Legend(orient="top", title="correlation with memorized", gradientLength=180, values=[-1, 0, 1]),
    )
    tips = charts.tooltips(
        "feature:N", "category:N", f"{panels}:N", "correlation:Q:+.3f", "p_value:Q:.2g", "n_rows:Q:,", "n_memorized:Q:,"
    )
    cell = base.mark_rect().encode(x=x, y=y, color=colour, tooltip=tips)
    strong = alt.condition("abs(datum.correlation) > 0.55", alt.value("@on-strong"), alt.value("@ink"))
    label = base.mark_text(fontSize=10).encode(
        x=x, y=y, text=alt.Text("correlation:Q", format="+.2f"), color=strong, tooltip=tips
    )
    chart = (cell + label).properties(height=alt.Step(19))
    return charts.faceted(chart, panels, charts.order(answer.column(panels), order), columns=3, cell=290)


COEFFICIENTS = Section(
    "coefficients",
    "Coefficients",
    "Coefficients: what drives memorization in each category",
    (
        Figure(
            name="coefficients",
            title="Standardized coefficients",
            reading=(
                "How much the log-odds of memorization change when a feature rises by one standard deviation and the "
                "others stay: right of the dashed line with, left against. Bars are 95 % intervals; a filled dot's "
                "leaves out 0, and a cross has none. Features that say nearly the same (the inflation is among the "
                "numbers) share an effect between them, at random."
            ),
            question="coefficients",
            needs=("taxonomy_models",),
            draw=coefficients,
            follows=("run",),
            empty="No regression could be fitted: each needs a few memorized and a few other windows.",
            note=separable,
        ),
    ),
    of_taxonomy=True,
)

CORRELATIONS = Section(
    "correlations",
    "Correlations",
    "Correlations: what goes with memorization, one feature at a time",
    (
        Figure(
            name="correlations",
            title="Three correlations, by category",
            reading=(
                "Pearson's correlation sees straight lines, Spearman's any steady rise or fall, and Chatterjee's xi "
                "any function (0: none, 1: memorization is a function of the feature; it has no sign). Where a "
                "cell is missing, the correlation is not defined: the feature or memorization itself is the same for "
                "all windows, or there are too few."
            ),
            question="correlations",
            needs=("taxonomy_correlations",),
            draw=lambda answer: heat(answer, "category", SCOPES, "method", METHODS),
            follows=("run",),
            empty="No correlations were computed: the taxonomy's rows are missing.",
        ),
        Figure(
            name="correlations-by-text",
            title="Spearman's correlation for all windows, natural language and code",
            reading=(
                "Rank correlations where the text is natural language or code: does a feature go with memorization in both?"
            ),
            question="correlations_by_text",
            needs=("taxonomy_correlations",),
            draw=lambda answer: heat(answer, "category", SCOPES, "text_kind", TEXTS),
            follows=("run",),
            empty="No correlations were computed: the taxonomy's rows are missing.",
        ),
    ),
    of_taxonomy=True,
)
