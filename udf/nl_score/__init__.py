"""nl_score: the probability that a text is natural language rather than code.

`features` says what the default model sees (and is the reference of the native kernel), `ngram_model` holds its weights,
`classifiers` runs any transformers sequence-classification model in its place, and `models` tells them apart.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udf.nl_score.models import DEFAULT_NAMES, checksum, scorer
from udf.registry import constant, udf

NO_TEXT = 0.5


@udf([pa.string()], pa.float64())
def nl_score(texts: pa.Array) -> pa.Array:
    """The probability, 0 to 1, that each text is natural language, by the model that memtax ships.

    Text without a character to judge (empty, or white space) is 0.5: it says neither. NULL stays NULL.
    """
    return _scores(texts, DEFAULT_NAMES[0])


@udf([pa.string(), pa.string()], pa.float64())
def nl_score_with(texts: pa.Array, model: pa.Array) -> pa.Array:
    """The same by another model: '' or 'default' for the shipped one, else a folder or a hub id.

    A folder holds what `memtax classifier train` wrote, or any transformers sequence-classification model with two
    labels of which id2label says which is natural language. Texts are cut at the model's longest input.

    Raises:
        UdfError: the batch names several models, or the model cannot be found, loaded or read as such a classifier.
    """
    named = constant(model, "nl_score_with", "model")
    if named is None:
        return pa.nulls(len(texts), pa.float64())
    return pc.if_else(model.is_valid(), _scores(texts, str(named)), None)


@udf([pa.string()], pa.string())
def nl_model_checksum(models: pa.Array) -> pa.Array:
    """A digest of the files of the model that `nl_score_with` would use; of a hub id, its commit.

    Raises:
        UdfError: there is no such model.
    """
    return pa.array([None if name is None else checksum(name) for name in models.to_pylist()], pa.string())


def _scores(texts: pa.Array, model: str) -> pa.Array:
    log_odds = scorer(model).log_odds(texts)
    # exp() of a large number is infinity, and the quotient then 0, as it should be.
    with np.errstate(over="ignore"):
        probability = np.where(np.isnan(log_odds), NO_TEXT, 1 / (1 + np.exp(-log_odds)))
    return pa.array(probability, mask=np.asarray(texts.is_null()))
