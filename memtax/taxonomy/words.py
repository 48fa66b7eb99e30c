"""What the taxonomy's numbers say, in words that they support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Of log-loss, less is better. A word for each taxonomy on the bench.
NAMES = {
    "taxonomy": "recitation, reconstruction and recollection",
    "tree": "a decision tree's leaves",
    "searched": "the best searched partition",
    "own": "the taxonomy of the var taxonomy_expression",
}
FEW = 30


def comparison_sentences(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence for each taxonomy, and one that says which explains memorization best.

    Args:
        rows: of taxonomy_comparisons for one model and revision, measure log_loss and category all: predictor, difference,
            low, high, n_rows, n_memorized.

    Returns:
        A sentence claims a difference only where its 95 % interval leaves out 0.
    """
    if not rows:
        return ["No taxonomy could be compared with the baseline."]
    sentences = [_sentence(row) for row in rows]
    proven = [row for row in rows if row["high"] is not None and row["high"] < 0]
    if not proven:
        sentences.append(
            "On these rows, no way to part memorization can be told to explain it better than one model for all."
        )
    else:
        best = min(proven, key=lambda row: row["difference"])
        others = [row for row in rows if row is not best and row["low"] is not None and row["low"] <= best["high"]]
        rivals = ", ".join(NAMES.get(row["predictor"], row["predictor"]) for row in others)
        apart = f", though its interval overlaps that of {rivals}" if rivals else ""
        sentences.append(f"The largest gain over the baseline is that of {_name(best)}{apart}.")
    if rows[0]["n_memorized"] < FEW:
        sentences.append(
            f"Only {rows[0]['n_memorized']} of the {rows[0]['n_rows']:,} test rows are memorized: take all this lightly."
        )
    return sentences


def _sentence(row: Mapping[str, Any]) -> str:
    numbers = f"{row['difference']:+.4f} nats a row" if row["difference"] is not None else "unknown"
    if row["low"] is None:
        return f"Parting by {_name(row)}: log-loss {numbers}, without an interval."
    interval = f"{numbers}, 95 % interval {row['low']:+.4f} to {row['high']:+.4f}"
    if row["high"] < 0:
        verdict = "predicts memorization better than one model for all"
    elif row["low"] > 0:
        verdict = "predicts memorization worse than one model for all"
    else:
        verdict = "cannot be told from one model for all"
    return f"Parting by {_name(row)} {verdict} (log-loss {interval})."


def _name(row: Mapping[str, Any]) -> str:
    return NAMES.get(row["predictor"], str(row["predictor"]))
