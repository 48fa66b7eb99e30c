"""The rows of one model and revision as arrays, and the rules that choose among them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# How int_taxonomy__rows names the column of a feature, which may bear the name of a column of its own.
FEATURE_PREFIX = "feature "
TEXTS = ("category", "own_category", "code_type")
COLUMNS = (*TEXTS, "memorized", "is_representative", "split", "fold", "group_number")
# Groups are numbered in random order, and folds go round by number: a multiplier that shares no factor with the modulus
# scatters them, so that a sample of groups has some of every fold. The same in SQL as in numpy.
MULTIPLIER, MODULUS = 2654435761, 2**32
SAMPLED = f"group_number * {MULTIPLIER} % {MODULUS}"
# In single precision, which scikit-learn's trees compute in.
LARGEST = float(np.finfo(np.float32).max)
CATEGORIES = ("recitation", "reconstruction", "recollection")


@dataclass(frozen=True)
class Frame:
    """Rows of one model and revision.

    Attributes:
        features: d names.
        values: (n, d), NaN where a feature is not known, not finite or beyond LARGEST; feature after feature in memory.
        labels: (n,) memorized.
        columns: 'category', 'own_category' and 'code_type' -> (n,) of str or None.
        representative: (n,) False in sets of memorized sequences.
        test: (n,) held out.
        fold: (n,) of the training rows.
        groups: (n,) numbers of the groups that stay together.
    """

    features: tuple[str, ...]
    values: Floats
    labels: Bools
    columns: Mapping[str, npt.NDArray[np.object_]]
    representative: Bools
    test: Bools
    fold: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def column(self, feature: str) -> Floats:
        """The values of one feature."""
        return self.values[:, self.features.index(feature)]

    def take(self, rows: Bools | npt.NDArray[np.int64]) -> Frame:
        """Some of the rows."""
        return replace(
            self,
            values=take_rows(self.values, rows),
            labels=self.labels[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
            **{name: getattr(self, name)[rows] for name in ("representative", "test", "fold", "groups")},
        )

    def keep(self, features: Sequence[str]) -> Frame:
        """Some of the features."""
        return replace(
            self,
            features=tuple(features),
            values=take_features(self.values, [self.features.index(feature) for feature in features]),
        )


def take_rows(values: Floats, rows: Bools | npt.NDArray[np.int64]) -> Floats:
    """(k, d) of (n, d): some of the rows, feature after feature in memory as in a frame."""
    places = np.flatnonzero(rows) if rows.dtype == bool else rows
    return np.ascontiguousarray(values.T).take(places, axis=1).T


def take_features(values: Floats, features: Bools | Sequence[int]) -> Floats:
    """(n, k) of (n, d): some of the features, in the same order of memory."""
    return values.T[features].T


def read_frame(table: pa.Table) -> Frame:
    """A frame from rows of int_taxonomy__rows.

    Args:
        table: with COLUMNS; the features are those named with FEATURE_PREFIX.
    """
    features = [name for name in table.column_names if name.startswith(FEATURE_PREFIX)]
    # Most of what reads them takes one feature at a time.
    values = np.empty((table.num_rows, len(features)), order="F")
    for place, name in enumerate(features):
        values[:, place] = _floats(table[name])
        forget_unusable(values[:, place])
    return Frame(
        features=tuple(name.removeprefix(FEATURE_PREFIX) for name in features),
        values=values,
        labels=_bools(table["memorized"]),
        columns={name: to_texts(table[name]) for name in TEXTS},
        representative=_bools(table["is_representative"]),
        test=_bools(pc.equal(table["split"], "test")),
        fold=table["fold"].to_numpy().astype(np.int64),
        groups=table["group_number"].to_numpy().astype(np.int64),
    )


def forget_unusable(values: Floats) -> None:
    """Make NaN, in place, of values that are infinite or beyond LARGEST: those of an overflowed perplexity, for one.

    A single one would make every coefficient NaN, or leave the others' differences below what rounding keeps.
    """
    with np.errstate(invalid="ignore"):
        values[~(np.abs(values) <= LARGEST)] = np.nan


def sample_groups(frame: Frame, most: int) -> Frame:
    """About `most` rows at most (0: all), in whole groups, which `SAMPLED` chooses."""
    if not 0 < most < len(frame):
        return frame
    return frame.take(frame.groups * MULTIPLIER % MODULUS < sampled_share(most, len(frame)))


def sampled_share(most: int, n: int) -> int:
    """Below which number SAMPLED leaves about `most` of `n` rows."""
    return int(MODULUS * min(1.0, most / n))


def to_texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """One Python string for each distinct value, shared by the rows."""
    encoded = column.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    values = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    codes = pc.fill_null(encoded.indices, len(values) - 1).to_numpy(zero_copy_only=False)
    return values[codes]


def _floats(column: pa.ChunkedArray) -> Floats:
    return column.cast(pa.float64()).to_numpy()


def _bools(column: pa.ChunkedArray) -> Bools:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)


@dataclass(frozen=True)
class Rule:
    """A choice of rows: all its terms hold.

    Attributes:
        terms: each {'column': name, 'equals': value}, {'feature': name, 'at_least': number} or {'feature': name, 'below':
            number}; none: every row.
    """

    terms: tuple[Mapping[str, Any], ...] = ()

    def holds(self, frame: Frame) -> Bools:
        """(n,) which rows are chosen; a feature that is not known holds in neither direction."""
        chosen = np.ones(len(frame), bool)
        for term in self.terms:
            chosen &= _holds(term, frame)
        return chosen

    def to_json(self) -> str:
        """As stored in taxonomy_models and in model files."""
        return json.dumps(list(self.terms))

    @classmethod
    def from_json(cls, text: str) -> Rule:
        """What `to_json` wrote."""
        return cls(tuple(json.loads(text)))


def _holds(term: Mapping[str, Any], frame: Frame) -> Bools:
    if "column" in term:
        return np.asarray(frame.columns[term["column"]] == term["equals"], dtype=bool)
    with np.errstate(invalid="ignore"):
        values = frame.column(term["feature"])
        return values >= term["at_least"] if "at_least" in term else values < term["below"]


@dataclass(frozen=True)
class Scope:
    """One part of a taxonomy: the rows that one regression is fitted on and answers for."""

    predictor: str
    name: str
    rule: Rule
