"""Counts and shares of the categories, by model size and by checkpoint."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer

KINDS = charts.TEXT_KINDS[:3]
NEEDS = ("memorization_by_category",)
TOOLTIPS = (
    "category:N",
    "text_kind:N",
    "n_memorized:Q:,",
    "share_of_memorized:Q:.1%",
    "n_sequences:Q:,",
    "p_memorized:Q:.2%",
    "p_memorized_low:Q:.2%",
    "p_memorized_high:Q:.2%",
)


def bars(answer: Answer, along: str, title: str, *, shares: bool) -> Any:
    """Stacked bars of memorized windows by category, one for each model or checkpoint, panels by kind of text.

    The page draws areas where there are too many for bars.
    """
    y = alt.Y(
        "share_of_memorized:Q" if shares else "n_memorized:Q",
        stack="zero",
        scale=alt.Scale(domain=[0, 1]) if shares else alt.Undefined,
        title="share of memorized windows" if shares else "memorized windows",
        axis=alt.Axis(format="~%" if shares else "~s", tickCount=5),
    )
    found = charts.present(answer.column("category"), charts.CATEGORIES)
    mark = (
        charts.rows()
        .transform_calculate(rank=f"indexof({list(charts.CATEGORIES)}, datum.category)")
        .mark_bar(width={"band": 0.72})
        .encode(
            x=alt.X(
                f"{along}:N",
                sort=alt.EncodingSortField(field="model_place", op="min"),
                title=title,
                axis=alt.Axis(labelAngle=0),
            ),
            y=y,
            color=charts.coloured("category", found),
            order=alt.Order("rank:Q"),
            tooltip=charts.tooltips(f"{along}:N", *TOOLTIPS),
        )
        .properties(height=charts.HEIGHT)
    )
    independent: dict[str, Any] = {} if shares else {"y": "independent"}
    kinds = charts.order(answer.column("text_kind"), KINDS)
    # Names that stand aslant below a panel would push one axis for all away from it.
    chart = charts.faceted(mark, "text_kind", kinds, columns=3, cell=230, **independent)
    chart = chart.resolve_axis(x="independent", y="independent")
    return chart.properties(usermeta={**chart.usermeta, "along": along})


SECTION = Section(
    "categories",
    "Categories",
    "Categories: how much is recited, reconstructed and recollected",
    (
        Figure(
            name="counts-by-model",
            title="Memorized windows by model size",
            reading=(
                "Each bar is a model at its last checkpoint, the smallest on the left; its height counts the windows "
                "whose continuation the model completes exactly, its colours say of which category they are. Panels "
                "have scales of their own."
            ),
            question="categories_by_model",
            needs=NEEDS,
            draw=lambda answer: bars(answer, "model", "model", shares=False),
            follows=("sample",),
        ),
        Figure(
            name="shares-by-model",
            title="Shares of the categories by model size",
            reading=(
                "The same, with each bar stretched to 100 %: does a larger model recite or recollect more of what it "
                "has memorized? A model that memorized nothing has no bar."
            ),
            question="categories_by_model",
            needs=NEEDS,
            draw=lambda answer: bars(answer, "model", "model", shares=True),
            follows=("sample",),
        ),
        Figure(
            name="counts-by-checkpoint",
            title="Memorized windows by checkpoint",
            reading=(
                "One model, chosen above, as training goes on from left to right, one step for each checkpoint, however "
                "far apart they are in training. Bars grow where windows are memorized that the checkpoint before did "
                "not know; of more than 30 checkpoints, areas stand for the bars."
            ),
            question="categories_by_checkpoint",
            needs=NEEDS,
            draw=lambda answer: bars(answer, "revision", "checkpoint", shares=False),
            follows=("sample", "model"),
        ),
        Figure(
            name="shares-by-checkpoint",
            title="Shares of the categories by checkpoint",
            reading="The same in per cent of what the checkpoint has memorized.",
            question="categories_by_checkpoint",
            needs=NEEDS,
            draw=lambda answer: bars(answer, "revision", "checkpoint", shares=True),
            follows=("sample", "model"),
        ),
    ),
)
