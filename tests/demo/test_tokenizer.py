"""The demo's tokenizer: exact both ways, the size that the models expect, the same on every run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from memtax.demo import sizes
from memtax.demo.corpus import DOCUMENTS, build_corpus
from memtax.demo.tokenizer import train_tokenizer
from memtax.errors import SourceError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    build_corpus(folder, "small")
    train_tokenizer(folder, "small")
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def test_every_document_comes_back_exactly(folder: Path, tokenizer: Tokenizer) -> None:
    for line in (folder / DOCUMENTS).read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["text"]
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
        assert 0 not in ids, "the end-of-document token is the packer's to write"


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_exactly(tokenizer: Tokenizer, text: str) -> None:
    if sizes.END_OF_DOCUMENT not in text:
        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_the_vocabulary_is_the_one_that_the_models_expect(tokenizer: Tokenizer) -> None:
    assert tokenizer.get_vocab_size() == sizes.SIZES["small"].vocabulary
    assert tokenizer.token_to_id(sizes.END_OF_DOCUMENT) == 0
    assert all(size.vocabulary <= 2**16 for size in sizes.SIZES.values()), "tokens are stored as uint16"


def test_each_digit_is_a_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("20260").tokens == list("20260")


def test_the_same_documents_give_the_same_tokenizer(folder: Path, tmp_path: Path) -> None:
    (tmp_path / DOCUMENTS).write_bytes((folder / DOCUMENTS).read_bytes())
    assert train_tokenizer(tmp_path, "small").read_bytes() == (folder / "tokenizer.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [DOCUMENTS, "tokenizer.json"]


def test_without_documents_it_says_what_to_do_first(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="build the demo's corpus before"):
        train_tokenizer(tmp_path, "small")


def test_too_few_documents_for_the_vocabulary_are_refused(tmp_path: Path) -> None:
    (tmp_path / DOCUMENTS).write_text(json.dumps({"id": "a", "text": "too little"}) + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="too little text"):
        train_tokenizer(tmp_path, "small")
    assert not (tmp_path / "tokenizer.json").exists()


def test_the_vocabulary_follows_the_size(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sizes.SIZES, "small", replace(sizes.SIZES["small"], vocabulary=400))
    (tmp_path / DOCUMENTS).write_bytes((folder / DOCUMENTS).read_bytes())
    assert Tokenizer.from_file(str(train_tokenizer(tmp_path, "small"))).get_vocab_size() == 400
