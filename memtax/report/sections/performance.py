"""How well memorization is predicted: by one regression, by one for each category, and by the best searched partition."""

from __future__ import annotations

from typing import Any

import altair as alt

from memtax.report import charts
from memtax.report.figure import Figure, Section
from memtax.report.tables import Answer

MEASURES = {
    "roc_auc": "ROC-AUC (more is better)",
    "pr_auc": "average precision (more is better)",
    "log_loss": "log-loss, nats a row (less is better)",
    "calibration_error": "calibration error (less is better)",
}
PREDICTOR_NAMES = (
    "baseline is one regression for all windows; taxonomy has one for each of the paper's categories; tree and "
    "searched part the windows by a decision tree and by the best partition that was searched; own by the var "
    "taxonomy_expression"
)


def dots(answer: Answer, value: str, *more: str, zero: bool) -> Any:
    """Dots with intervals by category and predictor, panels by measure.

    Args:
        answer: rows of category, predictor, measure, `value`, low, high, n_rows and n_memorized.
        value: the column that is drawn.
        more: of the tooltip, as `charts.tooltips` has them.
        zero: whether a line marks where nothing differs.
    """
    predictors = charts.present(answer.column("predictor"), charts.PREDICTORS)
    base = charts.rows().transform_filter(f"isValid(datum.{value})")
    y = alt.Y("category:N", sort=list(charts.PARTS), title=None)
    offset = alt.YOffset("predictor:N", sort=predictors)
    colour = charts.coloured("predictor", predictors, "shape")
    scale = alt.Scale(zero=False, nice=True)
    rule = charts.intervals(base, "low", "high", value).encode(
        x=alt.X("bar_low:Q", title=None, scale=scale), x2="bar_high", y=y, yOffset=offset, color=colour
    )
    dot = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=alt.X(f"{value}:Q", scale=scale, axis=alt.Axis(tickCount=5)),
        y=y,
        yOffset=offset,
        color=colour,
        shape=charts.shaped("predictor", predictors),
        tooltip=charts.tooltips(
            "category:N",
            "predictor:N",
            "measure:N",
            f"{value}:Q:.4f",
            "low:Q:.4f",
            "high:Q:.4f",
            "n_rows:Q:,",
            "n_memorized:Q:,",
            *more,
        ),
    )
    layers = ([charts.zero_line()] if zero else []) + [rule, dot]
    chart = alt.layer(*layers).properties(height=alt.Step(12))
    found = charts.present(answer.column("measure"), tuple(MEASURES))
    return charts.faceted(chart, "measure", found, columns=2, cell=380, words=MEASURES, x="independent")


def curve(answer: Answer, x: str, y: str, titles: tuple[str, str], *, chance: bool) -> Any:
    """Curves by predictor, panels by category."""
    predictors = charts.present(answer.column("predictor"), charts.PREDICTORS)
    axis = alt.Axis(format="~%", tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    line = (
        charts.rows()
        .transform_filter(f"isValid(datum.{y})")
        .mark_line(strokeWidth=2, interpolate="linear" if chance else "step-before")
        .encode(
            x=alt.X(f"{x}:Q", title=titles[0], axis=axis, scale=scale),
            y=alt.Y(f"{y}:Q", title=titles[1], axis=axis, scale=scale),
            color=charts.coloured("predictor", predictors, "stroke"),
            strokeDash=charts.dashed("predictor", predictors),
            order=alt.Order("probability_from:Q", sort="descending"),
            tooltip=charts.tooltips("predictor:N", f"{x}:Q:.2%", f"{y}:Q:.2%", "probability_from:Q:.4f"),
        )
    )
    layers = [line]
    if chance:
        layers.insert(0, charts.diagonal(scale))
    parts = charts.order(answer.column("category"), charts.PARTS)
    return charts.faceted(alt.layer(*layers).properties(height=250), "category", parts, columns=4, cell=230)


CORRECTED = (
    "The windows share no continuation with those trained on. Bars are 95 % intervals from a bootstrap; a dot without a bar has "
    "no interval that could be told."
)
PAPER = (
    "Under the protocol paper: the windows may share continuations with those trained on, and nothing has an interval. Areas are "
    "of probabilities, of the baseline on all windows and of the taxonomy in each category; those of the baseline in a category "
    "are published of hard predictions alone and are in taxonomy_metrics: one is not to be compared with the other. The "
    "calibration error is that of the likelier label, in ten bins of equal width."
)


def measured(answer: Answer) -> str:
    """How the measures of one model and checkpoint came about, and for how many rows the baseline answered."""
    said = [
        text for protocol, text in (("corrected", CORRECTED), ("paper", PAPER)) if protocol in answer.column("protocol")
    ]
    answered = {
        row["predictor"]: f"{row['n_fallback_rows']:,} of {row['n_rows']:,} windows of {row['predictor']}"
        for row in answer.dicts()
        if row["category"] == "all" and row["n_fallback_rows"] and row["n_rows"]
    }
    if answered:
        said.append(
            "Where a part has no regression the baseline answers, and where it answers for all the two are equal: it does for "
            f"{', '.join(answered[name] for name in charts.PREDICTORS if name in answered)}."
        )
    return " ".join(said)


def reliability(answer: Answer) -> Any:
    """Observed against predicted, panels by category."""
    predictors = charts.present(answer.column("predictor"), charts.PREDICTORS)
    axis = alt.Axis(format="~%", tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    base = charts.rows()
    colour = charts.coloured("predictor", predictors, "shape")
    x = alt.X("mean_probability:Q", title="predicted", axis=axis, scale=scale)
    rule = base.mark_rule(opacity=0.5).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high", color=colour)
    y = alt.Y("share_memorized:Q", title="memorized", axis=axis, scale=scale)
    line = base.mark_line(strokeWidth=1.5, opacity=0.6).encode(x=x, y=y, color=colour, order=alt.Order("bin:Q"))
    dot = base.mark_point(filled=True, size=40, opacity=1).encode(
        x=x,
        y=y,
        color=colour,
        shape=charts.shaped("predictor", predictors),
        tooltip=charts.tooltips(
            "predictor:N",
            "category:N",
            "mean_probability:Q:.2%",
            "share_memorized:Q:.2%",
            "low:Q:.2%",
            "high:Q:.2%",
            "n_rows:Q:,",
        ),
    )
    parts = charts.order(answer.column("category"), charts.PARTS)
    chart = alt.layer(charts.diagonal(scale), rule, line, dot).properties(height=250)
    return charts.faceted(chart, "category", parts, columns=4, cell=230)


NO_TAXONOMY = (
    "No taxonomy was trained, or none could be measured: both take memorized and other windows of known category, whose features "
    "are known."
)

SECTION = Section(
    "performance",
    "Performance",
    "Does the taxonomy explain memorization better than one model for all?",
    (
        Figure(
            name="performance",
            title="Performance by category",
            reading=(
                f"Measured on held-out windows; {PREDICTOR_NAMES}. Where a category has too few memorized windows for a "
                "measure, it has no dot."
            ),
            question="performance",
            needs=("taxonomy_metrics",),
            draw=lambda answer: dots(answer, "value", "n_fallback_rows:Q:,", "method:N", zero=False),
            follows=("run",),
            empty=NO_TAXONOMY,
            note=measured,
        ),
        Figure(
            name="differences",
            title="Difference from one model for all",
            reading=(
                "The same, less the baseline's, on the same windows: intervals that do not touch the dashed line are "
                "differences that the data support; a dot without a bar has no interval that could be told, and a predictor "
                "for which the baseline answered lies at 0. Of log-loss, left is better; of the areas, right is."
            ),
            question="differences",
            needs=("taxonomy_comparisons",),
            draw=lambda answer: dots(answer, "difference", zero=True),
            follows=("run",),
            empty=f"{NO_TAXONOMY} Under the protocol paper, nothing is compared in pairs.",
            command="dbt run, with the var protocol at corrected",
        ),
        Figure(
            name="roc",
            title="ROC curves",
            reading=(
                "The share of memorized windows that is found, against the share of others that is taken for "
                "memorized, as the threshold falls: the further to the upper left, the better. On the dashed diagonal "
                "one guesses."
            ),
            question="curves",
            needs=("taxonomy_predictions",),
            draw=lambda answer: curve(
                answer, "false_positive_rate", "recall", ("false positive rate", "true positive rate"), chance=True
            ),
            follows=("run",),
            empty=NO_TAXONOMY,
        ),
        Figure(
            name="precision-recall",
            title="Precision and recall",
            reading=(
                "Of the windows taken for memorized, the share that is, against the share of memorized ones found. "
                "Where few are memorized this says more than the ROC curve; its level depends on how many are."
            ),
            question="curves",
            needs=("taxonomy_predictions",),
            draw=lambda answer: curve(answer, "recall", "precision", ("recall", "precision"), chance=False),
            follows=("run",),
            empty=NO_TAXONOMY,
        ),
        Figure(
            name="reliability",
            title="Can the probabilities be taken at their word?",
            reading=(
                "Windows in ten bins of equal size by predicted probability, against the share that is memorized, with "
                "95 % Wilson intervals. On the diagonal, of windows said to be memorized with 30 %, 30 % are. Bins of "
                "fewer than five windows are left out."
            ),
            question="reliability",
            needs=("taxonomy_reliability",),
            draw=reliability,
            follows=("run",),
            empty=NO_TAXONOMY,
        ),
    ),
    of_taxonomy=True,
)
