"""`make demo`: a memorization feature store from installed text, built with the same commands that anyone would use."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from memtax import project, store
from memtax.demo.sizes import SIZES, DemoSize, size_named
from memtax.errors import MemtaxError, MissingExtraError, StoreError

if TYPE_CHECKING:
    import numpy as np

FOLDER = ".demo"
DEFAULT_SIZE = "full"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m memtax.demo", description=__doc__)
    parser.add_argument("--size", choices=list(SIZES), default=DEFAULT_SIZE, help="small takes under a minute")
    size = size_named(parser.parse_args(arguments).size)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        folder = project.project_folder() / FOLDER / size.name
        if size.name != DEFAULT_SIZE:
            # The sizes name their corpora and models alike, so that one store cannot hold both.
            os.environ.setdefault(project.DATABASE_VARIABLE, str(folder / project.DEFAULT_DATABASE))
        build(size, folder)
    except MemtaxError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"demo: {' '.join(map(str, error.cmd))} failed with status {error.returncode}", file=sys.stderr)
        return 1
    return 0


def build(size: DemoSize, folder: Path) -> None:
    """Do everything: text, tokenizer, corpus, models, sample, `dbt build`, summary. What is there already is reused."""
    try:
        from memtax.demo.corpus import build_corpus
        from memtax.demo.summary import print_summary
        from memtax.demo.tokenizer import train_tokenizer
        from memtax.demo.train import train_models
    except ModuleNotFoundError as error:
        raise MissingExtraError("the demo", "demo") from error

    began = time.monotonic()
    corpus = size.corpus
    folder.mkdir(parents=True, exist_ok=True)
    with step("text of installed files"):
        info = build_corpus(folder, size.name)
    print(
        f"  {info.n_documents:,} documents, {info.n_characters:,} characters, from {info.n_files:,} files, each named in "
        f"{_short(info.manifest)}"
    )
    with step("tokenizer"):
        tokenizer = train_tokenizer(folder, size.name)
    length = ["--sequence-length", str(size.sequence_length)]
    with step("corpus"):
        memtax("ingest", "corpus", corpus, info.documents, "--tokenizer", tokenizer, *length)
    with step("language models"):
        checkpoints = train_models(_tokens(corpus), folder, size.name)
    for model in size.models:
        kept = [checkpoint for checkpoint in checkpoints if checkpoint.model == model.name]
        options = []
        for checkpoint in kept:
            options += ["--revision", checkpoint.revision, "--training-fraction", checkpoint.training_fraction]
        memtax("ingest", "model", model.name, kept[0].location.parent, "--corpus", corpus, *options)
    with step("sample"):
        how_many = "all" if size.sample is None else str(size.sample)
        memtax("sample", f"{corpus}_sample", "--corpus", corpus, "--n", how_many, "--seed", str(size.seed))
    with step("features and taxonomy (dbt build)"):
        dbt_build(folder / "dbt.log")
    with store.reading() as connection:
        print_summary(connection, corpus)
    database = _short(project.database_path())
    print(
        f"\ndone in {time.monotonic() - began:.0f} s. The store is {database}; look into it (after source .venv/bin/activate):"
    )
    if database != project.DEFAULT_DATABASE:
        print(f"  export {project.DATABASE_VARIABLE}={project.database_path()}")
    print("  memtax report report.html")
    print('  memtax query "select category, count(*) from features where memorized group by all"')
    print(f"  memtax explain {corpus} {_a_memorized_sequence(corpus)}")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(f"· {name} …", flush=True)
    began = time.monotonic()
    yield
    print(f"  {time.monotonic() - began:.1f} s", flush=True)


def memtax(*arguments: object) -> None:
    """Run a memtax command as a user would, in a process of its own."""
    subprocess.run([sys.executable, "-m", "memtax", *map(str, arguments)], check=True)


def dbt_build(log: Path) -> None:
    """Run `dbt build`, its whole output in `log`; only progress and what went wrong are shown."""
    command = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "build"]
    with log.open("w", encoding="utf-8") as record:
        process = subprocess.Popen(
            command, cwd=project.project_folder(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for line in process.stdout or ():
            record.write(line)
            message = line.split("  ", 1)[-1].rstrip()
            if " rows in " in message or message.startswith("Done."):
                print(f"  {message}", flush=True)
    if process.wait():
        tail = "".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[-30:])
        raise StoreError(f"dbt build failed (all of it is in {_short(log)}):\n{tail}")


def _tokens(corpus: str) -> np.ndarray:
    import numpy as np

    with store.reading() as connection:
        column = connection.execute(
            "select tokens from raw.corpus_sequences_uint16 where corpus = ? order by sequence_id", [corpus]
        ).to_arrow_table()["tokens"]
    rows = column.combine_chunks()
    return np.asarray(rows.flatten().to_numpy(), dtype=np.uint16).reshape(len(rows), -1)


def _a_memorized_sequence(corpus: str) -> int:
    with store.reading() as connection:
        found = connection.execute(
            "select sequence_id from main.fct_memorization where corpus = ? order by memorized desc, category, sequence_id",
            [corpus],
        ).fetchone()
    return found[0] if found else 0


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    raise SystemExit(main())
