"""Sentences claim what the numbers support."""

from __future__ import annotations

import math

import pytest

from memtax.report.findings import _compared, difference


def row(memorized: int, windows: int) -> dict[str, float]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(memorized, windows, method="wilson")
    return {"p_memorized": memorized / windows, "p_memorized_low": low, "p_memorized_high": high}


@pytest.mark.parametrize(("first", "second"), [((3, 100), (40, 90)), ((0, 50), (0, 70)), ((9, 10), (1, 1000))])
def test_the_difference_has_newcombes_interval(first: tuple[int, int], second: tuple[int, int]) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(*second, *first, method="newcomb")
    gap, *interval = difference(row(*first), row(*second))
    assert math.isclose(gap, second[0] / second[1] - first[0] / first[1])
    assert math.isclose(interval[0], low, abs_tol=1e-9)
    assert math.isclose(interval[1], high, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [((3, 100), (40, 100), "More."), ((40, 100), (3, 100), "Less."), ((5, 100), (9, 100), "Who knows.")],
)
def test_a_difference_is_claimed_where_its_interval_leaves_out_0(
    first: tuple[int, int], second: tuple[int, int], verdict: str
) -> None:
    said = _compared(row(*first), row(*second), "one", "the other", "More", "Less", "Who knows")
    assert said.startswith(verdict.rstrip(".") + ": ")
    assert "95 % interval" in said


def test_a_small_difference_that_is_claimed_is_not_printed_as_none() -> None:
    said = _compared(row(13_500, 5_000_000), row(15_000, 5_000_000), "one", "the other", "More", "Less", "Who knows")
    assert said.startswith("More: ")
    assert "difference +0.030 points, 95 % interval +0.02" in said
