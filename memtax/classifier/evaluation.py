"""How well nl_score tells labelled texts apart, over thresholds, and how far it can be taken at its word."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

BINS = 10
# Thresholds that a person would write into a var.
GRID = np.round(np.arange(0.01, 1.0, 0.01), 2)


@dataclass(frozen=True)
class AtThreshold:
    """Texts that score at least `threshold` are called natural language, the others code.

    Precision, recall and F1 are those of natural language; `code_` ones of code. NaN where nothing was called so.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    code_precision: float
    code_recall: float
    code_f1: float


@dataclass(frozen=True)
class ReliabilityBin:
    """Texts of like scores: their number, mean score and the share of them that is natural language."""

    n: int
    mean_score: float
    share: float


@dataclass(frozen=True)
class Evaluation:
    """The measures of one model on one labelled file.

    Attributes:
        n: texts; n_language of them are natural language.
        roc_auc: area under the ROC curve, ties counted half.
        average_precision: of natural language.
        brier_score: mean squared error of the probability.
        calibration_error: mean gap between score and share over BINS equally filled bins.
        thresholds: measures at every threshold of GRID.
        reliability: the bins of the calibration error.
        code_below, language_from: the recommended two thresholds.
        n_uncertain: texts between them.
        target_precision: what they were chosen for.
    """

    n: int
    n_language: int
    roc_auc: float
    average_precision: float
    brier_score: float
    calibration_error: float
    thresholds: list[AtThreshold]
    reliability: list[ReliabilityBin]
    code_below: float
    language_from: float
    n_uncertain: int
    target_precision: float

    def at(self, threshold: float) -> AtThreshold:
        """The measures at the nearest threshold of the grid."""
        return min(self.thresholds, key=lambda row: abs(row.threshold - threshold))

    def summary(self) -> dict[str, float]:
        """The single numbers, for a card."""
        left_out = ("thresholds", "reliability")
        found = {name: value for name, value in asdict(self).items() if name not in left_out}
        return found | {"f1_at_half": self.at(0.5).f1, "code_f1_at_half": self.at(0.5).code_f1}


def evaluate(scores: np.ndarray, is_language: np.ndarray, target_precision: float = 0.985) -> Evaluation:
    """Measure scores against labels.

    Args:
        scores: probability of natural language, [n].
        is_language: bool [n]; both classes have to be there.
        target_precision: what each of the two recommended thresholds has to reach for its class.

    Raises:
        ValueError: one class is missing.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    if is_language.all() or not is_language.any():
        raise ValueError("both code and natural language have to be among the labels")
    rows = [at_threshold(scores, is_language, threshold) for threshold in GRID]
    bins = reliability(scores, is_language)
    low, high = recommend(rows, target_precision)
    return Evaluation(
        n=len(scores),
        n_language=int(is_language.sum()),
        roc_auc=float(roc_auc_score(is_language, scores)),
        average_precision=float(average_precision_score(is_language, scores)),
        brier_score=float(brier_score_loss(is_language, scores)),
        calibration_error=float(sum(one.n * abs(one.mean_score - one.share) for one in bins) / len(scores)),
        thresholds=rows,
        reliability=bins,
        code_below=low,
        language_from=high,
        n_uncertain=int(((scores >= low) & (scores < high)).sum()),
        target_precision=target_precision,
    )


def at_threshold(scores: np.ndarray, is_language: np.ndarray, threshold: float) -> AtThreshold:
    """Precision, recall and F1 of both classes at one threshold."""
    called = scores >= threshold
    return AtThreshold(float(threshold), *_measures(called, is_language), *_measures(~called, ~is_language))


def reliability(scores: np.ndarray, is_language: np.ndarray) -> list[ReliabilityBin]:
    """BINS bins of as many texts each, by score; equal scores may fall on two sides of a border."""
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return [ReliabilityBin(len(part), float(scores[part].mean()), float(is_language[part].mean())) for part in parts]


def recommend(rows: list[AtThreshold], target_precision: float) -> tuple[float, float]:
    """The two thresholds of `code_type`: from the one on, natural language is right at least as often as asked; below
    the other, code is; each calls as many texts as it can. Where they cross, both are the threshold of the best F1.
    """
    language = [row.threshold for row in rows if row.precision >= target_precision]
    code = [row.threshold for row in rows if row.code_precision >= target_precision]
    high, low = min(language, default=rows[-1].threshold), max(code, default=rows[0].threshold)
    if low >= high:
        # Every threshold between does for both classes; the middle of the best is the furthest from either edge.
        best = max(row.f1 for row in rows)
        middle = [row.threshold for row in rows if row.f1 == best]
        low = high = middle[len(middle) // 2]
    return low, high


def _measures(called: np.ndarray, actual: np.ndarray) -> tuple[float, float, float]:
    both, n_called, n_actual = int((called & actual).sum()), int(called.sum()), int(actual.sum())
    precision = both / n_called if n_called else float("nan")
    return precision, both / n_actual, 2 * both / (n_called + n_actual)
