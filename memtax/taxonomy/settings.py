"""What shapes a training run: the vars of dbt_project.yml, as dbt hands them to a Python model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from memtax import __version__


@dataclass(frozen=True)
class Settings:
    """The vars of the taxonomy; dbt_project.yml says what each means."""

    protocol: str = "corrected"
    seed: int = 1024
    folds: int = 10
    minimum_class_rows: int = 5
    maximum_inflation: float = 0.0
    bootstrap_samples: int = 1000
    bootstrap_blocks: int = 500
    distribution_bins: int = 40
    tree_leaves: int = 3
    search_rows: int = 200_000
    correlation_rows: int = 1_000_000
    expression: str = ""
    recitation_threshold: int = 6
    test_share: float = 0.3
    datasets: str = "[]"
    memorized_datasets: str = "[]"

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Settings:
        """From a dbt model's `meta`, where Jinja has made every value a string or number.

        Raises:
            ValueError: a var is not what it must be.
        """
        values = {}
        for name, default in asdict(cls()).items():
            if name in meta:
                values[name] = type(default)(meta[name])
        settings = cls(**values)
        if settings.protocol not in ("corrected", "paper"):
            raise ValueError(f"the var protocol is {settings.protocol!r}, expected corrected or paper")
        if settings.folds < 2:
            raise ValueError(f"the var taxonomy_folds is {settings.folds}, expected 2 or more")
        return settings

    def to_json(self) -> str:
        """For the tables, beside the results."""
        return json.dumps(asdict(self))


def versions() -> str:
    """Versions of what computes, as JSON."""
    return json.dumps({"memtax": __version__} | {name: version(name) for name in ("scikit-learn", "scipy", "numpy")})
