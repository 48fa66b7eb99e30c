"""`memtax classifier` as it is typed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from memtax.cli import main

ROWS = [
    ("She closed the door and walked down to the harbour, where the boats were waiting for the tide to turn.", "0"),
    ("The council decided yesterday to renew the bridge, and traffic will be led around it for two years.", "nl"),
    ("if (node->next == NULL) { return -1; } node->count++; list_append(&queue, node->next);", "1"),
    ("0x1f, 0x2e, 0x00, 0x7c, 0x11, 0xa0, 0x33, 0x9e, 0x21, 0x00, 0x00, 0xff,", "code"),
]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([("body", "kind"), *ROWS])
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["classifier", *map(str, arguments)])
    return result.exit_code, result.output


def columns(path: Path) -> tuple[object, ...]:
    return (path, "--text-column", "body", "--label-column", "kind")


def test_evaluate_prints_and_draws(labelled: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name, head in (("p.png", b"\x89PNG"), ("p.svg", b"<?xml")):
        code, output = run("evaluate", *columns(labelled), "--plot", tmp_path / name)
        assert code == 0, output
        assert "ROC-AUC 1.0000" in output and "Recommended: nl_score_code_below" in output
        assert (tmp_path / name).read_bytes().startswith(head)
    assert {path.name for path in tmp_path.iterdir()} == {"labelled.csv", "p.png", "p.svg"}


@pytest.mark.parametrize(
    ("content", "message"),
    [("text,is_code\nx,maybe\n", "line 2: is_code is 'maybe'"), ("a,b\n1,2\n", "no column 'text'"),
     ("text,is_code\nx,1\n", "not both labels")],
)  # fmt: skip
def test_evaluate_says_what_is_wrong_with_a_file(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bad.csv").write_text(content)
    code, output = run("evaluate", tmp_path / "bad.csv")
    assert code == 1 and message in output.replace("\n", " ")


def test_evaluate_says_what_is_wrong_with_its_arguments(labelled: Path, tmp_path: Path) -> None:
    assert "cannot be read" in run("evaluate", tmp_path / "none.csv")[1]
    assert "expected a file that ends in" in run("evaluate", *columns(labelled), "--plot", "x.jpeg")[1]
    assert "no classifier at" in run("evaluate", *columns(labelled), "--model", tmp_path / "none")[1]


def test_train_says_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    code, output = run("train", tmp_path / "out", "--from", tmp_path / "none")
    assert code == 1 and "is not a folder" in output
