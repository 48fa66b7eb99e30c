"""The sections of the page that hold charts, in their order. What the data and the run were is a section of `about`."""

from __future__ import annotations

from memtax.report.figure import Section
from memtax.report.sections import (
    attention,
    categories,
    code_scores,
    distributions,
    performance,
    probability,
    regressions,
    search,
)

SECTIONS: tuple[Section, ...] = (
    categories.SECTION,
    probability.SECTION,
    performance.SECTION,
    regressions.COEFFICIENTS,
    regressions.CORRELATIONS,
    distributions.SECTION,
    search.SECTION,
    code_scores.SECTION,
    attention.SECTION,
)
