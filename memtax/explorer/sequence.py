"""One evaluated sequence: everything that `memtax.explain` knows of it, and its tokens with what they cost one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from memtax import store
from memtax.category import is_landed, rule_of
from memtax.corpus.context import corpus_tokenizer
from memtax.corpus.shards import find_corpus
from memtax.errors import MemtaxError, SelectionError, StoreError
from memtax.explain import Explanation, explain_sequence
from memtax.explorer import landed, statements
from memtax.explorer.catalogue import Catalogue, label_of
from memtax.explorer.filters import ungrouped
from memtax.explorer.landed import Categorised
from memtax.explorer.tokens import Token, tokens_of
from memtax.model_order import Model
from memtax.neighbours.index import EMBEDDINGS
from memtax.neighbours.search import SCANNED
from udf.errors import UdfError
from udf.templating.rules import find_match

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

LOG_PROBABILITIES = "feat_sequence_model__token_log_probabilities"
NOT_COMPUTED = (
    "What each token cost the model is not stored. "
    "dbt run --vars '{token_log_probabilities: true}' computes it (docs/models.md), and this text is coloured by it then."
)
_MAIN_MEASURES = (
    *("memorized", "greedy_match_length", "memorization_score", "loss", "prompt_perplexity", "generation_perplexity"),
    *("extraction_probability", "log_probability_gain", "published_memorization_score"),
)


@dataclass(frozen=True)
class Asked:
    """Which sequence a page is about, as its address says.

    Attributes:
        model: NAME@REVISION whose tokens are shown; None for the largest that there is.
        neighbours: look for neighbours even where that takes a while.
    """

    corpus: str
    sequence_id: int
    token_offset: int
    model: str | None = None
    neighbours: bool = False

    @property
    def key(self) -> tuple[str, int, int]:
        """The keys of an evaluated sequence."""
        return self.corpus, self.sequence_id, self.token_offset


@dataclass
class Shown:
    """What the page of a sequence shows.

    Attributes:
        explanation: None where only `features` knows of the sequence, as it does where a feature table was landed.
        note: why tokens are shown by their ids; empty where they are not.
        prompt, continuation: the tokens; empty without an explanation.
        measured: whether they have log-probabilities.
        model: the one whose outcome is shown, if any.
        models: those that know the sequence.
        by_model: their features, in the same order; those of `features` after those explained, with the datasets that have them.
        categories: of those of `features`.
        measures: the names of these, the most telling first.
        covered: the text in pieces, each with whether the pattern that templating found covers it; empty if none was.
        has_rows: whether `features` has any of it.
        wait_for_neighbours: neighbours were not looked for, since that may take a while here.
    """

    explanation: Explanation | None
    note: str = ""
    prompt: Sequence[Token] = ()
    continuation: Sequence[Token] = ()
    measured: bool = False
    model: Model | None = None
    models: Sequence[Model] = ()
    by_model: Sequence[dict[str, Any]] = ()
    categories: Sequence[Categorised] = ()
    measures: Sequence[str] = ()
    covered: Sequence[tuple[str, bool]] = ()
    has_rows: bool = False
    wait_for_neighbours: bool = False

    @property
    def outcome(self) -> dict[str, Any]:
        """The features of the chosen model."""
        return next((row for row in self.by_model if (row["model"], row["revision"]) == self.model), {})


def asked(parameters: QueryParams) -> Asked:
    """Which sequence an address is about.

    Raises:
        SelectionError: it does not say, or the ids are no numbers.
    """
    numbers = []
    for name in ("sequence_id", "token_offset"):
        text = ungrouped(parameters.get(name) or "0")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise SelectionError(f"{name} is a whole number from 0 on, and {text!r} is none")
        numbers.append(int(text))
    corpus = parameters.get("corpus")
    if not corpus:
        raise SelectionError("the address names no corpus; a sequence is found by corpus, sequence_id and token_offset")
    return Asked(
        corpus,
        numbers[0],
        numbers[1],
        parameters.get("model") or None,
        bool(parameters.get("neighbours")),
    )


def read_sequence(
    connection: duckdb.DuckDBPyConnection, wanted: Asked, catalogue: Catalogue, settings: dict[str, Any]
) -> Shown:
    """Collect what the page shows.

    Args:
        connection: the store, open for reading.
        wanted: the sequence.
        catalogue: what the store has.
        settings: the project's vars.

    Raises:
        StoreError: no table knows of the sequence.
        SelectionError: no table knows of the sequence and the model that is asked for.
    """
    statement = statements.of_sequence(*wanted.key)
    rows = connection.execute(statement.text, statement.parameters).to_arrow_table().to_pylist()
    wait = not wanted.neighbours and _embeddings(connection) > SCANNED
    explanation = None
    try:
        explanation = explain_sequence(connection, *wanted.key, settings=settings, scan=False, neighbours=not wait)
    except StoreError:
        if not rows:
            raise
    beside = [row for row in rows if explanation is None or is_landed(row)]
    shown = Shown(
        explanation,
        by_model=[*(explanation.by_model if explanation else ()), *landed.by_dataset_and_model(beside)],
        categories=landed.categories(beside, rule_of(connection, settings)),
        has_rows=bool(rows),
        wait_for_neighbours=wait,
    )
    _choose_model(shown, catalogue, wanted)
    if explanation is None:
        return shown
    shown.covered = _covered(explanation.text, explanation.features)
    costs = _log_probabilities(connection, wanted, shown.model)
    shown.measured = costs is not None
    tokenizer = None
    try:
        registered = find_corpus(connection, wanted.corpus)
        tokenizer = None if registered is None else corpus_tokenizer(registered)
    except (MemtaxError, UdfError) as error:
        shown.note = f"Tokens are shown by their ids: {error}"
    shown.prompt, shown.continuation = tokens_of(
        explanation.tokens,
        tokenizer,
        prompt_length=int(settings["prompt_length"]),
        log_probabilities=costs,
        greedy_match_length=shown.outcome.get("greedy_match_length"),
    )
    return shown


def _choose_model(shown: Shown, catalogue: Catalogue, wanted: Asked) -> None:
    """Put its models in the catalogue's order, and choose one of them."""
    place = {model: number for number, model in enumerate(catalogue.models)}
    shown.by_model = sorted(shown.by_model, key=lambda row: place.get((row["model"], row["revision"]), len(place)))
    shown.models = list(dict.fromkeys((row["model"], row["revision"]) for row in shown.by_model))
    present = dict.fromkeys(
        name
        for row in shown.by_model
        for name, value in row.items()
        if value is not None and not isinstance(value, list)
    )
    first = [name for name in _MAIN_MEASURES if name in present]
    aside = {*first, *statements.KEYS, "category", "origin"}
    # Several are listed above the table without the models that they are of.
    category = ["category"] if len(shown.categories) > 1 else []
    shown.measures = [*category, *first, *(name for name in present if name not in aside)]
    shown.model = next((model for model in shown.models if label_of(model) == wanted.model), None)
    if shown.model is None and wanted.model is not None:
        known = ", ".join(map(label_of, shown.models)) or "none"
        raise SelectionError(f"nothing is known of this sequence and model {wanted.model!r}, only of {known}")
    if shown.model is None and shown.models:
        shown.model = shown.models[-1]


def _covered(text: str | None, features: dict[str, Any]) -> list[tuple[str, bool]]:
    """A text in pieces, by whether the stored pattern covers them. The places are not stored, so they are found again."""
    if text is None or features.get("templating_pattern") is None:
        return []
    found = find_match(text)
    stored = (features["templating_pattern"], features["templating_period"])
    if found is None or (found.pattern.kind, found.pattern.period) != stored:
        return []  # by another version's rules; what is stored stands without its places
    pieces, last = [], 0
    for start, end in found.spans:
        pieces += [(text[last:start], False), (text[start:end], True)]
        last = end
    return [piece for piece in [*pieces, (text[last:], False)] if piece[0]]


def _log_probabilities(
    connection: duckdb.DuckDBPyConnection, wanted: Asked, model: Model | None
) -> list[float | None] | None:
    if model is None or not store.has_table(connection, "main", LOG_PROBABILITIES):
        return None
    row = connection.execute(statements.COSTS_OF_TOKENS, [*wanted.key, *model]).fetchone()
    return None if row is None else row[0]


def _embeddings(connection: duckdb.DuckDBPyConnection) -> int:
    """How many rows the table of embeddings has, without reading it."""
    if not store.has_table(connection, "intermediate", EMBEDDINGS):
        return 0
    row = connection.execute(statements.EMBEDDINGS).fetchone()
    return row[0] if row else 0
