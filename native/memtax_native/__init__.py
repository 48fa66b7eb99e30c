"""Exact counting of token windows, in C++: the fast half of memtax's UDFs.

Sequences are passed as Arrow holds them: one flat array of `values` (uint16 or uint32) and `offsets` (int32 or int64,
one more than there are sequences). Every function releases the GIL. `reference.py` says the same in plain Python,
slowly.
"""

from memtax_native._core import (
    QueryTable,
    count_tokens,
    instruction_set,
    instruction_sets,
    ngram_equal,
    ngram_hash,
    read_pass,
    score_logits,
)

__all__ = [
    "QueryTable",
    "count_tokens",
    "instruction_set",
    "instruction_sets",
    "ngram_equal",
    "ngram_hash",
    "read_pass",
    "score_logits",
]
