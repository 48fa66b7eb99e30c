from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from memtax.cli import main
from tests.corpus.helpers import write_bin


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: memtax\nvars: {prompt_length: 3, continuation_length: 2}\n")
    monkeypatch.setenv("MEMTAX_PROJECT", str(tmp_path))
    monkeypatch.setenv("MEMTAX_DATABASE", str(tmp_path / "store.duckdb"))
    path = write_bin(tmp_path / "tokens.bin", [[row] * 6 for row in range(20)])
    assert run("ingest", "corpus", "mine", str(path), "--sequence-length", "6").exit_code == 0


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_sample(project: None) -> None:
    result = run("sample", "d", "--corpus", "mine", "--n", "7", "--seed", "3", "--token-offset", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "d: 7 windows of 5 tokens, drawn from 20 sequences of mine (seed 3)\n"
    again = run("sample", "d", "--corpus", "mine", "--n", "7", "--seed", "3", "--token-offset", "1")
    assert again.stdout == "d: already drawn\n"
    other = run("sample", "d", "--corpus", "mine", "--n", "all")
    assert other.exit_code == 1
    assert "memtax sample d --corpus mine --n all --seed 0 --token-offset 0 --replace" in other.stderr
    assert run("sample", "d", "--corpus", "mine", "--n", "all", "--replace").stdout.startswith("d: 20 windows of 5")


def test_names_are_quoted_in_the_command_that_replaces(project: None) -> None:
    assert run("sample", "my data", "--corpus", "mine", "--n", "3").exit_code == 0
    assert "memtax sample 'my data' --corpus mine" in run("sample", "my data", "--corpus", "mine", "--n", "4").stderr


def test_refusals(project: None) -> None:
    for arguments, words in {
        ("--corpus", "other", "--n", "1"): "no corpus 'other'",
        ("--corpus", "mine", "--n", "21"): "20 sequences of at least 5 tokens",
    }.items():
        result = run("sample", "d", *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert words in result.stderr
    for wrong in ("0", "-1", "some", "1.5"):
        result = run("sample", "d", "--corpus", "mine", "--n", wrong)
        assert result.exit_code == 2
        assert "positive whole number nor all" in result.stderr


def test_help_shows_an_example(project: None) -> None:
    assert "memtax sample representative --corpus mine" in run("sample", "--help").output
