"""Entropy and Gini coefficient of the attention, by layer."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer


def by_layer(answer: Answer) -> Any:
    """Means with intervals by layer, panels by measure."""
    layers = max(answer.column("layer"))
    # Intervals that lie over each other would hide each other: the two sides stand a little apart.
    apart = 0.012 * max(1, layers - 1)
    base = charts.rows().transform_calculate(
        at=f"datum.layer + (datum.side === '{charts.SIDES[0]}' ? -{apart:.3f} : {apart:.3f})"
    )
    colour = charts.coloured("side", charts.SIDES, "shape")
    # There is no half of a layer, which ticks of Vega's choice would mark, rounded, as another whole one.
    ticks = list(range(1, layers + 1, -(-layers // charts.MOST_TICKS)))
    x = alt.X("at:Q", title="layer", axis=alt.Axis(format="d", values=ticks), scale=alt.Scale(zero=False, padding=15))
    scale = alt.Scale(zero=False)
    rule = base.mark_rule(strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q", title="mean over windows", scale=scale), y2="high", color=colour
    )
    line = base.mark_line(strokeWidth=1.5).encode(x=x, y=alt.Y("mean:Q", scale=scale), color=colour)
    dot = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=x,
        y=alt.Y("mean:Q", scale=scale),
        color=colour,
        shape=charts.shaped("side", charts.SIDES),
        tooltip=charts.tooltips(
            "measure:N", "layer:Q:d", "side:N", "mean:Q:.4f", "low:Q:.4f", "high:Q:.4f", "n_sequences:Q:,"
        ),
    )
    chart = (rule + line + dot).properties(height=charts.HEIGHT)
    return charts.faceted(chart, "measure", ["entropy", "Gini coefficient"], columns=2, cell=380, y="independent")


SECTION = Section(
    "attention",
    "Attention",
    "Attention: how spread out it is, by layer",
    (
        Figure(
            name="attention",
            title="Entropy and Gini coefficient by layer",
            reading=(
                "The mean over a layer's heads, for memorized windows and others, with 95 % intervals. High entropy "
                "and a low Gini coefficient mean attention that is spread over many tokens; the first layer is on the "
                "left."
            ),
            question="attention",
            needs=("feat_sequence_model__attention", "fct_memorization"),
            draw=by_layer,
            follows=("run",),
            empty="Attention was not computed: it takes the plain implementation, about half as fast, and so a var asks for it.",
            command="dbt run --vars '{attention: true}'",
        ),
    ),
)
