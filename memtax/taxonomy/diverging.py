"""The rows of taxonomy_divergences under either protocol."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from memtax.taxonomy.divergence import ADDED, PUBLISHED_DRAWS, bins_for, divergences, published_divergence
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row

METHOD = f"histograms over one support, {ADDED} added to each bin; bias and interval from a bootstrap of groups"
PUBLISHED = f"randomly paired values, mean and middle 95 % of {PUBLISHED_DRAWS} draws, as published"
# With fewer rows on a side, a histogram says little.
FEW = 30


def divergence_rows(model: str, revision: str, counts: pa.Table, settings: Settings) -> list[Row]:
    """Rows of `tables.DIVERGENCES` from histograms.

    Args:
        model, revision: for the rows.
        counts: rows of int_taxonomy__distributions of one model and revision.
        settings: the vars.
    """
    rows: list[Row] = []
    blocks = settings.bootstrap_blocks
    used = np.unique(counts["block"].to_numpy())
    # The same samples for every feature and range.
    even = np.full(len(used), 1 / len(used))
    generator = np.random.default_rng(settings.seed)
    weights = generator.multinomial(len(used), even, size=settings.bootstrap_samples).astype(np.float64)
    for feature, duplicates, part in _parts(counts):
        histograms = []
        for side in ("n_memorized", "n_other"):
            place = part["block"] * settings.distribution_bins + part["bin"]
            counted = np.bincount(place, part[side], blocks * settings.distribution_bins)
            histograms.append(counted.reshape(blocks, settings.distribution_bins))
        memorized, others = (histogram[used].astype(np.float64) for histogram in histograms)
        n_memorized, n_other = int(memorized.sum()), int(others.sum())
        found = divergences(memorized, others, weights, most_bins=settings.distribution_bins)
        for measure, one in found.items():
            row: Row = {"model": model, "revision": revision, "feature": feature, "duplicates_from": duplicates}
            row |= {"measure": measure, "divergence": one.value, "low": one.low, "high": one.high}
            row |= {"n_memorized": n_memorized, "n_other": n_other, "method": METHOD}
            n = min(n_memorized, n_other)
            row |= {"n_bins": bins_for(n, settings.distribution_bins) if n else None}
            rows.append(row | {"status": _status(n_memorized, n_other)})
    return rows


def published_divergence_rows(model: str, revision: str, values: pa.Table, settings: Settings) -> list[Row]:
    """The same by the published procedure.

    Args:
        model, revision: for the rows.
        values: columns memorized, duplicates_from, and one of each feature, under its name.
        settings: the vars.
    """
    labels = values["memorized"].to_numpy(zero_copy_only=False).astype(bool)
    duplicates = values["duplicates_from"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    rows: list[Row] = []
    for feature in values.column_names:
        if feature in ("memorized", "duplicates_from"):
            continue
        value = values[feature].to_numpy(zero_copy_only=False).astype(np.float64)
        known = np.isfinite(value) & (value > 0)
        ranges = [None, *np.unique(duplicates[known & ~np.isnan(duplicates)])]
        for first in ranges if known.any() else []:
            inside = known if first is None else known & (duplicates == first)
            one = published_divergence(value[inside & labels], value[inside], settings.seed)
            row: Row = {"model": model, "revision": revision, "feature": feature, "measure": "kl_divergence"}
            row |= {"duplicates_from": None if first is None else int(first), "method": PUBLISHED}
            row |= {"divergence": one.value, "low": one.low, "high": one.high}
            n_memorized, n_all = int((inside & labels).sum()), int(inside.sum())
            row |= {"n_memorized": n_memorized, "n_other": n_all - n_memorized}
            rows.append(row | {"status": "computed" if n_memorized else "no memorized rows"})
    return rows


def _status(n_memorized: int, n_other: int) -> str:
    if not n_memorized:
        return "no memorized rows"
    if not n_other:
        return "only memorized rows"
    n = min(n_memorized, n_other)
    return "computed" if n >= FEW else f"computed from few rows: {n_memorized} memorized and {n_other} other ones"


def _parts(counts: pa.Table) -> Iterator[tuple[str, int | None, dict[str, npt.NDArray]]]:
    """The columns of each feature: of all rows, and of each known range of duplicates."""
    columns = {name: counts[name].to_numpy(zero_copy_only=False) for name in ("block", "bin", "n_memorized", "n_other")}
    features = np.asarray(counts["feature"].to_pylist(), dtype=object)
    duplicates = counts["duplicates_from"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    for feature in sorted(set(features)):
        own = features == feature
        for first in (None, *np.unique(duplicates[own & ~np.isnan(duplicates)])):
            chosen = own if first is None else own & (duplicates == first)
            part = {name: column[chosen] for name, column in columns.items()}
            yield feature, None if first is None else int(first), part
