"""tokenize_window(): text to another tokenizer's ids and the border in it, wherever that cuts a character."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from udf.errors import UdfError
from udf.token_bytes import TokenBytes
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


@pytest.fixture(scope="module")
def of_bytes(tmp_path_factory) -> Path:
    """The same alphabet without a merge: a token for each byte."""
    made = Tokenizer(
        models.BPE({letter: at for at, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, [])
    )
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    path = tmp_path_factory.mktemp("bytes") / "tokenizer.json"
    made.save(str(path))
    return path


def call(rows, borders, ours, theirs):
    """Windows of token ids, with the border as a number of tokens; their text is what `ours` makes of them."""
    decode = Tokenizer.from_file(str(ours)).decode_batch
    prompts = [row[:border] for row, border in zip(rows, borders, strict=True)]
    tokens = (pa.array(lists, pa.list_(pa.uint32())) for lists in (prompts, rows))
    texts = (decode(prompts), decode(rows), [str(ours)] * len(rows), [str(theirs)] * len(rows))
    return tokenize_window(*tokens, *(pa.array(column, pa.string()) for column in texts)).to_pylist()


def spelled(tokenizer, ids) -> bytes:
    return b"".join(map(TokenBytes(tokenizer).of, ids))


@pytest.mark.parametrize("text", TEXT)
def test_both_see_the_same_bytes_on_both_sides_of_every_border(tokenizer, of_bytes, text):
    loaded = {path: Tokenizer.from_file(str(path)) for path in (tokenizer, of_bytes)}
    for ours, theirs in ((tokenizer, of_bytes), (of_bytes, tokenizer)):
        ids = loaded[ours].encode(text).ids
        # Windows that begin and end anywhere, also within a character.
        cases = [
            (ids[first:last], border)
            for first in range(0, 4)
            for last in range(len(ids) - 4, len(ids) + 1)
            for border in range(1, last - first)
        ]
        found = call([row for row, _ in cases], [border for _, border in cases], ours, theirs)
        for (row, border), one in zip(cases, found, strict=True):
            assert spelled(loaded[theirs], one["tokens"]) == spelled(loaded[ours], row)
            before = spelled(loaded[theirs], one["tokens"][: one["prompt_length"] or 0])
            wanted = spelled(loaded[ours], row[:border])
            # A token of whole characters may reach over the border: it is the continuation's.
            assert wanted.startswith(before)
            if ours == tokenizer:
                assert before == wanted


def test_a_copied_tokenizer_gives_the_same_tokens(tokenizer, tmp_path):
    ids = Tokenizer.from_file(str(tokenizer)).encode(TEXT[1]).ids
    copied = tmp_path / "tokenizer.json"
    copied.write_bytes(tokenizer.read_bytes())
    cases = [(ids[first:last], 5) for first in range(len(ids) - 8) for last in range(first + 7, len(ids) + 1)]
    found = call([row for row, _ in cases], [5] * len(cases), tokenizer, copied)
    assert found == [{"tokens": row, "prompt_length": 5} for row, _ in cases]


def test_what_a_tokenizer_without_bytes_cannot_spell_is_left_out(of_bytes, tmp_path):
    theirs = Tokenizer(models.WordLevel({"模": 0, "é": 1, "x": 2}, unk_token="x"))
    theirs.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    theirs.save(str(tmp_path / "tokenizer.json"))
    ids = Tokenizer.from_file(str(of_bytes)).encode("模模é模").ids
    # From within the first character, over a border within the second, to within the last.
    found = call([ids[1:-1]] * 2, [2 + 2, 2 + 3], of_bytes, tmp_path / "tokenizer.json")
    assert found == [{"tokens": [0, 1], "prompt_length": None}, {"tokens": [0, 1], "prompt_length": 1}]


@pytest.mark.parametrize("rest", ["", "x"])
def test_a_cut_space_that_the_other_makes_no_token_of(of_bytes, tmp_path, rest):
    theirs = Tokenizer(models.WordLevel({"模": 0, "x": 1}, unk_token="x"))
    theirs.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    theirs.save(str(tmp_path / "tokenizer.json"))
    ids = Tokenizer.from_file(str(of_bytes)).encode("模\u3000" + rest).ids
    found = call([ids], [4], of_bytes, tmp_path / "tokenizer.json")
    assert found == [{"tokens": [0, *[1] * len(rest)], "prompt_length": 1}]


def test_a_mark_that_stands_in_the_text_stays(tokenizer, of_bytes):
    text = "\ufffd\ufffd x \ufffd"
    ids = Tokenizer.from_file(str(of_bytes)).encode(text).ids
    (found,) = call([ids], [3], of_bytes, tokenizer)
    assert Tokenizer.from_file(str(tokenizer)).decode(found["tokens"]) == text
    assert Tokenizer.from_file(str(tokenizer)).decode(found["tokens"][: found["prompt_length"]]) == "\ufffd"


def test_null_in_null_out(tokenizer):
    given = [[1], [1, 2], "the", "the fox", str(tokenizer), str(tokenizer)]
    types = [pa.list_(pa.uint32())] * 2 + [pa.string()] * 4
    for place in range(len(given)):
        row = [*given[:place], None, *given[place + 1 :]]
        assert tokenize_window(*(pa.array([one], kind) for one, kind in zip(row, types, strict=True))).to_pylist() == [
            None
        ]
    assert call([[70]], [0], tokenizer, tokenizer)[0]["prompt_length"] is None
    assert call([], [], tokenizer, tokenizer) == []


def test_a_tokenizer_that_is_not_there_is_refused(tokenizer, tmp_path):
    with pytest.raises(UdfError, match="no tokenizer at"):
        call([[70, 71]], [1], tokenizer, tmp_path / "tokenizer.json")
