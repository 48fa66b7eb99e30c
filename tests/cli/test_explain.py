"""`memtax explain`: the sequence, its category with the reason, and the evidence from the corpus."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from memtax import store
from memtax.cli import main
from memtax.plain_text import printable
from tests.conftest import PROJECT, Commands
from tests.corpus.helpers import word_tokenizer


def one(demo: Commands, condition: str) -> dict:
    sql = (
        "select corpus, sequence_id, token_offset, sequence_duplicates, duplicate_sequences, "
        "prompt_duplicates, window_duplicates, continuation_text from feat_sequence__duplicates "
        f"inner join feat_sequence__text using (corpus, sequence_id, token_offset) where {condition} "
        "order by sequence_id limit 1"
    )
    return json.loads(demo.memtax("query", sql, "--format", "json").stdout)[0]


def test_a_recited_sequence_is_explained_by_its_occurrences(demo: Commands) -> None:
    row = one(demo, "sequence_duplicates >= 6")
    output = demo.memtax("explain", row["corpus"], row["sequence_id"]).stdout
    assert "recitation: its continuation occurs" in output
    assert f"{row['sequence_duplicates']:,} occurrences of the continuation" in output
    prompts, windows = row["prompt_duplicates"], row["window_duplicates"]
    assert f"its prompt occurs {prompts:,} time" in output
    assert f"prompt and continuation together {windows:,} time" in output
    # Each place shows the continuation itself, marked, on a line of its own.
    shown = f"⟦{printable(row['continuation_text'])}⟧"
    assert output.count(shown) == min(row["duplicate_sequences"], 10)
    first_word = row["continuation_text"].split()[0]
    assert first_word in output
    # Models stand from the smallest and earliest on.
    asked = "select revision from dim_models order by model_place"
    revisions = [row["revision"] for row in json.loads(demo.memtax("query", asked, "--format", "json").stdout)]
    places = [output.index(f" {revision} ") for revision in revisions]
    assert len(places) == 6
    assert places == sorted(places)


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


def test_evidence_comes_from_a_scan_where_dbt_has_kept_none(demo: Commands, tmp_path: Path) -> None:
    row = one(demo, "sequence_duplicates >= 6 and continuation_text not like '%\ufffd%'")
    copy = Commands(Path(shutil.copy(demo.database, tmp_path / "memtax.duckdb")), demo.target)
    kept = copy.memtax("explain", row["corpus"], row["sequence_id"]).stdout
    with store.writing(copy.database) as connection:
        connection.execute("drop table duplicate_occurrences")
    assert copy.memtax("explain", row["corpus"], row["sequence_id"]).stdout == kept


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one evaluated sequence of which every word, and every name, would drive a terminal."""
    tokenizer = word_tokenizer(tmp_path / "tokenizer.json", 100)
    tokenizer.write_text(tokenizer.read_text().replace('"w', '"\\u001b[2Jw\\u202e'))
    path = tmp_path / "memtax.duckdb"
    tokens = list(range(2, 66))
    with store.writing(path) as connection:
        connection.execute("insert into raw.corpora (corpus, tokenizer) values ('c', ?)", [str(tokenizer)])
        connection.execute(
            "insert into raw.corpus_shards (corpus, shard_id, storage, format, sources, checksum, token_dtype, n_sequences, "
            "n_tokens, first_sequence_id, last_sequence_id, shortest_sequence, longest_sequence) "
            "values ('c', 1, 'landed', 'npy', [], 's', 'uint16', 1, 64, 0, 0, 64, 64)"
        )
        connection.execute("insert into raw.corpus_sequences_uint16 values ('c', 1, 0, ?)", [tokens])
        connection.execute(
            "create table dim_evaluated_sequences as select 'c' as corpus, 0 as sequence_id, 0 as token_offset, ? as tokens",
            [tokens],
        )
        connection.execute(
            "create table dataset_members as select 'd\x1b[31m' as dataset, 'c' as corpus, 0 as sequence_id, 0 as token_offset"
        )
        connection.execute(
            "create table feat_sequence__text as select 'c' as corpus, 0 as sequence_id, 0 as token_offset, "
            "'\x1b]0;title\x07 one\nline' as prompt_text, '\x1b[1m' as continuation_text"
        )
    monkeypatch.setenv("MEMTAX_DATABASE", str(path))
    monkeypatch.setenv("MEMTAX_PROJECT", str(PROJECT))
    return path


def test_hostile_text_cannot_drive_the_terminal(hostile: Path) -> None:
    result = CliRunner().invoke(main, ["explain", "c", "0"])
    assert result.exit_code == 0, result.output
    assert "\\x1b]0;title\\x07 one\nline" in result.output
    assert "d\\x1b[31m" in result.output
    assert "1 occurrence of the continuation in 1 sequence\n" in result.output
    assert "⟦ \\x1b[2Jw\\u202e34" in result.output
    assert not any(character in result.output for character in "\x1b\x07\u202e")


def test_a_tokenizer_that_is_gone_takes_only_the_text_around_the_places(hostile: Path) -> None:
    (hostile.parent / "tokenizer.json").unlink()
    result = CliRunner().invoke(main, ["explain", "c", "0"])
    assert result.exit_code == 0, result.output
    assert "sequence 0, first at token 32\n" in result.output
    assert "the text there cannot be shown: no tokenizer at" in result.output


def test_a_stored_category_is_never_contradicted(demo: Commands, tmp_path: Path) -> None:
    row = one(demo, "sequence_duplicates = 3")
    copy = Commands(Path(shutil.copy(demo.database, tmp_path / "memtax.duckdb")), demo.target)
    with store.writing(copy.database) as connection:
        # As a run with the var recitation_threshold at 3 leaves them, with the taxonomy and then without.
        connection.execute("update fct_memorization set category = 'recitation'")
        connection.execute(
            "update taxonomy_models set settings = replace(settings::varchar, '_threshold\": 6', '_threshold\": 3')"
        )
    output = copy.memtax("explain", row["corpus"], row["sequence_id"], row["token_offset"]).stdout
    assert (
        "Category  recitation: its continuation occurs 3 times in the corpus, and 3 or more make a recitation\n"
        in output
    )
    with store.writing(copy.database) as connection:
        connection.execute("delete from taxonomy_models")
    output = copy.memtax("explain", row["corpus"], row["sequence_id"], row["token_offset"]).stdout
    said = " ".join(output[output.index("Category") : output.index("Features")].split())
    assert said.startswith(
        "Category recitation: its continuation occurs 3 times in the corpus. The vars of dbt_project.yml"
    )
    assert "but the store calls it a recitation: it was built with others" in said and "fewer than" not in said


def test_a_sequence_that_no_model_knows_has_no_category(hostile: Path) -> None:
    result = CliRunner().invoke(main, ["explain", "c", "0"])
    said = " ".join(result.output.split())
    assert (
        "Category none: no model's outcome is known, and a category is stored with one; its occurrences were not"
        in said
    )
