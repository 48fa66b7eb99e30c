"""Why a sequence has its category, by the vars that the store was built with: those of the project may be others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from memtax import store


@dataclass(frozen=True)
class Rule:
    """What decides a category: the macro `category` (`macros/category.sql`) with the vars that it reads.

    Attributes:
        recitation_threshold, protocol: the vars of those names.
        recorded: whether the store says that it was built with them; else they are the project's, for want of better.
    """

    recitation_threshold: int
    protocol: str
    recorded: bool = False

    def category(self, features: Mapping[str, Any]) -> str | None:
        """The category that a sequence of these features has; None where it cannot be told."""
        duplicates, pattern = features.get("sequence_duplicates"), self._follows_pattern(features)
        if duplicates is None:
            return None
        if duplicates >= self.recitation_threshold:
            return "recitation"
        return None if pattern is None else "reconstruction" if pattern else "recollection"

    def reason(self, features: Mapping[str, Any]) -> str:
        """What the category that the rule gives rests on, in words."""
        duplicates, threshold = features.get("sequence_duplicates"), self.recitation_threshold
        if duplicates is None:
            return _uncounted(features)
        if duplicates >= threshold:
            return f"{_times(duplicates)}, and {threshold} or more make a recitation{self._source}"
        return f"{_times(duplicates)}, fewer than {threshold}, and {self._pattern(features)}{self._source}"

    def _follows_pattern(self, features: Mapping[str, Any]) -> bool | None:
        if self.protocol != "paper":
            return features.get("is_templating")
        flags = {features.get("paper_is_incrementing"), features.get("paper_is_repeating")}
        return True if True in flags else None if None in flags else False

    def _pattern(self, features: Mapping[str, Any]) -> str:
        follows, pattern = self._follows_pattern(features), features.get("templating_pattern")
        if follows is None:
            if is_landed(features):
                return "its landed table does not say whether its text follows a pattern"
            return "it has no text in which to look for a pattern"
        if self.protocol == "paper":
            return f"the paper's filter, by which the categories here go, finds {'a' if follows else 'no'} pattern in its text"
        if pattern is None:
            return f"its text follows {'a' if follows else 'no'} pattern"
        what = f"a {pattern} of period {features.get('templating_period')} characters"
        return f"{what} covers {'' if follows else 'no more than '}{features.get('templating_coverage') or 0:.0%} of its text"

    @property
    def _source(self) -> str:
        return "" if self.recorded else " (by the vars of dbt_project.yml: the store does not record its own)"


def rule_of(connection: duckdb.DuckDBPyConnection, declared: Mapping[str, Any]) -> Rule:
    """The rule that the store's categories were made by, as far as that is known.

    Args:
        connection: the store, open for reading.
        declared: the project's vars. Only a trained taxonomy records its own; without one these are all there is.
    """
    if store.has_table(connection, "main", "taxonomy_models"):
        # One dbt run writes them all, with one set of vars.
        row = connection.execute("select settings from main.taxonomy_models limit 1").fetchone()
        settings = json.loads(row[0]) if row and row[0] else {}
        if "recitation_threshold" in settings and "protocol" in settings:
            return Rule(int(settings["recitation_threshold"]), str(settings["protocol"]), recorded=True)
    return Rule(int(declared["recitation_threshold"]), str(declared["protocol"]))


def reason_of(category: str | None, features: Mapping[str, Any], rule: Rule) -> str:
    """Why a sequence has the category that the store has for it; where the rule gives another, that, and no reason.

    Args:
        category: as stored.
        features: the sequence's own, as stored.
        rule: of the store.
    """
    given = rule.category(features)
    if given == category:
        return rule.reason(features)
    duplicates = features.get("sequence_duplicates")
    counted = _uncounted(features) if duplicates is None else _times(duplicates)
    whose = "recorded with the taxonomy" if rule.recorded else "of dbt_project.yml"
    stored = f"calls it a {category}" if category else "gives it no category"
    return (
        f"{counted}. The vars {whose} (recitation_threshold {rule.recitation_threshold}, protocol {rule.protocol}) would make "
        f"it {f'a {given}' if given else 'one of no category'}, but the store {stored}: it was built with others, which it "
        "does not record"
    )


def is_landed(features: Mapping[str, Any]) -> bool:
    """Whether a row of `features` is of a landed feature table, and not computed here."""
    return features.get("origin") == "landed"


def _times(duplicates: int) -> str:
    return f"its continuation occurs {duplicates:,} time{'s' if duplicates != 1 else ''} in the corpus"


def _uncounted(features: Mapping[str, Any]) -> str:
    if is_landed(features):
        return "its landed table does not say how often its continuation occurs"
    return "its occurrences were not counted: its corpus is not landed, or its continuation is not of 8 to 128 tokens"
