"""tokenize_window(): text to another tokenizer's ids, with the border between prompt and continuation."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from udf.errors import UdfError
from udf.tokenize import tokenize_window

TEXT = ["the quick brown fox", "naïve café — 北京 🦊", "the other brown dog"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Path:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False))
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(path))
    return path


def call(prompts, texts, location):
    strings = (pa.array(column, pa.string()) for column in (prompts, texts, [location and str(location)] * len(texts)))
    return tokenize_window(*strings).to_pylist()


@pytest.mark.parametrize("text", TEXT)
def test_tokens_of_the_prompt_lie_within_it(tokenizer, text):
    decode = Tokenizer.from_file(str(tokenizer)).decode
    borders = range(len(text) + 1)
    for border, found in zip(
        borders, call([text[:border] for border in borders], [text] * len(borders), tokenizer), strict=True
    ):
        assert decode(found["tokens"]) == text
        within = found["prompt_length"] or 0
        # As many whole tokens as the prompt has room for: one more would reach over the border.
        assert text[:border].startswith(decode(found["tokens"][:within]).rstrip("\ufffd"))
        if within < len(found["tokens"]):
            assert not text[:border].startswith(decode(found["tokens"][: within + 1])) or "\ufffd" in decode(
                found["tokens"][: within + 1]
            )
        else:
            assert border == len(text)


def test_null_in_null_out(tokenizer):
    assert call([None, "the", "the"], ["the fox", None, "the fox"], tokenizer)[:2] == [None, None]
    assert call(["the"], ["the fox"], None) == [None]
    assert call([""], ["the fox"], tokenizer)[0]["prompt_length"] is None
    assert call([], [], tokenizer) == []


def test_a_tokenizer_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UdfError, match="no tokenizer at"):
        call(["a"], ["ab"], tmp_path / "tokenizer.json")
