"""`memtax count`: texts, token ids and files of them, counted, shown and refused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import PROJECT, Commands, interrupt
from tests.corpus.helpers import word_tokenizer

TEXT = " ".join(f"w{token}" for token in range(10, 20))
IDS = list(range(10, 20))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_commands) -> Commands:
    folder = tmp_path_factory.mktemp("count")
    commands = make_commands(folder / "memtax.duckdb")
    rows = np.random.default_rng(1).integers(50, 90, (40, 32)).astype(np.uint16)
    rows[3, 4:14] = rows[3, 14:24] = rows[20, 22:32] = IDS
    rows.tofile(folder / "tokens.bin")
    tokenizer = word_tokenizer(folder / "tokenizer.json", 100)
    source = (folder / "tokens.bin", "--sequence-length", 32)
    commands.memtax("ingest", "corpus", "landed", *source, "--tokenizer", tokenizer)
    commands.memtax("ingest", "corpus", "there", *source, "--tokenizer", tokenizer, "--in-place")
    commands.memtax("ingest", "corpus", "ids", *source)
    return commands


@pytest.mark.parametrize("corpus", ["landed", "there"])
def test_a_text_is_counted_and_shown_in_its_places(store: Commands, corpus: str) -> None:
    output = store.memtax("count", "--corpus", corpus, TEXT).stdout
    assert "3 occurrences in 2 sequences" in output
    assert "sequence 3, first at token 4: …" in output
    assert f"⟦ {TEXT}⟧ w10" in output  # the second copy follows the first
    assert "sequence 20, first at token 22: …" in output
    cut = store.memtax("count", "--corpus", corpus, TEXT, "--limit", 1).stdout
    assert "sequence 20" not in cut
    assert "… and 1 more sequence\n" in cut


def test_json_and_a_file_of_questions(store: Commands, tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text(f"{TEXT}\n\n{json.dumps(IDS)}\n{json.dumps([1] * 128)}\n")
    rows = json.loads(store.memtax("count", "--corpus", "landed", "--file", file, "--format", "json").stdout)
    assert [(row["text"], row["occurrences"], row["sequences"]) for row in rows] == [
        (TEXT, 3, 2),
        (None, 3, 2),
        (None, 0, 0),
    ]
    assert rows[0]["tokens"] == rows[1]["tokens"] == IDS
    assert rows[0]["places"] == rows[1]["places"]
    assert [(place["sequence_id"], place["token_offset"]) for place in rows[0]["places"]] == [(3, 4), (20, 22)]
    assert rows[2]["places"] == []


def test_a_corpus_without_a_tokenizer_takes_token_ids(store: Commands) -> None:
    listed = ",".join(map(str, IDS))
    assert "3 occurrences" in store.memtax("count", "--corpus", "ids", "--tokens", listed).stdout
    assert f"⟦{' '.join(map(str, IDS))}" in store.memtax("count", "--corpus", "ids", "--tokens", f"[{listed}]").stdout


def test_what_cannot_be_counted_is_said(store: Commands, tmp_path: Path) -> None:
    short, empty, broken = tmp_path / "short", tmp_path / "empty", tmp_path / "broken"
    short.write_text(f"{TEXT}\nw10 w11\n")
    empty.write_text("\n\n")
    broken.write_bytes(b"\xff\xfe\n")
    cases: list[tuple[tuple[object, ...], str]] = [
        (("landed", "w10 w11"), "a run of 2 tokens"),
        (("landed", "--tokens", ",".join(["1"] * 129)), "a run of 129 tokens"),
        (("landed", "--tokens", "1,2,x"), "token ids are whole numbers"),
        (("landed", "--tokens", "1,2,3,4,5,6,7,-8"), "-8 is no token id"),
        (("landed", "--file", short), "question 2 of 2: this is a run of 2 tokens"),
        (("landed", "--file", empty), "asks for nothing"),
        (("landed", "--file", broken), "is not UTF-8"),
        (("nowhere", TEXT), "no corpus 'nowhere'; the store has ids, landed, there"),
        (("ids", TEXT), "has no tokenizer"),
    ]
    for (corpus, *arguments), message in cases:
        result = store.memtax("count", "--corpus", corpus, *arguments, check=False)
        assert (result.returncode, result.stdout) == (1, "")
        assert message in result.stderr
    for arguments in ((), (TEXT, "--tokens", "1")):
        result = store.memtax("count", "--corpus", "landed", *arguments, check=False)
        assert result.returncode == 2
        assert "give one of TEXT, --tokens and --file" in result.stderr


def test_ctrl_c_stops_a_count(commands: Commands, tmp_path: Path) -> None:
    # A file with holes: many tokens that take no room.
    with (tmp_path / "tokens.bin").open("wb") as file:
        file.truncate(8 << 30)
    source = tmp_path / "tokens.bin"
    commands.memtax("ingest", "corpus", "c", source, "--sequence-length", 2048, "--in-place")
    process = subprocess.Popen(
        [sys.executable, "-m", "memtax", "count", "--corpus", "c", "--tokens", ",".join("12345678")],
        cwd=PROJECT,
        env=commands.environment | {"PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    # Starting up takes as long as the machine is busy: the scan has begun when the tokens are mapped.
    maps = Path(f"/proc/{process.pid}/maps")
    while process.poll() is None and maps.exists() and str(source) not in maps.read_text():
        time.sleep(0.1)
    time.sleep(0.5 if maps.exists() else 3)
    running = process.poll() is None
    interrupt(process)
    _, errors = process.communicate(timeout=30)
    assert running, "the corpus was too small to be stopped in"
    assert process.returncode == 1
    assert "Aborted" in errors
    assert "Traceback" not in errors
