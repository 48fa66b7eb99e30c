"""The demo's corpus: installed text and nothing else, the same on every run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sysconfig
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from memtax.demo import sizes
from memtax.demo.corpus import CorpusInfo, build_corpus, collect
from memtax.demo.installed import STDLIB, files_of, find
from memtax.demo.selection import LicenceRule, Passage, Selection
from memtax.errors import ProjectError, SourceError


@pytest.fixture(scope="module", params=["small", "full"])
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CorpusInfo:
    return build_corpus(tmp_path_factory.mktemp(request.param), request.param)


def read(corpus: CorpusInfo) -> tuple[dict[str, str], dict]:
    lines = [json.loads(line) for line in corpus.documents.read_text(encoding="utf-8").splitlines()]
    assert len({line["id"] for line in lines}) == len(lines) == corpus.n_documents
    return {line["id"]: line["text"] for line in lines}, json.loads(corpus.manifest.read_text(encoding="utf-8"))


def place_of(entry: dict) -> Path:
    """Where a manifest's file lies, found without the code under test."""
    if entry["origin"] == "stdlib":
        return Path(sysconfig.get_path("stdlib")) / entry["path"]
    return Path(str(importlib.metadata.distribution(entry["origin"]).locate_file(entry["path"])))


def test_every_document_is_a_passage_of_the_file_that_the_manifest_names(corpus: CorpusInfo) -> None:
    documents, manifest = read(corpus)
    named = Counter()
    for entry in manifest["files"]:
        content = place_of(entry).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
        assert entry["times_used"] == 1
        text = content.decode("utf-8")
        for document in entry["documents"]:
            stop = document["start"] + document["characters"]
            assert documents[document["id"]] == text[document["start"] : stop]
            named[document["id"]] += 1
    assert named == Counter(documents.keys()), "a document that no file accounts for, or that two do"
    assert len(manifest["files"]) == corpus.n_files
    assert sum(map(len, documents.values())) == corpus.n_characters


def test_every_kind_of_text_is_there(corpus: CorpusInfo) -> None:
    _, manifest = read(corpus)
    kinds = {document["kind"] for entry in manifest["files"] for document in entry["documents"]}
    assert kinds >= {"licences", "tables", "scripture", "code"}
    assert corpus.missing == ()


def test_the_same_installation_gives_the_same_bytes(corpus: CorpusInfo, tmp_path: Path) -> None:
    size = json.loads(corpus.manifest.read_text(encoding="utf-8"))["size"]
    again = build_corpus(tmp_path, size)
    assert again.documents.read_bytes() == corpus.documents.read_bytes()
    assert again.manifest.read_bytes() == corpus.manifest.read_bytes()
    assert again.sha256 == corpus.sha256 == hashlib.sha256(corpus.documents.read_bytes()).hexdigest()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["documents.jsonl", "manifest.json"]


def test_the_manifest_says_nothing_of_this_machine(corpus: CorpusInfo) -> None:
    text = corpus.manifest.read_text(encoding="utf-8")
    assert str(Path.home()) not in text
    assert sysconfig.get_path("stdlib") not in text
    assert sysconfig.get_path("purelib") not in text


def test_what_is_not_installed_is_named_and_skipped() -> None:
    selection = Selection(
        licences=(LicenceRule(("no-such-distribution", "click"), 5_000),),
        passages=(
            Passage("code", STDLIB, "no_such_module.py"),
            Passage("code", "click", "click/core.py", start="no such line in it"),
            Passage("code", STDLIB, "bisect.py"),
        ),
        minimum_characters=0,
    )
    documents, missing = collect(selection, seed=0)
    assert missing == ("click: click/core.py", "no-such-distribution", "stdlib: no_such_module.py")
    assert {document.file.origin for document in documents} == {STDLIB, "click"}


def test_too_little_text_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    selection = Selection((), (Passage("code", STDLIB, "bisect.py"),), minimum_characters=1_000_000)
    monkeypatch.setitem(sizes.SIZES, "small", replace(sizes.SIZES["small"], selection=selection))
    with pytest.raises(SourceError, match=r"needs 1,000,000.*make setup"):
        build_corpus(tmp_path, "small")
    assert list(tmp_path.iterdir()) == []


def test_a_passage_starts_at_its_mark_and_ends_with_a_line() -> None:
    passage = Passage("code", STDLIB, "bisect.py", 300, "def insort_right")
    (document,), missing = collect(Selection((), (passage,), 0), seed=0)
    assert missing == ()
    assert document.text.startswith("def insort_right(")
    assert document.text.endswith("\n")
    assert 150 < len(document.text) <= 300


def test_one_long_line_is_cut_where_it_has_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("x" * 1000, encoding="utf-8")
    file = replace(next(files_of(STDLIB)), path="long.py", location=tmp_path / "long.py")
    monkeypatch.setattr("memtax.demo.corpus.find", lambda origin, path: file)
    (document,), _ = collect(Selection((), (Passage("code", STDLIB, "long.py", 300),), 0), seed=0)
    assert document.text == "x" * 300


def test_a_name_finds_only_the_file_at_its_own_depth() -> None:
    found = find(STDLIB, "token.py")
    assert found is not None
    assert found.path == "token.py"
    assert find(STDLIB, "decoder.py") is None, "json/decoder.py is another file"
    metadata = find("click", "*.dist-info/METADATA")
    assert metadata is not None
    assert metadata.version == importlib.metadata.version("click")


def test_a_size_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"SIZE=full or SIZE=small"):
        build_corpus(tmp_path, "enormous")
