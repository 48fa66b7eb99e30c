"""`memtax ingest corpus` without its command line: from paths to a shard in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from memtax.corpus.formats import open_source
from memtax.corpus.land import Landing, land_copy
from memtax.corpus.progress import Progress, silent
from memtax.corpus.register_in_place import register_in_place
from memtax.corpus.shards import find_corpus, shards_of
from memtax.corpus.source import SourceOptions
from memtax.corpus.tokenizer import load_corpus_tokenizer
from memtax.errors import SourceError


def ingest_corpus(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    paths: Sequence[Path | str],
    *,
    format_name: str = "auto",
    tokenizer: str | None = None,
    options: SourceOptions | None = None,
    in_place: bool = False,
    append: bool = False,
    progress: Progress = silent,
) -> Landing:
    """Land files as one shard of the corpus `name`, or register where they lie.

    Args:
        connection: inside a writer's transaction (`memtax.store.writing`), which the caller commits.
        name: the corpus.
        paths: the files, in order; they are parts of one stream.
        format_name: 'auto' or a key of `memtax.corpus.formats.FORMATS`.
        tokenizer: of the corpus: a tokenizer.json, a folder, or a hub id. Without one, text is encoded by the tokenizer
            that the corpus already has.
        options: what else is known of the files; its tokenizer is set here.
        in_place: register instead of copying.
        append: allow further shards.
        progress: told how far it is.

    Raises:
        SourceError: the files, the tokenizer and the corpus do not fit together; nothing is changed then.
        UdfError: there is no such tokenizer.
    """
    if not name.strip():
        raise SourceError("the corpus needs a name")
    loaded = load_corpus_tokenizer(tokenizer) if tokenizer else None
    encoder = loaded
    if encoder is None:
        there = find_corpus(connection, name)
        if there is not None and there.tokenizer is not None and format_name in ("auto", "jsonl", "text"):
            encoder = load_corpus_tokenizer(there.tokenizer)
            if encoder.checksum != there.tokenizer_checksum:
                raise SourceError(
                    f"the tokenizer {there.tokenizer} of corpus {name!r} has changed since it was registered; put the "
                    "old one back, or land under another name"
                )
    source = open_source(paths, format_name, replace(options or SourceOptions(), tokenizer=encoder))
    if source.format in ("jsonl", "text"):
        loaded = encoder
    others = sorted({shard.corpus for shard in shards_of(connection)} - {name})
    made = append and not shards_of(connection, name)
    if in_place:
        landing = register_in_place(connection, name, source, tokenizer=loaded, append=append)
    else:
        dtype = options.dtype if options else None
        landing = land_copy(connection, name, source, tokenizer=loaded, dtype=dtype, append=append, progress=progress)
    if made and others:
        # Not refused: who lands shards one by one may append the first as well.
        note = f"--append found no corpus {name!r} and made it; the store also has {', '.join(others)}"
        landing = replace(landing, notes=(note, *landing.notes))
    return landing
