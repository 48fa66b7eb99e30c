"""A small store whose text, names and values are as unkind as they may be, with all that the explorer looks at."""

from __future__ import annotations

import html
import re
from pathlib import Path

from memtax import store
from tests.corpus.helpers import word_tokenizer

HOSTILE = (
    "</script><script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">',
    '" onmouseover="window.hacked=1" x="',
    "<a href=javascript:window.hacked=1>here</a>",
    "<style>*{display:none}</style><!-- <textarea>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "invoice\u202egnp.exe \u2066\u200bzero\ufeff",
    "\x1b[31mred\x1b[0m\x07\x9b2J",
    '=HYPERLINK("http://example.com")',
    "it''s; drop table features; --",
    "line\r\n\tend\u2028\u0085",
    "nul\x00 \ud7ff\U000e0041",
)
HOSTILE_COLUMN = 'x"; drop table features; -- <b>'
MODELS = (("small", "main"), ("<b>large</b>", "step&1"))
LETTERS = "abcdefghijkl"
# Of the 63 tokens after the first: every class of probability, down to the unlikeliest.
COSTS = [-0.05 - (place + 3) % 19 / 2 for place in range(63)]


def make_store(folder: Path) -> Path:
    """Twelve sequences of corpus `c<i>`, two datasets, two models; no dbt has been near it."""
    path = folder / "memtax.duckdb"
    tokenizer = word_tokenizer(folder / "tokenizer.json", 100)
    vocabulary = tokenizer.read_text().replace('"w5"', '"<img\\u202e"')
    # Line ends, and what is written out, in tokens of every class.
    for number in range(7, 100, 2):
        unseen = "\\n" if number % 4 == 3 else "\\u202e"
        vocabulary = vocabulary.replace(f'"w{number}"', f'"w{number}{unseen}"')
    tokenizer.write_text(vocabulary)
    windows = [[(number * 7 + place) % 90 + 2 for place in range(64)] for number in range(len(HOSTILE))]
    windows[1] = windows[0]  # so that one occurs twice
    keys = [("c<i>", number, 0) for number in range(len(HOSTILE))]
    with store.writing(path) as connection:
        connection.execute(
            "insert into raw.corpora (corpus, tokenizer, sequence_length) values ('c<i>', ?, 64)", [str(tokenizer)]
        )
        connection.execute(
            "insert into raw.corpus_shards (corpus, shard_id, storage, format, sources, checksum, token_dtype, n_sequences, "
            "n_tokens, first_sequence_id, last_sequence_id, shortest_sequence, longest_sequence) "
            "values ('c<i>', 1, 'landed', 'npy', [], 's', 'uint16', ?, ?, 0, ?, 64, 64)",
            [len(windows), 64 * len(windows), len(windows) - 1],
        )
        connection.executemany(
            "insert into raw.corpus_sequences_uint16 values ('c<i>', 1, ?, ?)", list(enumerate(windows))
        )
        columns = "corpus varchar, sequence_id bigint, token_offset integer"
        for name, more in (
            ("dim_evaluated_sequences", "tokens integer[]"),
            ("dataset_members", "dataset varchar"),
            ("feat_sequence__text", "text varchar, prompt_text varchar, continuation_text varchar"),
            ("feat_sequence__duplicates", "sequence_duplicates bigint, duplicate_sequences bigint"),
            ("feat_sequence__templating", "is_templating boolean, templating_pattern varchar, templating_period integer, "
             "templating_step double, templating_coverage double"),
            ("duplicate_occurrences", "place_rank integer, occurrence_sequence_id bigint, occurrence_token_offset integer"),
            ("fct_memorization", "model varchar, revision varchar, greedy_match_length integer, memorized boolean, "
             "category varchar"),
            ("feat_sequence_model__token_log_probabilities", "model varchar, revision varchar, "
             "token_log_probabilities double[]"),
            ("features", "dataset varchar, model varchar, revision varchar, sequence_duplicates bigint, "
             f'generation_perplexity double, code_type varchar, greedy_match_length integer, memorized boolean, '
             f'category varchar, "{HOSTILE_COLUMN.replace(chr(34), chr(34) * 2)}" integer'),
        ):  # fmt: skip
            connection.execute(f"create table main.{name} ({columns}, {more})")
        connection.execute("create table main.dim_corpora as select corpus from raw.corpora")
        for (key, text, window), letter in zip(zip(keys, HOSTILE, windows, strict=True), LETTERS, strict=True):
            number = key[1]
            insert(connection, "dim_evaluated_sequences", *key, window)
            insert(connection, "dataset_members", *key, "d")
            insert(connection, "feat_sequence__text", *key, f"{letter} {text} {letter}", text, f"{text} {letter}")
            count = 2 if number < 2 else 1
            insert(connection, "feat_sequence__duplicates", *key, count, count)
            insert(
                connection,
                "feat_sequence__templating",
                *key,
                number == 3,
                "counter" if number == 3 else None,
                4,
                1.0,
                0.9,
            )
            for rank, place in enumerate([0, 1] if number < 2 else [number]):
                insert(connection, "duplicate_occurrences", *key, rank + 1, place, 32)
            for model, revision in MODELS:
                memorized = None if number == 11 else number % 3 == 0
                matched = 32 if memorized else number
                category = [None, "recitation", "recollection"][number % 3]
                insert(connection, "fct_memorization", *key, model, revision, matched, memorized, category)
                insert(connection, "feat_sequence_model__token_log_probabilities", *key, model, revision, COSTS)
                perplexity = [None, float("inf"), float("nan"), 1.5][number] if number < 4 else 1.0 + number % 4
                for dataset in ("d", '"e" & <e>') if number % 2 else ("d",):
                    row = [dataset, model, revision, count, perplexity, letter, matched, memorized, category, number]
                    insert(connection, "features", *key, *row)
    return path


def insert(connection, table: str, *values: object) -> None:
    connection.execute(f"insert into main.{table} values ({', '.join('?' * len(values))})", list(values))


def ask(database: Path, sql: str) -> list[tuple]:
    """What a statement gives."""
    with store.reading(database) as connection:
        return connection.execute(sql).fetchall()


def text_of(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
