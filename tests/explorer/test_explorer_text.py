"""What the explorer makes of text and tokens: nothing is lost, and nothing of it is markup."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from memtax.corpus.tokenizer import CorpusTokenizer, load_corpus_tokenizer
from memtax.explorer.display import head, pieces, share, tail, value, visible
from memtax.explorer.tokens import LEVELS, tokens_of
from tests.corpus.helpers import word_tokenizer


@given(st.text())
def test_what_is_shown_has_no_markup_and_no_control_of_the_text(text: str) -> None:
    shown = str(visible(text))
    plain = shown
    for tag in ('<span class="escape">', '<span class="end">', "</span>"):
        plain = plain.replace(tag, "")
    assert "<" not in plain and '"' not in plain.replace("&#34;", "")
    assert not any(
        (ord(character) < 32 and character not in "\n\t") or character in "\u202e\u200b\x7f" for character in shown
    )
    # What stands as it is, stands in the text's order; the rest is marked.
    rest = iter(text)
    assert all(character in rest for piece in pieces(text) if not piece.mark for character in piece.text)


def test_what_cannot_be_seen_is_written_out_and_ends_of_lines_are_marked() -> None:
    assert visible("a\u202eb") == 'a<span class="escape">\\u202e</span>b'
    assert visible("a\nb") == 'a<span class="end">↵</span>\nb'
    assert visible("a\nb", line_ends=False) == 'a<span class="end">↵</span>b'
    assert visible("<b>") == "&lt;b&gt;"
    assert visible(None) == ""


def test_values_are_short_and_say_what_is_missing() -> None:
    shown = {
        None: "–",
        1234567: "1,234,567",
        0.123456: "0.1235",
        1.5e-9: "1.500e-09",
        math.inf: "inf",
        12345.6: "12,346",
    }
    assert {of: value(of) for of in shown} == shown
    assert (value(True), value(False), value("text")) == ("yes", "no", "text")
    assert (share(1, 8), share(0, 0)) == ("12.5%", "–")
    assert (tail("abcdef", 3), head("abcdef", 3), head(None)) == ("…def", "abc…", "")


@pytest.fixture(scope="module")
def bytes_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CorpusTokenizer:
    """A byte-level tokenizer in which every byte is a token, so that most characters are cut."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return load_corpus_tokenizer(str(path))


@pytest.mark.parametrize("text", ["plain text", "naïve 日本語 🙂", "\ufffd", "e\u0301 <b>\n\t\x1b"])
def test_tokens_add_up_to_the_text(text: str, bytes_tokenizer: CorpusTokenizer) -> None:
    ids = bytes_tokenizer.tokenizer.encode(text).ids
    prompt, continuation = tokens_of(ids, bytes_tokenizer, prompt_length=len(ids))
    assert continuation == []
    assert "".join(token.text for token in prompt) == text
    assert [token.token_id for token in prompt] == ids


def test_a_character_belongs_to_the_token_that_completes_it(bytes_tokenizer: CorpusTokenizer) -> None:
    ids = bytes_tokenizer.tokenizer.encode("aé").ids
    prompt, _ = tokens_of(ids, bytes_tokenizer, prompt_length=len(ids))
    assert [token.text for token in prompt] == ["a", "", "é"]


def test_the_first_miss_and_the_costs_are_those_of_their_tokens(tmp_path: Path) -> None:
    tokenizer = load_corpus_tokenizer(str(word_tokenizer(tmp_path / "tokenizer.json", 20)))
    costs = [math.log(p) for p in (0.95, 0.6, 0.2, 0.05, 0.005, 0.0001, 0.9)]
    prompt, continuation = tokens_of(
        range(2, 10), tokenizer, prompt_length=4, log_probabilities=costs, greedy_match_length=2
    )
    assert "".join(token.text for token in (*prompt, *continuation)) == "w2 w3 w4 w5 w6 w7 w8 w9"
    assert [token.outcome for token in continuation] == ["match", "match", "miss", "after"]
    assert {token.outcome for token in prompt} == {""}
    assert [token.level for token in (*prompt, *continuation)] == [None, 0, 1, 2, 3, 4, 5, 0]
    assert continuation[2].words == "token 7, id 8, p = 0.0001, log p = -9.21, the model's first miss"
    assert len(LEVELS) == 6


def test_without_a_tokenizer_ids_stand_for_text_and_costs_of_another_length_are_left_out() -> None:
    prompt, continuation = tokens_of([7, 8], None, prompt_length=1, log_probabilities=[-1.0, -1.0])
    assert [token.text for token in (*prompt, *continuation)] == ["7 ", "8 "]
    assert continuation[0].level is None


def test_escape_is_that_of_the_templates() -> None:
    assert visible("'\"<>&") == escape("'\"<>&")
