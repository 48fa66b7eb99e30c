"""Small stores with known content, put together without the command line so that a test states all that is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from memtax import store
from memtax.models.describe import files_checksum

WINDOW = 64
VOCABULARY = 200


def land(path: Path, corpus: str, sequences: Sequence[Sequence[int]], *, shard_id: int, first: int = 0) -> None:
    """Put one landed shard into the store at `path`, making corpus and store as needed."""
    dtype = "uint16" if all(token < 2**16 for row in sequences for token in row) else "uint32"
    width = {"uint16": pa.uint16(), "uint32": pa.uint32()}[dtype]
    lengths = [len(row) for row in sequences]
    rows = pa.table(
        {
            "corpus": [corpus] * len(sequences),
            "shard_id": pa.array([shard_id] * len(sequences), pa.int32()),
            "sequence_id": pa.array(range(first, first + len(sequences)), pa.int64()),
            "tokens": pa.array([list(row) for row in sequences], pa.list_(width)),
        }
    )
    with store.writing(path) as connection:
        connection.execute("insert or ignore into raw.corpora (corpus) values (?)", [corpus])
        connection.execute(
            "insert into raw.corpus_shards (corpus, shard_id, storage, format, sources, checksum, token_dtype, n_sequences, "
            "n_tokens, first_sequence_id, last_sequence_id, shortest_sequence, longest_sequence) "
            "values (?, ?, 'landed', 'npy', [], ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                corpus,
                shard_id,
                f"{corpus}-{shard_id}",
                dtype,
                len(sequences),
                sum(lengths),
                first,
                first + len(sequences) - 1,
                min(lengths),
                max(lengths),
            ],
        )
        connection.register("landed_rows", rows)
        connection.execute(f"insert into raw.corpus_sequences_{dtype} select * from landed_rows")


def evaluate(
    path: Path,
    dataset: str,
    corpus: str,
    places: Sequence[tuple[int, int]],
    rows: Sequence[Sequence[int]] | Mapping[int, Sequence[int]] | None = None,
    window: int = WINDOW,
) -> None:
    """Make the windows at (sequence_id, token_offset), of `window` tokens, evaluated sequences and members of a dataset.

    The tokens are those of `rows`, by sequence_id, where a corpus is not landed.
    """
    with store.writing(path) as connection:
        for sequence_id, offset in places:
            row = _tokens(connection, corpus, sequence_id) if rows is None else rows[sequence_id]
            tokens = list(row[offset : offset + window])
            keys = [corpus, sequence_id, offset]
            connection.execute("insert into raw.evaluated_sequences values (?, ?, ?, ?)", [*keys, tokens])
            connection.execute("insert into raw.dataset_members values (?, ?, ?, ?, null)", [dataset, *keys])


def add_model(path: Path, model: str, revision: str, corpus: str, location: Path) -> None:
    """Register a language model."""
    checksum = files_checksum(location)
    with store.writing(path) as connection:
        connection.execute(
            "insert into raw.models (model, revision, corpus, location, checksum, n_parameters, vocabulary_size) "
            "values (?, ?, ?, ?, ?, 1, ?)",
            [model, revision, corpus, str(location), checksum, VOCABULARY],
        )


def save_model(folder: Path, vocabulary: int, seed: int) -> Path:
    """A GPT-NeoX with random weights that are far enough apart to tell tokens from each other."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(seed)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = GPTNeoXConfig(
        vocab_size=vocabulary,
        max_position_embeddings=512,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=None,
        **shape,
    )
    GPTNeoXForCausalLM(config).save_pretrained(folder)
    return folder


def save_tokenizer(path: Path, words: list[str]) -> Path:
    """A tokenizer of whole words, ids in their order."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token=words[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.save(str(path))
    return path


def set_tokenizer(path: Path, table: str, name: str, tokenizer: Path) -> None:
    """Register a tokenizer.json, as it is now, for a row of raw.corpora or raw.models."""
    key = {"corpora": "corpus", "models": "model"}[table]
    with store.writing(path) as connection:
        connection.execute(
            f"update raw.{table} set tokenizer = ?, tokenizer_checksum = ? where {key} = ?",
            [str(tokenizer), sha256(tokenizer.read_bytes()).hexdigest(), name],
        )


def contents(path: Path, schema: str = "main") -> dict[str, list[tuple]]:
    """All rows of every table of a schema, in a fixed order."""
    with store.reading(path) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = ? order by 1", [schema]
        ).fetchall()
        return {name: sorted(connection.execute(f"from {schema}.{name}").fetchall(), key=repr) for (name,) in names}


def rows_computed(path: Path) -> dict[str, int]:
    """The rows that each UDF saw in the last dbt run on the store, by model and UDF."""
    with store.reading(path) as connection:
        return dict(
            connection.execute(
                "select model || '.' || udf, n_rows from intermediate.udf_rows_by_run where invocation_id = "
                "(select arg_max(invocation_id, recorded_at) from intermediate.udf_rows_by_run)"
            ).fetchall()
        )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-NeoX with random weights."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny") / "model"
    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    GPTNeoXForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sequences() -> list[list[int]]:
    """120 sequences of 96 tokens; numbers 40 to 49 are copies of number 0; tests only read them."""
    rows = np.random.default_rng(7).integers(0, VOCABULARY, (120, 96))
    rows[40:50] = rows[0]
    return rows.tolist()


def _tokens(connection: duckdb.DuckDBPyConnection, corpus: str, sequence_id: int) -> list[int]:
    row = connection.execute(
        "select cast(tokens as integer[]) from (select corpus, sequence_id, tokens::uinteger[] as tokens from "
        "raw.corpus_sequences_uint16 union all select corpus, sequence_id, tokens from raw.corpus_sequences_uint32) "
        "where corpus = ? and sequence_id = ?",
        [corpus, sequence_id],
    ).fetchone()
    assert row is not None
    return row[0]
