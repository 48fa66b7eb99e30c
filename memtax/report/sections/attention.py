"""Entropy and Gini coefficient of the attention, by layer."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer


def by_layer(answer: Answer) -> Any:
    """Means with intervals by layer, panels by measure."""
    base = charts.rows()
    colour = charts.coloured("side", charts.SIDES, "shape")
    # Each layer has a place of its own, of whichever model is chosen, in which the two sides stand a little apart: intervals
    # that lie over each other would hide each other.
    x = alt.X("layer:O", title="layer", axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False))
    apart = alt.XOffset("side:N", sort=list(charts.SIDES), scale=alt.Scale(paddingOuter=0.9))
    scale = alt.Scale(zero=False)
    rule = charts.intervals(base, "low", "high", "mean").encode(
        x=x, xOffset=apart, y=alt.Y("bar_low:Q", title="mean over windows", scale=scale), y2="bar_high", color=colour
    )
    line = base.mark_line(strokeWidth=1.5).encode(x=x, xOffset=apart, y=alt.Y("mean:Q", scale=scale), color=colour)
    dot = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=x,
        xOffset=apart,
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
