"""The stores of benchmarks/past_memory.py: a made corpus, windows of it, published scores and a tokenizer, all from seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
LENGTH, WINDOW, VOCABULARY = 513, 64, 20_000
# Ids 1 to 1000 are the words of as many numbers, so that counting up is a pattern of text; the others are words.
NUMBERS = 1000


def make_store(folder: Path, n_tokens: int, n_windows: int, *, with_text: bool = True) -> Path:
    """Land a corpus of `n_tokens` and `n_windows` of its windows, whose scores one model published; return the database."""
    tokens = make_tokens(n_tokens // LENGTH)
    tokens.tofile(folder / "corpus.bin")
    write_windows(folder / "windows.parquet", tokens, n_windows)
    database = folder / "memtax.duckdb"
    corpus = ["--format", "bin", "--dtype", "uint16", "--sequence-length", str(LENGTH)]
    if with_text:
        write_tokenizer(folder / "tokenizer.json")
        corpus += ["--tokenizer", str(folder / "tokenizer.json")]
    memtax(database, "ingest", "corpus", "made", str(folder / "corpus.bin"), *corpus)
    windows = ["--corpus", "made", "--score-column", "score=published"]
    memtax(database, "ingest", "sequences", "sample", str(folder / "windows.parquet"), *windows)
    return database


def make_tokens(n: int) -> np.ndarray:
    """(n, LENGTH) tokens: words as frequent as words are, documents of which many sequences are copies, and counting."""
    random = np.random.default_rng(0)
    ranks = np.arange(1, VOCABULARY + 1)
    shares = np.cumsum(1 / (ranks + 20))
    tokens = np.searchsorted(shares / shares[-1], random.random((n, LENGTH), np.float32)).astype(np.uint16)
    tokens = np.minimum(tokens, VOCABULARY - 1)
    order = random.permutation(n)
    copies, counting = order[: n // 5], order[n // 5 : n // 5 + n // 20]
    # A few documents are copied very often, most of them a few times.
    tokens[copies] = tokens[order[-1] - (random.pareto(0.5, len(copies)) * 5).astype(np.int64) % (n // 10)]
    starts = random.integers(1, NUMBERS, (len(counting), 1))
    tokens[counting] = 1 + (starts + np.arange(LENGTH)) % NUMBERS
    return tokens


def write_tokenizer(path: Path) -> None:
    """A tokenizer of whole words."""
    from tokenizers import Tokenizer, models

    words = {f"{number}": number for number in range(NUMBERS + 1)}
    words |= {_word(token): token for token in range(NUMBERS + 1, VOCABULARY)}
    Tokenizer(models.WordLevel(words, unk_token="0")).save(str(path))


def _word(token: int) -> str:
    letters = []
    while token:
        token, letter = divmod(token, 26)
        letters.append(chr(97 + letter))
    return "".join(letters)


def write_windows(path: Path, tokens: np.ndarray, n: int) -> None:
    """Windows at distinct places, in the order of the corpus, and a score of each: higher where a pattern is likely."""
    random = np.random.default_rng(1)
    places = LENGTH // WINDOW
    chosen = np.sort(random.choice(len(tokens) * places, n, replace=False))
    ids, offsets = chosen // places, chosen % places * WINDOW
    windows = tokens[:, : places * WINDOW].reshape(-1, WINDOW)[chosen]
    counting = windows[:, 1] == windows[:, 0] + 1
    known = random.random(n) < np.where(counting, 0.6, 0.05)
    scores = np.where(known, 32, random.integers(0, 32, n)) / 32
    table = pa.table(
        {
            "sequence_id": ids,
            "token_offset": offsets.astype(np.int32),
            "tokens": pa.FixedSizeListArray.from_arrays(pa.array(windows.ravel().astype(np.int32)), WINDOW),
            "score": scores,
        }
    )
    pq.write_table(table, path)


def environment(database: Path, limit: str | None) -> dict[str, str]:
    """What tells dbt and memtax which store to take, and how much memory."""
    names = {"MEMTAX_DATABASE": str(database.absolute()), "MEMTAX_PROJECT": str(ROOT)}
    # Memory that is freed goes back to the system, so that the peaks say what was needed (udf/allocator.py keeps some).
    names["MALLOC_TRIM_THRESHOLD_"] = "131072"
    limits = ("MEMTAX_MEMORY_LIMIT", "MEMTAX_SPILL_FOLDER")
    unlimited = {name: value for name, value in os.environ.items() if name not in limits}
    return unlimited | names | ({"MEMTAX_MEMORY_LIMIT": limit} if limit else {})


def memtax(database: Path, *arguments: str) -> None:
    """Run a memtax command on a store."""
    command = [sys.executable, "-m", "memtax", *arguments]
    subprocess.run(command, env=environment(database, "2GB"), check=True, stdout=subprocess.DEVNULL)


def dbt_command(target: Path, *arguments: str, **variables: object) -> list[str]:
    """The command line of one dbt run, whose files go to `target`."""
    dbt = str(Path(sys.executable).with_name("dbt"))
    paths = ["--target-path", str(target), "--log-path", str(target / "logs")]
    return [dbt, "--no-use-colors", *arguments, *paths, "--vars", json.dumps(variables)]
