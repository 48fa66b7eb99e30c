"""detokenize() with a byte-level tokenizer that the test trains."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from udf import detokenize as module
from udf.detokenize import detokenize, find_tokenizer, load_tokenizer
from udf.errors import UdfError

TEXT = ["the quick brown fox", "  two  spaces , and a comma .", "naïve café — 北京 🦊", "def f(x):\n\treturn x"]


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory) -> Path:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def decode(rows, *locations) -> list[str | None]:
    return detokenize(pa.array(rows, pa.list_(pa.uint32())), pa.array(list(locations), pa.string())).to_pylist()


@pytest.mark.parametrize("text", [*TEXT, "", " leading", "don 't . clean"])
def test_round_trip(tokenizer_file, text):
    ids = load_tokenizer(str(tokenizer_file)).encode(text).ids
    assert decode([ids], str(tokenizer_file)) == [text]


@settings(max_examples=200)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_round_trip_of_any_text(tokenizer_file, text):
    ids = load_tokenizer(str(tokenizer_file)).encode(text).ids
    # The special token's own spelling is read as the token, and written as it was.
    assert decode([ids], str(tokenizer_file)) == [text]


def test_a_cut_character_is_replaced_not_lost(tokenizer_file):
    ids = load_tokenizer(str(tokenizer_file)).encode("aŧb").ids
    assert len(ids) == 4, "ŧ must be two bytes here"
    assert decode([ids[:2], ids[2:], ids], str(tokenizer_file), str(tokenizer_file), str(tokenizer_file)) == [
        "a\ufffd",
        "\ufffdb",
        "aŧb",
    ]


def test_special_tokens_stay_visible(tokenizer_file):
    tokenizer = load_tokenizer(str(tokenizer_file))
    end = tokenizer.token_to_id("<|endoftext|>")
    ids = tokenizer.encode("fox").ids
    assert decode([[end, *ids, end]], str(tokenizer_file)) == ["<|endoftext|>fox<|endoftext|>"]


def test_null_in_null_out_and_tokenizers_may_differ(tokenizer_file, tmp_path):
    content = json.loads(tokenizer_file.read_text())
    content["decoder"] = None
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    ids = load_tokenizer(str(tokenizer_file)).encode("the fox").ids
    file, folder = str(tokenizer_file), str(tmp_path)
    texts = decode([ids, None, ids, ids, []], file, file, None, folder, file)
    assert texts[:3] == ["the fox", None, None]
    assert texts[3] is not None and texts[3] != "the fox"
    assert texts[4] == ""


def test_a_token_beyond_the_vocabulary_is_refused(tokenizer_file):
    size = load_tokenizer(str(tokenizer_file)).get_vocab_size()
    with pytest.raises(
        UdfError, match=f"token id {size} is beyond the {size} tokens of the tokenizer {tokenizer_file}"
    ):
        decode([[1, size]], str(tokenizer_file))


def test_a_length_that_a_file_keeps_for_batches_changes_no_tokens(tokenizer_file, tmp_path):
    kept = Tokenizer.from_file(str(tokenizer_file))
    kept.enable_truncation(3)
    kept.enable_padding(length=8)
    kept.save(str(tmp_path / "tokenizer.json"))
    assert len(kept.encode(TEXT[0]).ids) == 8
    rows = [encoding.ids for encoding in load_tokenizer(str(tmp_path)).encode_batch(TEXT)]
    assert rows == [encoding.ids for encoding in load_tokenizer(str(tokenizer_file)).encode_batch(TEXT)]


def test_a_tokenizer_is_found_by_file_and_by_folder(tokenizer_file):
    assert find_tokenizer(str(tokenizer_file)) == find_tokenizer(str(tokenizer_file.parent)) == tokenizer_file.resolve()
    assert load_tokenizer(str(tokenizer_file)) is load_tokenizer(str(tokenizer_file.parent))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "absent.json", "no tokenizer at .*absent.json: .* does not exist"),
        (lambda folder: folder, "the folder .* holds no tokenizer.json"),
        (lambda folder: _written(folder / "bad.json", "{}"), "bad.json is not a tokenizer.json"),
        (lambda folder: _written(folder / "bad.json", "not json"), "bad.json is not a tokenizer.json"),
    ],
)
def test_what_is_no_tokenizer_is_named(tmp_path, make, message):
    with pytest.raises(UdfError, match=message):
        load_tokenizer(str(make(tmp_path)))


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    huggingface_hub = pytest.importorskip("huggingface_hub")

    def unreachable(*_args, **_kwargs):
        raise OSError("no route to host\nand many more lines")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(UdfError, match=r"'owner/tiny' at revision 'main'.*\(no route to host\)") as raised:
        load_tokenizer("owner/tiny")
    assert "\n" not in str(raised.value)


def test_a_hub_repository_without_a_tokenizer_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "fetch", lambda *_: tmp_path)
    with pytest.raises(UdfError, match=r"owner/tiny@main on the Hugging Face hub holds no tokenizer.json"):
        load_tokenizer("owner/tiny")


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
