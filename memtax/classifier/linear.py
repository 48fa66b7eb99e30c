"""The default recipe: logistic regression over hashed n-grams, calibrated on kinds of text that it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from memtax.classifier.windows import Windows
from udf.nl_score.features import NgramSettings
from udf.nl_score.ngram_model import NgramModel, empty_model

# Feature values are shares of a text's n-grams, about a thousandth; scaled, the solver's steps are of order one.
SCALE = 100.0
FOLDS = 4


@dataclass(frozen=True)
class LinearOptions:
    """How the regression is fitted.

    Attributes:
        inverse_regularization: scikit-learn's C.
        iterations: of lbfgs, at most.
        settings: of the n-grams.
    """

    inverse_regularization: float = 0.03
    iterations: int = 100
    settings: NgramSettings = field(default_factory=NgramSettings)


@dataclass(frozen=True)
class Fitted:
    """A trained model, and how it does on kinds of text that are not in its training.

    Attributes:
        model: fitted on all windows, its log-odds divided by the temperature.
        temperature: what makes the held-out probabilities right; above 1 where the fit is too sure.
        held_out: log-odds of every window by a model that saw nothing of its kind, after the temperature.
    """

    model: NgramModel
    temperature: float
    held_out: np.ndarray


def train(windows: Windows, options: LinearOptions, progress: Callable[[str], None]) -> Fitted:
    """Fit on all windows, after FOLDS fits that each leave out a part of the kinds.

    Both classes weigh alike: the bias stands for one half of natural language.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    labels, kinds = np.array(windows.labels), np.array(windows.kinds)
    features = _features(windows.texts, options.settings)

    def fit(rows: np.ndarray) -> LogisticRegression:
        # Stopping after so many steps is part of the recipe; the regularization makes the rest of the way short.
        regression = LogisticRegression(
            C=options.inverse_regularization, class_weight="balanced", max_iter=options.iterations, tol=1e-3
        )
        return _without_warning(regression, features[rows], labels[rows])

    held_out = np.empty(len(labels))
    for number, (rest, part) in enumerate(GroupKFold(FOLDS).split(features, labels, kinds), start=1):
        progress(f"fit {number} of {FOLDS + 1}, without a part of the kinds")
        held_out[part] = fit(rest).decision_function(features[part])
    progress(f"fit {FOLDS + 1} of {FOLDS + 1}, with all of them")
    regression = fit(np.arange(len(labels)))
    temperature = fit_temperature(held_out, labels)
    weights = (regression.coef_[0] * SCALE / temperature).astype(np.float16).astype(np.float32)
    model = replace(empty_model(options.settings), weights=weights, bias=float(regression.intercept_[0] / temperature))
    return Fitted(model, temperature, held_out / temperature)


def fit_temperature(log_odds: np.ndarray, labels: np.ndarray) -> float:
    """The number that log-odds are divided by for the smallest log loss (Guo et al. 2017, section 4.2).

    Args:
        log_odds: [n], of label 1.
        labels: [n], 0 or 1.
    """
    from scipy.optimize import minimize_scalar

    signs = np.where(labels == 1, 1.0, -1.0)
    found = minimize_scalar(
        lambda logarithm: np.logaddexp(0, -signs * log_odds / np.exp(logarithm)).mean(),
        bounds=(-5, 5),
        method="bounded",
    )
    return float(np.exp(found.x))


def _features(texts: list[str], settings: NgramSettings):
    from scipy.sparse import csr_matrix

    buckets, counts = empty_model(settings).ngrams(pa.array(texts, pa.string()))
    values = np.repeat((SCALE / (counts + settings.shrinkage)).astype(np.float32).ravel(), counts.ravel())
    starts = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])
    features = csr_matrix((values, buckets.astype(np.int32), starts), shape=(len(texts), 2**settings.buckets_log2))
    features.sum_duplicates()
    return features


def _without_warning(regression, features, labels):
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return regression.fit(features, labels)
