"""Why a sequence has its category: by the rule that SQL decides it by, and never against what is stored."""

from __future__ import annotations

import itertools
import json

import duckdb
import jinja2
import pytest

from memtax.category import Rule, reason_of, rule_of
from tests.conftest import PROJECT

DECLARED = {"recitation_threshold": 6, "protocol": "corrected"}
FLAGS = ("is_templating", "paper_is_incrementing", "paper_is_repeating")
CATEGORIES = ("recitation", "reconstruction", "recollection", None)
PAPERS = {"paper_is_incrementing": False, "paper_is_repeating": False}
OURS, PAPER = Rule(6, "corrected", recorded=True), Rule(6, "paper", recorded=True)
COUNTER = {"templating_pattern": "counter", "templating_period": 5, "templating_coverage": 0.93}


@pytest.mark.parametrize("protocol", ["corrected", "paper"])
def test_the_rule_is_the_one_of_sql(protocol: str) -> None:
    variables = {"recitation_threshold": 3, "protocol": protocol}
    macros = (PROJECT / "macros" / "category.sql").read_text(encoding="utf-8")
    template = jinja2.Environment(autoescape=False).from_string(macros + "{{ category('f', 'f') }}")
    expression = template.render(var=variables.__getitem__)
    with duckdb.connect() as connection:
        connection.execute(f"create table f (sequence_duplicates bigint, {' boolean, '.join(FLAGS)} boolean)")
        values = list(itertools.product((None, 1, 2, 3, 4), *[(True, False, None)] * 3))
        connection.executemany("insert into f values (?, ?, ?, ?)", values)
        rows = connection.execute(f"select f.*, {expression} as category from f").to_arrow_table().to_pylist()
    assert {row["category"] for row in rows} == set(CATEGORIES)
    for row in rows:
        assert Rule(3, protocol).category(row) == row["category"], row


@pytest.mark.parametrize(
    ("features", "rule", "reason"),
    [
        ({"sequence_duplicates": 3}, Rule(3, "corrected", True), "occurs 3 times in the corpus, and 3 or more make a recitation"),
        ({"sequence_duplicates": 1, "is_templating": True, **COUNTER}, OURS,
         "occurs 1 time in the corpus, fewer than 6, and a counter of period 5 characters covers 93% of its text"),
        ({"sequence_duplicates": 1, "is_templating": False, **COUNTER}, OURS,
         "fewer than 6, and a counter of period 5 characters covers no more than 93% of its text"),
        ({"sequence_duplicates": 1, "is_templating": True, **PAPERS, **COUNTER},
         PAPER, "and the paper's filter, by which the categories here go, finds no pattern in its text"),
        ({"sequence_duplicates": 1, **PAPERS, "paper_is_incrementing": True}, PAPER,
         "and the paper's filter, by which the categories here go, finds a pattern in its text"),
        ({"sequence_duplicates": 1}, OURS, "fewer than 6, and it has no text in which to look for a pattern"),
        ({}, OURS, "its occurrences were not counted: its corpus is not landed, or"),
        ({"origin": "landed"}, OURS, "its landed table does not say how often its continuation occurs"),
        ({"origin": "landed", "sequence_duplicates": 1}, OURS,
         "its landed table does not say whether its text follows a pattern"),
        ({"sequence_duplicates": 7}, Rule(6, "corrected"),
         "6 or more make a recitation (by the vars of dbt_project.yml: the store does not record its own)"),
    ],
)  # fmt: skip
def test_a_reason_says_what_decided_it(features: dict, rule: Rule, reason: str) -> None:
    assert reason in reason_of(rule.category(features), features, rule)


@pytest.mark.parametrize("stored", CATEGORIES)
@pytest.mark.parametrize("rule", [Rule(6, "corrected"), Rule(6, "corrected", recorded=True)])
@pytest.mark.parametrize(
    "features", [{}, {"sequence_duplicates": 7}, {"sequence_duplicates": 3, "is_templating": False}]
)
def test_no_reason_contradicts_the_stored_category(features: dict, rule: Rule, stored: str | None) -> None:
    reason = reason_of(stored, features, rule)
    if stored == rule.category(features):
        assert "would make" not in reason
        return
    assert f"but the store {f'calls it a {stored}' if stored else 'gives it no category'}" in reason
    assert "(recitation_threshold 6, protocol corrected) would make it" in reason
    assert ("of dbt_project.yml" in reason) is not rule.recorded
    assert "make a recitation" not in reason and "fewer than" not in reason


def test_the_stores_own_vars_come_before_the_projects() -> None:
    with duckdb.connect() as connection:
        assert rule_of(connection, DECLARED) == Rule(6, "corrected")
        connection.execute("create table taxonomy_models (settings varchar)")
        assert rule_of(connection, DECLARED) == Rule(6, "corrected")
        settings = json.dumps({"protocol": "paper", "recitation_threshold": 3, "seed": 1})
        connection.execute("insert into taxonomy_models values (?)", [settings])
        assert rule_of(connection, DECLARED) == Rule(3, "paper", recorded=True)
        # As another version of memtax recorded them.
        connection.execute("update taxonomy_models set settings = '{}'")
        assert rule_of(connection, DECLARED) == Rule(6, "corrected")
