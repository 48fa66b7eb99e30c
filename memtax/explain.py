"""What the store knows of one sequence, and why it has its category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from memtax import store
from memtax.category import reason_of, rule_of
from memtax.corpus.context import Place, places_in_context
from memtax.corpus.occurrences import SHORTEST, Occurrences, find_occurrences
from memtax.corpus.shards import find_corpus, shards_of
from memtax.errors import MemtaxError, StoreError
from memtax.model_order import in_order
from memtax.neighbours.index import EMBEDDINGS
from memtax.neighbours.search import Neighbour, nearest_to_sequence
from udf.errors import UdfError

# Tables with one row per evaluated sequence, in the order in which they are shown.
SEQUENCE_TABLES = (
    "feat_sequence__duplicates",
    "feat_sequence__token_frequency",
    "feat_sequence__templating",
    "feat_sequence__compression",
    "feat_sequence__code",
    "feat_sequence__similarity",
)
MODEL_TABLES = ("fct_memorization", "feat_sequence_model__perplexity", "feat_sequence_model__attention")
KEYS = ("corpus", "sequence_id", "token_offset")
MODEL_KEYS = ("model", "revision")
NEIGHBOURS = 5


@dataclass
class Explanation:
    """One evaluated sequence as `memtax explain` shows it."""

    corpus: str
    sequence_id: int
    token_offset: int
    tokens: list[int]
    prompt: str
    continuation: str
    datasets: list[str]
    text: str | None = None
    """The whole window's; None without a tokenizer."""
    features: dict[str, Any] = field(default_factory=dict)
    by_model: list[dict[str, Any]] = field(default_factory=list)
    category: str | None = None
    """As stored, whatever the project's vars are by now."""
    reason: str = ""
    evidence: Occurrences | None = None
    """None where the corpus is not landed, or the continuation is too short to be looked for."""
    places: list[Place] = field(default_factory=list)
    """The places of the evidence, decoded."""
    unreadable: str | None = None
    """Why the places could not be decoded."""
    neighbours: list[Neighbour] | None = None
    """The nearest other evaluated sequences; None where the sequence has no embedding, or an index has yet to be made."""


def explain_sequence(
    connection: duckdb.DuckDBPyConnection,
    corpus: str,
    sequence_id: int,
    token_offset: int,
    *,
    settings: Mapping[str, Any],
    scan: bool = True,
    neighbours: bool = True,
) -> Explanation:
    """Collect everything about one evaluated sequence.

    Args:
        connection: a reading session (`memtax.session.reading_session`).
        corpus, sequence_id, token_offset: the sequence's keys.
        settings: the project's vars; what its category goes by is taken from the store, where that has it recorded.
        scan: read the whole corpus where `dbt run` has not counted the sequence's occurrences.
        neighbours: look for its nearest neighbours.

    Raises:
        StoreError: `dbt run` has not built the tables, or the sequence is not an evaluated one.
    """
    store.require_table(connection, "main", "dim_evaluated_sequences", "run dbt run first")
    keys = [corpus, sequence_id, token_offset]
    row = connection.execute(
        "select tokens from dim_evaluated_sequences where corpus = ? and sequence_id = ? and token_offset = ?", keys
    ).fetchone()
    if row is None:
        raise StoreError(_not_evaluated(connection, corpus, sequence_id, token_offset))
    tokens = list(row[0])
    prompt_length, continuation_length = (int(settings[f"{part}_length"]) for part in ("prompt", "continuation"))
    text = _row(connection, "feat_sequence__text", keys) or {}
    continuation = tokens[prompt_length : prompt_length + continuation_length]
    explanation = Explanation(
        corpus,
        sequence_id,
        token_offset,
        tokens,
        prompt=text.get("prompt_text") or " ".join(map(str, tokens[:prompt_length])),
        continuation=text.get("continuation_text") or " ".join(map(str, continuation)),
        datasets=[
            name
            for (name,) in connection.execute(
                "select dataset from dataset_members where corpus = ? and sequence_id = ? and token_offset = ? order by 1",
                keys,
            ).fetchall()
        ],
        text=text.get("text"),
    )
    for table in SEQUENCE_TABLES:
        explanation.features |= _row(connection, table, keys) or {}
    explanation.by_model = _model_rows(connection, keys)
    rule = rule_of(connection, settings)
    categories = [row["category"] for row in explanation.by_model if "category" in row]
    if categories:
        explanation.category = next(filter(None, categories), None)
        explanation.reason = reason_of(explanation.category, explanation.features, rule)
    else:
        # Nothing is stored that the reason could contradict.
        reason = rule.reason(explanation.features)
        explanation.reason = f"no model's outcome is known, and a category is stored with one; {reason}"
    explanation.evidence = _evidence(connection, keys, explanation.features, continuation, scan=scan)
    registered = find_corpus(connection, corpus)
    if explanation.evidence is not None and registered is not None:
        places = explanation.evidence.places
        lengths = [len(continuation)] * len(places)
        try:
            explanation.places = list(places_in_context(connection, registered, places, lengths))
        except (MemtaxError, UdfError) as error:
            # Files that are gone take the text around the places, and nothing else of what is known.
            explanation.places = [Place(*place) for place in places]
            explanation.unreadable = str(error)
    if neighbours and store.has_table(connection, "intermediate", EMBEDDINGS) and explanation.text is not None:
        explanation.neighbours = nearest_to_sequence(connection, (corpus, sequence_id, token_offset), NEIGHBOURS)
    return explanation


def _evidence(
    connection: duckdb.DuckDBPyConnection,
    keys: list[Any],
    features: dict[str, Any],
    continuation: list[int],
    *,
    scan: bool,
) -> Occurrences | None:
    """What dbt run found; a scan of the corpus is needed only where it has not counted this sequence."""
    corpus, counted = keys[0], features.get("sequence_duplicates")
    if counted is not None and store.has_table(connection, "main", "duplicate_occurrences"):
        places = connection.execute(
            "select occurrence_sequence_id, occurrence_token_offset from main.duplicate_occurrences "
            "where corpus = ? and sequence_id = ? and token_offset = ? order by place_rank",
            keys,
        ).fetchall()
        return Occurrences(counted, features.get("duplicate_sequences") or 0, places)
    if not scan or len(continuation) < SHORTEST or not shards_of(connection, corpus):
        return None
    return find_occurrences(connection, corpus, continuation)


def _row(connection: duckdb.DuckDBPyConnection, table: str, keys: list[Any]) -> dict[str, Any] | None:
    if not store.has_table(connection, "main", table):
        return None
    rows = (
        connection.execute(
            f"select * exclude (corpus, sequence_id, token_offset) from main.{table} "  # noqa: S608 - names from this module
            "where corpus = ? and sequence_id = ? and token_offset = ?",
            keys,
        )
        .to_arrow_table()
        .to_pylist()
    )
    return rows[0] if rows else None


def _model_rows(connection: duckdb.DuckDBPyConnection, keys: list[Any]) -> list[dict[str, Any]]:
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for table in MODEL_TABLES:
        if not store.has_table(connection, "main", table):
            continue
        rows = connection.execute(
            f"select * exclude (corpus, sequence_id, token_offset) from main.{table} "  # noqa: S608 - names from this module
            "where corpus = ? and sequence_id = ? and token_offset = ?",
            keys,
        ).to_arrow_table()
        for row in rows.to_pylist():
            merged.setdefault((row["model"], row["revision"]), {}).update(row)
    return [merged[model] for model in in_order(connection, merged)]


def _not_evaluated(connection: duckdb.DuckDBPyConnection, corpus: str, sequence_id: int, token_offset: int) -> str:
    if datasets := _datasets_of_features(connection, [corpus, sequence_id, token_offset]):
        return (
            f"the store has no tokens of sequence {sequence_id} of {corpus}, only what features has of it in "
            f"{', '.join(datasets)}, as it does where a feature table was landed; memtax explore shows that"
        )
    offsets = connection.execute(
        "select list(token_offset order by token_offset) from dim_evaluated_sequences where corpus = ? and sequence_id = ?",
        [corpus, sequence_id],
    ).fetchone()
    if offsets and offsets[0]:
        return (
            f"sequence {sequence_id} of {corpus} is not evaluated at token offset {token_offset}, "
            f"but at {', '.join(map(str, offsets[0][:10]))}"
        )
    corpora = [name for (name,) in connection.execute("select corpus from dim_corpora order by 1").fetchall()]
    if corpus not in corpora:
        return f"no corpus is named {corpus!r}; the store has {', '.join(corpora) or 'none'}"
    return (
        f"sequence {sequence_id} of {corpus} is in no dataset; add it with memtax sample or memtax ingest sequences, "
        "and run dbt run"
    )


def _datasets_of_features(connection: duckdb.DuckDBPyConnection, keys: list[Any]) -> list[str]:
    if not store.has_table(connection, "main", "features"):
        return []
    rows = connection.execute(
        "select distinct dataset from main.features where corpus = ? and sequence_id = ? and token_offset = ? order by 1",
        keys,
    ).fetchall()
    return [dataset for (dataset,) in rows]
