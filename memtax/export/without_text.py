"""What an export leaves out or blurs where the corpus may not be republished."""

from __future__ import annotations

# Columns from which the text of a corpus can be read, or its tokens told: a token's frequency mostly names the token, and so
# does its log-probability to who has the model.
TEXT_COLUMNS = frozenset(
    (
        *("tokens", "text", "prompt_text", "continuation_text", "smallest_repeating_chunk", "embedding"),
        *("frequencies", "token_log_probabilities"),
    )
)
# One row per token id: the list in which a frequency would be looked up.
TOKEN_TABLES = frozenset(("token_frequencies", "token_frequencies_by_memorization"))
# Each is the frequency of one token of the window, or (the mean, of a window that repeats one token) can be. The taxonomy
# trains on them, so that they stay, blurred.
ROUNDED_COLUMNS = frozenset(
    ("max_frequency", "min_frequency", "avg_frequency", "median_frequency", "p25_frequency", "p75_frequency")
)
ROUNDING = "rounded to two significant digits, and below 100 to tens"
NOTE = (
    "Left out, since the corpus is not republished here: texts, token ids, and what names tokens one by one (their "
    f"frequencies and log-probabilities). Frequencies that are one token's of a window are {ROUNDING}: tokens of about the "
    "same frequency cannot be told apart by them, but the most frequent tokens of a corpus may be alone at theirs. "
    "Thresholds and bins over whole datasets are exact."
)


def rounded(value: str, kind: str) -> str:
    """SQL for a frequency that is rounded as `ROUNDING` says; order is kept, and NULL, NaN and infinity are.

    Args:
        value: SQL for the frequency, of type `kind`.
        kind: BIGINT or DOUBLE, which the result has too.
    """
    number = f"cast({value} as double)"
    unit = f"pow(10, greatest(1, floor(log10(greatest(abs({number}), 1))) - 1))"
    return f"cast(case when isfinite({number}) then round({number} / {unit}) * {unit} else {value} end as {kind})"


def description(column: str, text: str) -> str:
    """What a column is, with a word on its rounding."""
    return f"{text} {ROUNDING.capitalize()}.".strip() if column in ROUNDED_COLUMNS else text
