"""Does splitting memorization into categories explain it better? Fits and evaluates the regressions that answer it."""

from memtax.taxonomy.evaluate import evaluate_predictions
from memtax.taxonomy.fit import BASELINE, CATEGORIES, fit_models

__all__ = ["BASELINE", "CATEGORIES", "evaluate_predictions", "fit_models"]
