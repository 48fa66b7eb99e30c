"""The partition search as a heat map."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer


def heat(answer: Answer) -> Any:
    """The gain of the best partition of each ordered pair of features."""
    base = charts.rows()
    # Both ways alike, and for every model, so that a colour is a size. What is sought is a gain: one bad pair must not pale all.
    gains = [gain for gain in answer.column("gain") if gain is not None]
    most = max(gains, default=0) if max(gains, default=0) > 0 else max(map(abs, gains), default=0) or 1.0
    features = sorted({*answer.column("first_feature"), *answer.column("second_feature")})
    x = alt.X("second_feature:N", sort=features, title="second question", axis=alt.Axis(labelAngle=-40, grid=False))
    y = alt.Y("first_feature:N", sort=features, title="first question")
    tips = charts.tooltips(
        "first_feature:N",
        "first_from:Q:.4~g",
        "second_feature:N",
        "second_from:Q:.4~g",
        "gain:Q:+.4f",
        "best_score:Q:.4f",
        "baseline_score:Q:.4f",
        "best_place:Q:,",
        "n_ranked:Q:,",
        "n_candidates:Q:,",
    )
    colour = alt.Color(
        "gain:Q",
        scale=alt.Scale(domain=[-most, 0, most], clamp=True, range=["@low", "@middle", "@high"], interpolate="rgb"),
        legend=alt.Legend(orient="top", title="gain over one for all", gradientLength=220, format="+.3f", tickCount=4),
    )
    cell = base.mark_rect().encode(x=x, y=y, color=colour, tooltip=tips)
    best = (
        base.transform_filter("datum.best_place === 1")
        .mark_rect(filled=False, stroke="@ink", strokeWidth=2.5)
        .encode(x=x, y=y, tooltip=tips)
    )
    strong = alt.condition(f"abs(datum.gain) > {0.55 * most}", alt.value("@on-strong"), alt.value("@ink"))
    label = base.mark_text(fontSize=10).encode(x=x, y=y, text=alt.Text("best_place:Q"), color=strong, tooltip=tips)
    return (cell + best + label).properties(width="container", height=alt.Step(26))


SECTION = Section(
    "search",
    "Partition search",
    "The partition search: other ways to part the windows in three",
    (
        Figure(
            name="search",
            title="The best partition of each pair of questions",
            reading=(
                "Windows where the first feature reaches a threshold are one part; of the others, those where the "
                "second does are another; the rest is the third. The colour says by how much three regressions predict "
                "windows that they have not seen better (blue) or worse (orange) than one, at the best of several "
                "pairs of thresholds: the log-loss that they save, in nats a row, or under the protocol paper the F1 "
                "that they add. All that lose more than the best gains have one colour. The number is that "
                "partition's place among all, and the frame is around the best. "
                "Thresholds are in the tooltip."
            ),
            question="search",
            needs=("taxonomy_search",),
            draw=heat,
            follows=("run",),
            empty=(
                "No partition could be ranked: each of its three parts needs enough memorized and other windows (the var "
                "taxonomy_minimum_class_rows) that no feature tells apart without an error. With the var taxonomy_search_rows "
                "at 0, nothing is searched."
            ),
        ),
    ),
    of_taxonomy=True,
)
