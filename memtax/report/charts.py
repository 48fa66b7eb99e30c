"""What the charts share: data, colours that stand for the same thing everywhere, axes, and marks with intervals.

Colours are names that begin with @, which the page replaces by those of its light or dark theme (`script/colours.js`), so
that a chart follows the reader's. Hues come from sets made for colour-blind readers; shapes tell the same apart without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt

CATEGORIES = ("recitation", "reconstruction", "recollection", "unknown")
TEXT_KINDS = ("all", "code", "natural language", "uncertain", "unknown")
SIDES = ("memorized", "not memorized")
PREDICTORS = ("baseline", "taxonomy", "tree", "searched", "own")
PARTS = ("all", "recitation", "reconstruction", "recollection")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4])

# One object, so that Altair sees that layers share it.
ROWS = alt.NamedData(name="rows")
# Heights of a chart, in pixels; widths are the page's to choose.
HEIGHT = 260
# What the page divides its width by to say how many charts stand side by side.
CELL = 300


def rows() -> alt.Chart:
    """A chart over the answer's rows."""
    return alt.Chart(ROWS)


def colours(names: Sequence[str]) -> alt.Scale:
    """The fixed colours of categories, kinds of text, predictors or sides."""
    return alt.Scale(domain=list(names), range=[f"@{name.replace(' ', '-')}" for name in names])


def coloured(column: str, names: Sequence[str], mark: Literal["circle", "stroke", "shape"] = "circle") -> alt.Color:
    """A colour channel in the fixed colours.

    Args:
        column: what is coloured by.
        names: its values, in order.
        mark: what the legend shows: circles, lines, or the shapes of `shaped`.
    """
    return alt.Color(f"{column}:N", scale=colours(names), legend=_legend(mark), sort=list(names))


def filled(column: str, names: Sequence[str]) -> alt.Fill:
    """The same colours inside of marks, in one legend with their lines."""
    return alt.Fill(f"{column}:N", scale=colours(names), legend=_legend("circle"), sort=list(names))


def shaped(column: str, names: Sequence[str]) -> alt.Shape:
    """A shape channel that goes with the colours, in one legend with them."""
    scale = alt.Scale(domain=list(names), range=list(SHAPES[: len(names)]))
    return alt.Shape(f"{column}:N", scale=scale, legend=_legend("shape"), sort=list(names))


def dashed(column: str, names: Sequence[str]) -> alt.StrokeDash:
    """A dash channel that goes with the colours, in one legend with them."""
    scale = alt.Scale(domain=list(names), range=list(DASHES[: len(names)]))
    return alt.StrokeDash(f"{column}:N", scale=scale, legend=_legend("stroke"), sort=list(names))


def _legend(mark: str) -> alt.Legend:
    """Above the chart; legends of one column merge where they are equal."""
    styles: dict[str, dict[str, Any]] = {
        "circle": {"symbolType": "circle"},
        "stroke": {"symbolType": "stroke", "symbolStrokeWidth": 3},
    }
    return alt.Legend(orient="top", title=None, symbolOpacity=1, **styles.get(mark, {}))


def ramp(column: str, names: Sequence[str]) -> alt.Color:
    """An ordered colour channel, for models and checkpoints from the smallest and earliest on."""
    steps = max(1, len(names) - 1)
    scale = alt.Scale(domain=list(names), range=[f"@ramp:{place / steps:.4f}" for place in range(len(names))])
    legend = alt.Legend(orient="top", title=None, symbolType="circle", symbolOpacity=1)
    return alt.Color(f"{column}:N", scale=scale, sort=list(names), legend=legend)


def share(column: str, title: str, *, at_most_one: bool = True) -> alt.Y:
    """A vertical axis of shares in per cent, from 0."""
    scale = alt.Scale(domainMin=0, nice=True) if not at_most_one else alt.Scale(domain=[0, 1])
    return alt.Y(f"{column}:Q", title=title, scale=scale, axis=alt.Axis(format="~%", tickCount=5))


def faceted(
    chart: Any,
    column: str,
    order: Sequence[str],
    *,
    columns: int = 3,
    cell: int = CELL,
    words: Mapping[str, str] | None = None,
    **resolve: str,
) -> Any:
    """Small multiples by a column, wrapped by the page to what fits.

    Args:
        chart: a layered or single chart.
        column: whose values make the panels.
        order: of the panels.
        columns: the most side by side.
        cell: the least width of a panel, in pixels.
        words: what to call a panel, where its value is not fit to be read.
        resolve: `x="independent"` and the like.
    """
    header = alt.Header(title=None, labelFontWeight="bold", labelFontSize=12, labelAnchor="start")
    if words:
        pairs = ", ".join(f"'{name}': '{called}'" for name, called in words.items())
        header.labelExpr = f"({{{pairs}}})[datum.value] || datum.value"
    made = chart.facet(facet=alt.Facet(f"{column}:N", sort=list(order), header=header), columns=columns)
    if resolve:
        made = made.resolve_scale(**resolve)
    # Each panel has its horizontal axis: where they are wrapped, that of the last row may be far off, or under no panel.
    made = made.resolve_axis(x="independent")
    return made.properties(usermeta={"cell": cell, "columns": columns})


def order(answer_values: Sequence[Any], known: Sequence[str] = ()) -> list[Any]:
    """Distinct values: the known ones first in their order, the others as they come."""
    present = dict.fromkeys(value for value in answer_values if value is not None)
    return [name for name in known if name in present] + [value for value in present if value not in known]


def present(values: Sequence[Any], known: Sequence[str]) -> list[str]:
    """Those of the known names that occur."""
    found = set(values)
    return [name for name in known if name in found]


def tooltips(*columns: str) -> list[alt.Tooltip]:
    """Tooltips `column:type[:format]`, titled by the column in words."""
    made = []
    for column in columns:
        name, kind, *form = column.split(":", 2)
        made.append(
            alt.Tooltip(f"{name}:{kind}", title=name.replace("_", " "), **({"format": form[0]} if form else {}))  # type: ignore[arg-type]
        )
    return made


def intervals(base: alt.Chart, low: str, high: str, value: str, **mark: Any) -> alt.Chart:
    """Bars from `bar_low` to `bar_high`, which are two columns; of a row that lacks either, the bar has no length.

    Args:
        base: the chart.
        low, high: the columns.
        value: that of the dot, where such a row's bar begins and ends: drawn as it is, it would begin at 0.
        mark: more of the bars.
    """
    known = f"isValid(datum.{low}) && isValid(datum.{high})"
    ends = {f"bar_{end}": f"{known} ? datum.{column} : datum.{value}" for end, column in (("low", low), ("high", high))}
    return base.transform_calculate(**ends).mark_rule(strokeWidth=2, **mark)


def zero_line(axis: str = "x") -> alt.Chart:
    """A line where nothing differs."""
    at = {axis: alt.X(datum=0) if axis == "x" else alt.Y(datum=0)}
    return once().mark_rule(color="@muted", strokeDash=[3, 3]).encode(**at)


def diagonal(scale: alt.Scale) -> alt.Chart:
    """The line of equal shares."""
    mark = once().mark_rule(color="@muted", strokeDash=[3, 3])
    return mark.encode(
        x=alt.X(datum=0, scale=scale), x2=alt.X2Datum(1), y=alt.Y(datum=0, scale=scale), y2=alt.Y2Datum(1)
    )


def once() -> alt.Chart:
    """One row for each panel, whatever is in it."""
    return rows().transform_aggregate(n="count()")
