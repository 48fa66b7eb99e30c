"""The peers of nl_score: scikit-learn's hashed n-grams with a linear model, and a transformers classifier."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from udf.nl_score import features, nl_score_with
from udf.nl_score.ngram_model import DEFAULT_FOLDER, load


def check(texts: list[str]) -> int:
    """How many texts the kernel scores otherwise than its plain reference."""
    model = load(DEFAULT_FOLDER)
    expected = [features.log_odds(text, model.weights, model.bias, model.settings) for text in texts]
    close = np.isclose(model.log_odds(pa.array(texts)), expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    return int((~close).sum())


def hashing_vectorizer(texts: list[str]) -> Callable[[], object]:
    """scikit-learn's character n-grams of 1 to 5, hashed into as many buckets, and a linear model on them.

    It is fitted on arbitrary labels: only the time of its predictions is of interest.
    """
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    hashing = HashingVectorizer(analyzer="char", ngram_range=(1, 5), n_features=2**19, alternate_sign=False)
    linear = SGDClassifier(loss="log_loss", max_iter=2, tol=None, random_state=0)
    linear.fit(hashing.transform(texts[:200]), [number % 2 for number in range(len(texts[:200]))])
    return lambda: linear.predict_proba(hashing.transform(texts))


def transformer(texts: list[str], folder: str | None) -> tuple[Callable[[], object], str]:
    """A sequence-classification model through `nl_score_with`: that of `folder`, else DistilBERT's shape with random
    weights, which cost as much to multiply; and what it is, in words."""
    what = folder or "DistilBERT's shape, random weights"
    if folder is None:
        scratch = tempfile.mkdtemp(prefix="memtax-benchmark-")
        folder = str(_distilbert(Path(scratch), texts))
    names = pa.array([folder] * len(texts))
    return lambda: nl_score_with(pa.array(texts), names), what


def _distilbert(folder: Path, texts: list[str]) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    # A vocabulary of these texts, so that they become about as many tokens as they do with DistilBERT's own.
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=30_522, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    labels = {0: "code", 1: "nl"}
    config = DistilBertConfig(
        vocab_size=30_522, id2label=labels, label2id={name: index for index, name in labels.items()}
    )
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
