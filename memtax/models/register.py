"""Registering language models: rows of `raw.models`, from which dbt knows whom to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from memtax.errors import SourceError, StoreError
from memtax.models.describe import DEFAULT_REVISION, ModelDescription, describe_model
from udf.errors import UdfError
from udf.language_model.libraries import check_device_name
from udf.language_model.loading import DTYPES

_COLUMNS = (
    "model", "revision", "corpus", "location", "checksum", "n_parameters", "vocabulary_size", "training_fraction",
    "dtype", "device", "tokenizer", "tokenizer_checksum",
)  # fmt: skip


@dataclass(frozen=True)
class Registration:
    """What registering one revision did.

    Attributes:
        outcome: 'added', 'updated' (something about it is new: features of it are computed again where the model itself
            changed) or 'unchanged'.
        changes: of an update, what is new, in words: 'device cpu (was cuda)'.
    """

    model: str
    revision: str
    description: ModelDescription
    outcome: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Removal:
    """What taking one revision out did; `n_scored`: windows whose scores the next dbt run drops."""

    model: str
    revision: str
    n_scored: int


def register_models(
    connection: duckdb.DuckDBPyConnection,
    model: str,
    location: str,
    corpus: str,
    revisions: Sequence[str] = (),
    training_fractions: Sequence[float] = (),
    *,
    dtype: str | None = None,
    device: str | None = None,
    tokenizer: str | None = None,
    replace: bool = False,
) -> list[Registration]:
    """Write one row of `raw.models` per revision, all or none; a second call with the same arguments changes nothing.

    What was registered before and is not given again stays: a training fraction, dtype, device, or tokenizer of its own. Only
    another model that takes the name over begins without.

    Args:
        connection: a writer's, with the `raw` schema; a transaction that is open stays open.
        model: the name that people will use.
        location: a folder (several revisions are sub-folders of it) or a hub id.
        corpus: the name of the corpus that the model was trained on.
        revisions: none means 'main'.
        training_fractions: shares of training done, from 0 to 1: none, one for all, or one per revision.
        dtype: 'float32' or 'bfloat16'; None leaves it to the var model_dtype.
        device: a torch device; None leaves it to MEMTAX_DEVICE.
        tokenizer: of the model; by default the one beside its weights; without one, dbt takes that of the corpus.
        replace: let a name go over to another corpus, or to other weights in another place.

    Raises:
        SourceError: a revision cannot be described (see `describe_model`), the arguments do not fit together, two
            revisions are the same folder, or a name is another model's and `replace` is not set.
        UdfError: there is no such tokenizer.
        StoreError: there is no such corpus.
    """
    names = list(revisions) or [DEFAULT_REVISION]
    fractions = _fractions(training_fractions, names)
    _check_names(model, names)
    _check_corpus(connection, corpus)
    if dtype not in (None, *DTYPES):
        raise SourceError(f"unknown dtype {dtype!r}; expected one of {', '.join(DTYPES)}")
    if device is not None:
        try:
            check_device_name(device)
        except UdfError as error:
            raise SourceError(str(error)) from error
    descriptions = [describe_model(location, revision, tokenizer) for revision in names]
    _check_distinct(names, descriptions)
    rows = [
        (
            *(model, name, corpus, found.location, found.checksum, found.n_parameters, found.vocabulary_size, fraction),
            *(dtype, device),
            *((found.tokenizer.location, found.tokenizer.checksum) if found.tokenizer else (None, None)),
        )
        for name, found, fraction in zip(names, descriptions, fractions, strict=True)
    ]
    before = _stored(connection, model)
    if not replace:
        for row in rows:
            _check_same_model(before.get(row[1]), row)
    rows = [_with_what_stays(before.get(row[1]), row, tokenizer) for row in rows]
    changed = [row for row in rows if before.get(row[1]) != row]
    if changed:
        # One statement, so that it is all or nothing without a transaction of its own.
        marks = ", ".join(f"({', '.join('?' * len(_COLUMNS))})" for _ in changed)
        updates = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[2:])
        connection.execute(
            f"insert into raw.models ({', '.join(_COLUMNS)}) values {marks} "  # noqa: S608 (own names alone)
            f"on conflict (model, revision) do update set {updates}",
            [value for row in changed for value in row],
        )
    return [
        Registration(model, row[1], found, _outcome(before.get(row[1]), row), _changes(before.get(row[1]), row))
        for row, found in zip(rows, descriptions, strict=True)
    ]


def remove_models(connection: duckdb.DuckDBPyConnection, model: str, revisions: Sequence[str] = ()) -> list[Removal]:
    """Take a model, or some of its revisions, out of `raw.models`, all or none. Its files stay where they are.

    What it has scored stays until the next dbt run, and for good if the same model is registered again before. What was
    published of it or landed under its name is no score of its own, and stays.

    Raises:
        SourceError: there is no such model or revision.
    """
    stored = sorted(_stored(connection, model))
    names = list(revisions) or stored
    if not stored:
        known = [row[0] for row in connection.execute("select distinct model from raw.models order by 1").fetchall()]
        raise SourceError(f"no model {model!r} is registered ({', '.join(known) or 'none'} is)")
    for name in names:
        if name not in stored:
            raise SourceError(f"model {model!r} has no revision {name!r}; registered are {', '.join(stored)}")
    found = [Removal(model, name, _windows_scored(connection, model, name)) for name in names]
    connection.execute("delete from raw.models where model = ? and list_contains(?, revision)", [model, names])
    return found


def _windows_scored(connection: duckdb.DuckDBPyConnection, model: str, revision: str) -> int:
    table = "int_sequence_model__scores"
    there = connection.execute(
        "select 1 from information_schema.tables where table_schema = 'intermediate' and table_name = ?", [table]
    ).fetchone()
    if there is None:
        return 0
    query = f"select count(*) from intermediate.{table} where model = ? and revision = ?"  # noqa: S608 (own name alone)
    found = connection.execute(query, [model, revision]).fetchone()
    return found[0] if found else 0


def _with_what_stays(
    before: tuple[object, ...] | None, row: tuple[object, ...], tokenizer: str | None
) -> tuple[object, ...]:
    """A new row, with what the stored one has of the options that were not given this time."""
    if before is None:
        return row
    was, now = (dict(zip(_COLUMNS, values, strict=True)) for values in (before, row))
    if was["corpus"] != now["corpus"] or (was["location"] != now["location"] and was["checksum"] != now["checksum"]):
        return row  # another model
    for column in ("training_fraction", "dtype", "device"):
        now[column] = was[column] if now[column] is None else now[column]
    # The one beside the weights was never given: it goes where they go.
    own = was["tokenizer"] is not None and str(was["location"]) not in (
        str(was["tokenizer"]), str(Path(str(was["tokenizer"])).parent)
    )  # fmt: skip
    if tokenizer is None and own:
        now["tokenizer"], now["tokenizer_checksum"] = was["tokenizer"], was["tokenizer_checksum"]
    return tuple(now.values())


def _changes(before: tuple[object, ...] | None, row: tuple[object, ...]) -> tuple[str, ...]:
    changes = []
    for column, was, now in zip(_COLUMNS, before or row, row, strict=True):
        if was == now or column in ("n_parameters", "vocabulary_size"):  # these come with the weights
            continue
        if column.endswith("checksum"):
            changes.append("other weights" if column == "checksum" else "another tokenizer file")
        else:
            changes.append(f"{column.replace('_', ' ')} {now} (was {was or 'not given'})")
    return tuple(changes)


def _check_same_model(before: tuple[object, ...] | None, row: tuple[object, ...]) -> None:
    """Refuse another model under a name that is taken, for the next dbt run would drop the scores of the one there.

    Weights that changed where they lie were retrained, and the same weights may move.
    """
    if before is None:
        return
    was, now = (dict(zip(_COLUMNS, values, strict=True)) for values in (before, row))
    of = f"model {now['model']}@{now['revision']} is registered"
    instead = (
        "register this one under another name or --revision, or give --replace to have it take the place of the other, "
        "whose scores are then computed again"
    )
    if was["corpus"] != now["corpus"]:
        raise SourceError(f"{of} as trained on corpus {was['corpus']!r}, not {now['corpus']!r}; {instead}")
    if was["location"] != now["location"] and was["checksum"] != now["checksum"]:
        raise SourceError(f"{of} from {was['location']}, and {now['location']} holds other weights; {instead}")


def _outcome(before: tuple[object, ...] | None, row: tuple[object, ...]) -> str:
    if before is None:
        return "added"
    return "unchanged" if before == row else "updated"


def _stored(connection: duckdb.DuckDBPyConnection, model: str) -> dict[str, tuple[object, ...]]:
    """The rows of a model as they stand, by revision."""
    rows = connection.execute(
        f"select {', '.join(_COLUMNS)} from raw.models where model = ?",  # noqa: S608 (own names alone)
        [model],
    ).fetchall()
    return {row[1]: row for row in rows}


def _fractions(given: Sequence[float], names: list[str]) -> list[float | None]:
    for fraction in given:
        if not 0 <= fraction <= 1:
            raise SourceError(f"training fraction {fraction} is not a share; expected a number from 0 to 1")
    if len(given) not in (0, 1, len(names)):
        raise SourceError(
            f"{len(given)} training fractions for {len(names)} revisions; expected none, one, or one for each"
        )
    if not given:
        return [None] * len(names)
    return [float(fraction) for fraction in (given if len(given) == len(names) else list(given) * len(names))]


def _check_names(model: str, names: list[str]) -> None:
    if not model or "@" in model:
        raise SourceError(f"{model!r} cannot name a model: expected a name without @, which sets off the revision")
    if any(not name for name in names):
        raise SourceError("an empty revision; leave --revision out for 'main'")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SourceError(f"revision {repeated[0]!r} is given twice")


def _check_distinct(names: list[str], descriptions: list[ModelDescription]) -> None:
    """Refuse one folder under two revisions; on the hub, two names may well mean one commit."""
    seen: dict[str, str] = {}
    for name, found in zip(names, descriptions, strict=True):
        if not found.is_hub and found.location in seen:
            raise SourceError(
                f"revisions {seen[found.location]!r} and {name!r} are both {found.location}; expected a sub-folder for "
                "each"
            )
        seen[found.location] = name


def _check_corpus(connection: duckdb.DuckDBPyConnection, corpus: str) -> None:
    known = [row[0] for row in connection.execute("select corpus from raw.corpora order by corpus").fetchall()]
    if corpus not in known:
        raise StoreError(
            f"no corpus {corpus!r} (landed: {', '.join(known) or 'none'}); run memtax ingest corpus first, or correct "
            "the name"
        )
