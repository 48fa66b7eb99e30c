"""The command lines of `memtax ingest`: what is parsed, printed and refused; the rest is tested beside what does it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from memtax import store
from memtax.cli import main
from tests.corpus.helpers import word_tokenizer, write_bin, write_mmap

ROWS = [list(range(row, row + 64)) for row in range(5)]


@pytest.fixture
def memtax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a project of its own."""
    (tmp_path / "dbt_project.yml").write_text("name: memtax\n")
    monkeypatch.setenv("MEMTAX_PROJECT", str(tmp_path))
    monkeypatch.setenv("MEMTAX_DATABASE", "store.duckdb")
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


def fails(result: Result, *words: str) -> None:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


def test_corpus(memtax: Callable, tmp_path: Path) -> None:
    path = write_bin(tmp_path / "tokens.bin", ROWS)
    result = memtax("ingest", "corpus", "mine", path, "--sequence-length", 64)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "mine: landed as shard 1: 5 sequences, 320 tokens (uint16)\n"
    again = memtax("ingest", "corpus", "mine", path, "--sequence-length", 64)
    assert again.stdout == "mine: already landed as shard 1: 5 sequences, 320 tokens (uint16)\n"
    fails(memtax("ingest", "corpus", "mine", path, "--sequence-length", 32), "other content", "--append")
    fails(memtax("ingest", "corpus", "mine", tmp_path / "no.bin"), "no.bin does not exist")
    assert memtax("ingest", "corpus", "mine").exit_code == 2
    assert (tmp_path / "store.duckdb").is_file()


def test_corpus_in_place_and_of_text(memtax: Callable, tmp_path: Path) -> None:
    path, index = write_mmap(tmp_path / "tokens", ROWS)
    result = memtax("ingest", "corpus", "there", path, index, "--in-place")
    assert "there: registered as shard 1: 5 sequences" in result.stdout
    result = memtax("query", "select sum(len(tokens)) as n from in_place_shard_1", "--format", "csv")
    assert result.exit_code == 0, result.output
    tokenizer = word_tokenizer(tmp_path / "tokenizer.json", 9)
    (tmp_path / "a.jsonl").write_text(json.dumps({"body": "w2 w3 w4"}))
    options = ["--tokenizer", tokenizer, "--sequence-length", 2, "--text-field", "body"]
    result = memtax("ingest", "corpus", "words", tmp_path / "a.jsonl", *options, "--end-of-document", "w8")
    assert "words: landed as shard 2: 2 sequences, 4 tokens" in result.stdout
    assert "packed 1 documents into sequences of 2 tokens, w8 after each" in result.stdout


def test_a_tokenizer_that_is_not_there(memtax: Callable, tmp_path: Path) -> None:
    path = write_bin(tmp_path / "tokens.bin", ROWS)
    fails(memtax("ingest", "corpus", "mine", path, "--tokenizer", tmp_path / "no.json"), "no.json")


def test_sequences(memtax: Callable, tmp_path: Path) -> None:
    memtax("ingest", "corpus", "mine", write_bin(tmp_path / "tokens.bin", ROWS), "--sequence-length", 64)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"index": i, "tokens": ROWS[i], "70M": 1, "1B": 0.5}) + "\n" for i in (4, 2)))
    command = ["ingest", "sequences", "memories", path, "--corpus", "mine", "--score-column", "70M=small@step1"]
    result = memtax(*command)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "memories: landed 2 windows of mine, 2 read from or found in it",
        "  2 scores by small@step1",
        "  not landed: the columns 1B; name scores with --score-column COLUMN=MODEL",
    ]
    assert memtax(*command).stdout == "memories: already landed (2 windows)\n"
    fails(memtax(*command[:-2]), "differs", "--replace")
    assert memtax(*command[:-2], "--replace").exit_code == 0
    fails(memtax(*command[:-1], "nonsense"), "COLUMN=MODEL")


def test_the_window_is_as_long_as_the_vars_say(memtax: Callable, tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: memtax\nvars: {prompt_length: 2, continuation_length: 1}\n")
    (tmp_path / "a.jsonl").write_text(json.dumps({"index": 1, "tokens": [1, 2, 3]}))
    result = memtax("ingest", "sequences", "d", tmp_path / "a.jsonl", "--corpus", "pile")
    assert "corpus pile is not landed: its name is registered" in result.stdout
    (tmp_path / "dbt_project.yml").write_text("name: memtax\nvars: {prompt_length: none}\n")
    fails(memtax("ingest", "sequences", "e", tmp_path / "a.jsonl", "--corpus", "pile"), "prompt_length", "'none'")
    with store.reading() as connection:
        assert connection.execute("select tokens from raw.evaluated_sequences").fetchall() == [([1, 2, 3],)]


@pytest.mark.parametrize("command", [["corpus"], ["sequences"], ["model"], []])
def test_help_shows_an_example(memtax: Callable, command: list[str]) -> None:
    result = memtax("ingest", *command, "--help")
    assert result.exit_code == 0
    assert f"memtax ingest {command[0] if command else 'corpus'} " in result.output
