"""The columns of ready feature tables: memtax's own, and the paper's 27 under their published names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Column of raw.feature_rows -> DuckDB type. The keys, and what is made while landing, are not among them.
VALUES = {
    "sequence_duplicates": "bigint",
    "duplicate_sequences": "bigint",
    "prompt_duplicates": "bigint",
    "window_duplicates": "bigint",
    "max_frequency": "bigint",
    "min_frequency": "bigint",
    "avg_frequency": "double",
    "median_frequency": "double",
    "p25_frequency": "bigint",
    "p75_frequency": "bigint",
    "is_incrementing": "boolean",
    "is_repeating": "boolean",
    "is_templating": "boolean",
    "paper_is_incrementing": "boolean",
    "paper_is_repeating": "boolean",
    "huffman_code_length": "double",
    "paper_huffman_coding_length": "double",
    "nl_score": "double",
    "semantic_matches_0_8": "bigint",
    "semantic_matches_0_9": "bigint",
    "textual_matches_0_8": "bigint",
    "textual_matches_0_9": "bigint",
    "paper_snowclones_0_8": "bigint",
    "paper_snowclones_0_9": "bigint",
    "paper_templates_0_8": "bigint",
    "paper_templates_0_9": "bigint",
    "loss": "double",
    "prompt_perplexity": "double",
    "generation_perplexity": "double",
    "sequence_perplexity": "double",
    "paper_prompt_perplexity": "double",
    "paper_generation_perplexity": "double",
    "paper_sequence_perplexity": "double",
    "continuation_log_probability": "double",
    "greedy_match_length": "integer",
    "memorized": "boolean",
    "memorization_score": "double",
}


@dataclass(frozen=True)
class FeatureSchema:
    """How the columns of a feature table are named.

    Attributes:
        name: 'memtax' or 'paper'.
        columns: column of raw.feature_rows -> the source's column.
        required: columns of the source without which no taxonomy can be trained.
        derived: column of raw.feature_rows -> SQL over the source's columns, for what a schema says otherwise.
    """

    name: str
    columns: Mapping[str, str]
    required: tuple[str, ...]
    derived: Mapping[str, str]


# Columns that bear the same name in both schemas.
_SHARED = (
    *("sequence_duplicates", "max_frequency", "min_frequency", "avg_frequency", "median_frequency"),
    *("p25_frequency", "p75_frequency", "memorization_score"),
)

PAPER = FeatureSchema(
    name="paper",
    columns={
        **{name: name for name in _SHARED},
        "paper_is_incrementing": "is_incrementing",
        "paper_is_repeating": "is_repeating",
        "paper_huffman_coding_length": "huffman_coding_length",
        "paper_prompt_perplexity": "prompt_perplexity",
        "paper_generation_perplexity": "generation_perplexity",
        "paper_sequence_perplexity": "sequence_perplexity",
        "nl_score": "nl_scores",
        "paper_snowclones_0_8": "0_8_snowclones",
        "paper_snowclones_0_9": "0_9_snowclones",
        "paper_templates_0_8": "0_8_templates",
        "paper_templates_0_9": "0_9_templates",
        # Its `loss` is the mean of a batch, not of the row, so that it is not landed as one.
    },
    required=(
        *_SHARED,
        *("is_incrementing", "is_repeating", "huffman_coding_length", "prompt_perplexity", "generation_perplexity"),
        *("sequence_perplexity", "0_8_snowclones", "0_8_templates"),
    ),
    derived={"memorized": "memorization_score = 1"},
)

MEMTAX = FeatureSchema(
    name="memtax",
    columns={name: name for name in VALUES},
    required=("sequence_duplicates", "is_templating"),
    derived={},
)

SCHEMAS = {schema.name: schema for schema in (MEMTAX, PAPER)}
# Columns of the paper's tables that memtax has no use for, or keeps elsewhere: nobody needs to hear of them.
KNOWN_UNUSED = frozenset(
    ("text", "tokens", "frequencies", "repeating_offset", "num_repeating", "smallest_repeating_chunk", "loss")
)
