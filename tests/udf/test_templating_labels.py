"""Templating on the annotated Pile sequences: the paper's flags row by row, ours against the human labels."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyarrow as pa
import pytest

from udf.templating import templating

ROOT = Path(__file__).resolve().parents[2]
ANNOTATED = ROOT.parent / "shared" / "data" / "annotated_sequences.csv"
DOCUMENT = ROOT / "docs" / "templating.md"
INCREMENTING, REPEATING = "pattern-incrementing", "pattern-repeating"

Rows = list[tuple[dict[str, str], dict]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    if not ANNOTATED.exists():
        pytest.skip("needs ../shared/data/annotated_sequences.csv, which is not part of the project")
    with ANNOTATED.open(newline="", encoding="utf-8") as file:
        labelled = list(csv.DictReader(file))
    found = templating(pa.array([row["text"] for row in labelled])).to_pylist()
    return list(zip(labelled, found, strict=True))


def f1(rows: Rows, flag: str, labels: set[str]) -> float:
    flagged = [found[flag] for _, found in rows]
    labelled = [row["category"] in labels for row, _ in rows]
    both = sum(a and b for a, b in zip(flagged, labelled, strict=True))
    return 2 * both / (sum(flagged) + sum(labelled))


def disputed() -> set[str]:
    return set(re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))


def test_paper_flags_equal_the_parity_columns(rows: Rows) -> None:
    assert len(rows) == 1476
    different = [
        row["sequence_id"]
        for row, found in rows
        if (row["seed_is_incrementing"], row["seed_is_repeating"])
        != (str(found["paper_is_incrementing"]), str(found["paper_is_repeating"]))
    ]
    assert different == []


def test_plain_flags_agree_with_people(rows: Rows) -> None:
    assert f1(rows, "is_templating", {INCREMENTING, REPEATING}) >= 0.87
    assert f1(rows, "is_incrementing", {INCREMENTING}) >= 0.85
    assert f1(rows, "is_repeating", {REPEATING}) >= 0.85


def test_the_share_is_no_lucky_number(rows: Rows) -> None:
    """Any share in the documented range would do for the text as a whole."""
    for share in (0.6, 0.7, 0.75):
        moved = [
            (row, {"is_templating": found["pattern"] is not None and found["coverage"] >= share}) for row, found in rows
        ]
        assert f1(moved, "is_templating", {INCREMENTING, REPEATING}) >= 0.87


def test_disputed_labels_are_rows_of_the_file_and_cost_score(rows: Rows) -> None:
    listed = disputed()
    assert listed and listed <= {row["sequence_id"] for row, _ in rows}
    undisputed = [(row, found) for row, found in rows if row["sequence_id"] not in listed]
    assert f1(undisputed, "is_templating", {INCREMENTING, REPEATING}) >= 0.92
    assert f1(undisputed, "is_incrementing", {INCREMENTING}) >= 0.90
    assert f1(undisputed, "is_repeating", {REPEATING}) >= 0.90
