"""Made rows for the tests of the taxonomy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from memtax.taxonomy.frame import CATEGORIES, Frame

FEATURES = ("first", "second", "third")
COEFFICIENTS = {
    "recitation": (1.0, -0.5, 0.0, -0.5),
    "reconstruction": (0.0, 1.0, 0.5, 0.0),
    "recollection": (0.5, 0.0, -1.0, -1.0),
}


def make_frame(n: int = 3000, seed: int = 0) -> Frame:
    """Rows whose label follows a logistic model of their category; the coefficients are per unit, the intercept last."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 3)) * [1.0, 2.0, 0.5] + [0.0, 5.0, -1.0]
    category = rng.choice(CATEGORIES, n)
    beta = np.array([COEFFICIENTS[name] for name in category])
    z = np.sum(values * beta[:, :3] * [1.0, 0.5, 2.0], axis=1) + beta[:, 3] - 2.5 * beta[:, 1] + 2.0 * beta[:, 2]
    return Frame(
        features=FEATURES,
        values=values,
        labels=rng.random(n) < 1 / (1 + np.exp(-z)),
        columns={
            "category": category.astype(object),
            "own_category": np.full(n, None, dtype=object),
            "code_type": rng.choice(np.array(["code", "nl", "uncertain", None], dtype=object), n),
        },
        representative=np.ones(n, bool),
        test=rng.random(n) < 0.3,
        fold=rng.integers(0, 10, n),
        groups=np.arange(n),
    )


def with_column(frame: Frame, name: str, values: np.ndarray) -> Frame:
    """The frame with one more feature."""
    return replace(frame, features=(*frame.features, name), values=np.column_stack([frame.values, values]))
