"""Fingerprints: the macro by itself, without the seconds that dbt takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dbt.test_usable_vars import macro_of, macros


def fingerprint(names: list[str], **given: Any) -> str:
    return str(macro_of("fingerprint", macros(given) | {"literal": "'{}'".format})(1, names))


def test_what_the_defaults_give_stays_as_it_was() -> None:
    """Otherwise every store would be computed again."""
    names = ["prompt_length", "sampling_temperature", "sampling_top_k", "similarity_thresholds", "nl_score_with"]
    assert fingerprint(names) == (
        "md5('version=1' || '|' || 'prompt_length=32' || '|' || 'sampling_temperature=1.0' || '|' || 'sampling_top_k=0' "
        "|| '|' || 'similarity_thresholds=[0.8, 0.9]' || '|' || 'nl_score_with=default')"
    )


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("sampling_temperature", 1, 1.0),
        ("sampling_temperature", 2, 2.0),
        ("similarity_thresholds", [1, 0.5], [1.0, 0.5]),
    ],
)
def test_a_number_is_the_same_with_and_without_its_point(name: str, one: Any, other: Any) -> None:
    assert fingerprint([name], **{name: one}) == fingerprint([name], **{name: other})
    assert fingerprint([name], **{name: one}) != fingerprint([name], **{name: 0.7})
