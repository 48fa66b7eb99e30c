"""Distributions of features among memorized windows and others, and how far apart they are."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer

# Filled dots are of rows enough on both sides.
FEW = 30
ENOUGH = alt.condition(f"datum.n_memorized >= {FEW} && datum.n_other >= {FEW}", alt.value(1), alt.value(0))
MEASURES = {"kl_divergence": "Kullback-Leibler", "jensen_shannon": "Jensen-Shannon"}


def densities(answer: Answer) -> Any:
    """Two densities for each feature, on the feature's own scale."""
    scales = dict(zip(answer.column("feature"), answer.column("scale"), strict=True))
    panels = []
    for feature, scale in sorted(scales.items()):
        quoted = feature.replace("\\", "\\\\").replace("'", "\\'")
        x_scale = alt.Scale(type="log", nice=False) if scale == "log" else alt.Scale(zero=False)
        words = feature.replace("_", " ") + (" (log scale)" if scale == "log" else "")
        panels.append(
            charts.rows()
            .transform_filter(f"datum.feature === '{quoted}'")
            .mark_bar(opacity=0.55, stroke=None)
            .encode(
                x=alt.X(
                    "bin_low:Q",
                    bin="binned",
                    title=words,
                    scale=x_scale,
                    axis=alt.Axis(format="~s", tickCount=5, labelOverlap=True),
                ),
                x2="bin_high:Q",
                y=alt.Y("density:Q", stack=None, title="density" + (" per factor of ten" if scale == "log" else "")),
                color=charts.coloured("side", charts.SIDES),
                tooltip=charts.tooltips(
                    "feature:N", "side:N", "bin_low:Q:.4~g", "bin_high:Q:.4~g", "share:Q:.2%", "n:Q:,", "density:Q:.3~g"
                ),
            )
            .properties(height=200)
        )
    return alt.concat(*panels, columns=2).properties(usermeta={"cell": 380, "columns": 2})


def divergences(answer: Answer) -> Any:
    """Dots with intervals, a row for each feature, panels by measure."""
    base = charts.rows()
    y = alt.Y("feature:N", title=None)
    rule = charts.intervals(base, "low", "high", "divergence", color="@all").encode(
        x=alt.X("bar_low:Q", title="divergence, nats", axis=alt.Axis(tickCount=6)), x2="bar_high", y=y
    )
    dot = base.mark_point(size=60, strokeWidth=1.5, opacity=1, color="@all", fill="@all").encode(
        x=alt.X("divergence:Q"),
        y=y,
        fillOpacity=ENOUGH,
        tooltip=charts.tooltips(
            "feature:N", "divergence:Q:.4f", "low:Q:.4f", "high:Q:.4f", "n_memorized:Q:,", "n_other:Q:,", "status:N"
        ),
    )
    chart = (rule + dot).properties(height=alt.Step(26))
    found = charts.present(answer.column("measure"), tuple(MEASURES))
    return charts.faceted(chart, "measure", found, columns=2, cell=380, words=MEASURES, x="independent")


def by_duplicates(answer: Answer) -> Any:
    """Divergence within ranges of duplicates, panels by feature."""
    base = charts.rows().transform_calculate(
        range="datum.duplicates_from === datum.duplicates_to ? format(datum.duplicates_from, ',') : "
        "format(datum.duplicates_from, ',') + '–' + format(datum.duplicates_to, ',')"
    )
    x = alt.X(
        "range:N",
        sort=alt.EncodingSortField(field="duplicates_from", op="min"),
        title="occurrences of the continuation",
        axis=alt.Axis(labelAngle=-35),
    )
    rule = charts.intervals(base, "low", "high", "divergence", color="@all").encode(
        x=x, y=alt.Y("bar_low:Q", title="divergence, nats"), y2="bar_high"
    )
    dot = base.mark_point(size=55, strokeWidth=1.5, opacity=1, color="@all", fill="@all").encode(
        x=x,
        y="divergence:Q",
        fillOpacity=ENOUGH,
        tooltip=charts.tooltips(
            "feature:N",
            "range:N",
            "divergence:Q:.4f",
            "low:Q:.4f",
            "high:Q:.4f",
            "n_memorized:Q:,",
            "n_other:Q:,",
            "status:N",
        ),
    )
    chart = alt.layer(charts.zero_line("y"), rule, dot).properties(height=200)
    return charts.faceted(
        chart, "feature", charts.order(answer.column("feature")), columns=2, cell=380, y="independent"
    )


def published(answer: Answer) -> str | None:
    """Says what the protocol paper has in the place of these divergences."""
    if "paper" not in answer.column("protocol"):
        return None
    return (
        "Under the protocol paper: of the memorized windows from all, not from the others, over values that are paired at "
        "random; bars are the middle 95 % of 100 such draws, which are no confidence interval."
    )


NO_ROWS = "No distributions were counted: they are of the rows that the taxonomy is trained on."

SECTION = Section(
    "distributions",
    "Distributions",
    "Distributions: duplicates and perplexities of memorized windows and others",
    (
        Figure(
            name="distributions",
            title="Memorized windows and others",
            reading=(
                "The two histograms of a feature, each of area 1, over the same bins; where they overlap, colours mix. "
                "The less they overlap, the better the feature alone tells memorized windows from others."
            ),
            question="distributions",
            needs=("memorization_distributions",),
            draw=densities,
            follows=("run",),
            empty=NO_ROWS,
        ),
        Figure(
            name="divergences",
            title="How far apart they are",
            reading=(
                "The Kullback-Leibler divergence of the memorized from the others (how much a memorized window's value "
                "says, on average, for its being memorized) and the symmetric Jensen-Shannon divergence (at most ln 2 "
                "= 0.693), with 95 % intervals. 0 means that they are alike. Hollow dots are of fewer than 30 windows "
                "on a side; where no interval can be told, a dot has no bar."
            ),
            question="divergences",
            needs=("taxonomy_divergences",),
            draw=divergences,
            follows=("run",),
            empty=NO_ROWS,
            note=published,
        ),
        Figure(
            name="divergences-by-duplicates",
            title="The same among windows that are repeated equally often",
            reading=(
                "The Kullback-Leibler divergence within ranges of duplicates: what the feature still says when the "
                "number of repetitions is known. Hollow dots are of fewer than 30 windows on a side: their intervals "
                "are wide or missing, and a 0 says only that nothing could be told."
            ),
            question="divergences_by_duplicates",
            needs=("taxonomy_divergences",),
            draw=by_duplicates,
            follows=("run",),
            empty=NO_ROWS,
            note=published,
        ),
    ),
    of_taxonomy=True,
)
