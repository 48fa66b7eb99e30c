"""`memtax explain`: the sequence, its category with the reason, and the evidence from the corpus."""

from __future__ import annotations

import json

from tests.conftest import Commands


def one(demo: Commands, condition: str) -> dict:
    sql = (
        "select corpus, sequence_id, token_offset, sequence_duplicates, continuation_text from feat_sequence__duplicates "
        f"inner join feat_sequence__text using (corpus, sequence_id, token_offset) where {condition} "
        "order by sequence_id limit 1"
    )
    return json.loads(demo.memtax("query", sql, "--format", "json").stdout)[0]


def test_a_recited_sequence_is_explained_by_its_occurrences(demo: Commands) -> None:
    row = one(demo, "sequence_duplicates >= 6")
    output = demo.memtax("explain", row["corpus"], row["sequence_id"]).stdout
    assert "recitation: its continuation occurs" in output
    assert f"{row['sequence_duplicates']:,} occurrences of the continuation" in output
    first_word = row["continuation_text"].split()[0]
    assert first_word in output
    assert "demo-large" in output


def test_a_unique_sequence_is_found_where_it_stands(demo: Commands) -> None:
    row = one(demo, "sequence_duplicates = 1")
    output = demo.memtax("explain", row["corpus"], row["sequence_id"], row["token_offset"]).stdout
    assert "occurs 1 time in the corpus" in output
    assert f"sequence {row['sequence_id']}, first at token {row['token_offset'] + 32}" in output


def test_what_is_not_there_is_said(demo: Commands) -> None:
    corpus = one(demo, "true")["corpus"]
    cases = {
        (corpus, "999999999"): "is in no dataset",
        ("nowhere", "0"): "no corpus is named 'nowhere'",
    }
    for arguments, message in cases.items():
        result = demo.memtax("explain", *arguments, check=False)
        assert result.returncode == 1
        assert message in result.stderr
