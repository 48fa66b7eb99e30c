"""What the var taxonomy_expression may be, and what it may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memtax.taxonomy.expression import expression_fault

COLUMNS = json.dumps([["corpus", "VARCHAR"], ["is_repeating", "BOOLEAN"], ["sequence_duplicates", "BIGINT"]])


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "case when is_repeating then 'repeating' else 'other' end",
        "sequence_duplicates >= 6",
        "floor(log2(sequence_duplicates)) -- by powers of two",
        "case when hash(corpus) % 2 = 0 then 'a' else 'b' end",
        "list_transform(['now'], now -> now || corpus)[1]",
    ],
)
def test_an_expression_over_the_features_passes(expression: str) -> None:
    assert expression_fault(expression, COLUMNS) is None


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("case when is_repating then 'a' end", '"is_repating" not found'),
        ("case when is_repeating then", "syntax error"),
        ("max(sequence_duplicates)", "GROUP BY"),
        ("1) as varchar) from features; drop table features; --", "syntax error"),
        ("1) as varchar) from features; select corpus, cast((2", "nothing before or after"),
        ("1) as varchar), cast((2", "nothing before or after"),
        ("1) as varchar) from features --", "syntax error"),
        ("1 /*", "unterminated"),
        ("(select model from taxonomy_models limit 1)", "taxonomy_models does not exist"),
        ("case when random() < 0.5 then 'a' else 'b' end", "and random gives another value at each read"),
        ("uuid() || today()", "and today, uuid gives another value"),
        ("current_date > '2026-01-01'", "and current_date gives another value"),
        ("(select content from read_text('{file}'))", "disabled"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(expression: str, word: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("secret")
    fault = expression_fault(expression.replace("{file}", str(file)), COLUMNS)
    assert fault is not None
    assert "expected one SQL expression over the columns of features" in fault
    assert word in fault
    assert "\n" not in fault.replace("\\n", "")
