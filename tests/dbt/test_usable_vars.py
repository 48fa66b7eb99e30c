"""Vars that would be taken for something else stop a run: the macro by itself, without the seconds that dbt takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from tests.conftest import PROJECT

GOOD = {"protocol": "corrected", "nl_score_code_below": 0.5, "nl_score_language_from": 0.64}


def check(**changes: Any) -> None:
    def refuse(message: str) -> None:
        raise ValueError(message)

    macro = (PROJECT / "macros" / "require_usable_vars.sql").read_text()
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.globals |= {
        "var": (GOOD | changes).__getitem__,
        "exceptions": SimpleNamespace(raise_compiler_error=refuse),
    }
    environment.from_string(macro + "{{ require_usable_vars() }}").render()


@pytest.mark.parametrize(
    "changes",
    [{}, {"protocol": "paper"}, {"nl_score_code_below": 0.64}, {"nl_score_code_below": 0, "nl_score_language_from": 1}],
)
def test_usable_vars_pass(changes: dict[str, Any]) -> None:
    check(**changes)


@pytest.mark.parametrize("protocol", ["Paper", "", None])
def test_a_protocol_that_is_none_is_refused(protocol: Any) -> None:
    with pytest.raises(ValueError, match="expected corrected"):
        check(protocol=protocol)


@pytest.mark.parametrize(("below", "language_from"), [(0.7, 0.6), (-0.1, 0.5), (0.5, 1.1), ("high", 0.6), (None, 0.6)])
def test_thresholds_that_are_no_two_probabilities_in_order_are_refused(below: Any, language_from: Any) -> None:
    with pytest.raises(ValueError, match="expected two probabilities"):
        check(nl_score_code_below=below, nl_score_language_from=language_from)
