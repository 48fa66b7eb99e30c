"""Describing language models and registering them in `raw.models`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from memtax import store
from memtax.cli.ingest_model import model
from memtax.errors import SourceError, StoreError
from memtax.models import Removal, describe, describe_model, register_models, remove_models
from memtax.models.verify import model_fault

transformers = pytest.importorskip("transformers")


def save(folder: Path, seed: int = 0, tied: bool = False) -> Path:
    transformers.set_seed(seed)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.GPTNeoXConfig(vocab_size=53, max_position_embeddings=64, tie_word_embeddings=tied, **shape)
    transformers.GPTNeoXForCausalLM(config).save_pretrained(folder)
    return folder


def save_tokenizer(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    Tokenizer(WordLevel({"a": 0}, unk_token="a")).save(str(path))
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    return save(tmp_path / "tiny")


@pytest.fixture
def steps(tmp_path) -> Path:
    for seed, name in enumerate(("step1", "step2")):
        save(tmp_path / "steps" / name, seed)
    return tmp_path / "steps"


@pytest.fixture
def connection(tmp_path):
    connection = store.connect(read_only=False, path=tmp_path / "store.duckdb")
    connection.execute("insert into raw.corpora (corpus) values ('pile')")
    yield connection
    connection.close()


def rows(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute(
        "select model, revision, corpus, location, training_fraction from raw.models order by all"
    ).fetchall()


@pytest.mark.parametrize("tied", [False, True])
def test_parameters_are_counted_as_the_loaded_model_has_them(tmp_path, tied):
    folder = save(tmp_path / "model", tied=tied)
    network = transformers.AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True)
    found = describe_model(str(folder))
    assert found.n_parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (found.vocabulary_size, found.architecture, found.is_hub) == (53, "GPTNeoXForCausalLM", False)
    assert found.location == str(folder.resolve())


def test_checksum_follows_weights_and_configuration(folder):
    before = describe_model(str(folder)).checksum
    assert describe_model(str(folder)).checksum == before
    (folder / "generation_config.json").write_text("{}")
    assert describe_model(str(folder)).checksum == before, "what does not shape the scores does not count"
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"rms": 1}))
    assert describe_model(str(folder)).checksum != before
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    save(folder, seed=1)
    assert describe_model(str(folder)).checksum != before


def test_the_checksum_of_a_large_model_follows_its_time_of_change(folder, monkeypatch):
    whole = describe_model(str(folder)).checksum
    monkeypatch.setattr(describe, "WHOLE_CHECKSUM_LIMIT", 1000)
    sampled = describe_model(str(folder)).checksum
    assert sampled not in ("", whole) and describe_model(str(folder)).checksum == sampled
    os.utime(folder / "model.safetensors", ns=(1, 1))
    assert describe_model(str(folder)).checksum != sampled


def test_revision_is_a_sub_folder_where_there_is_one(steps, folder):
    assert describe_model(str(steps), "step2").location == str(steps.resolve() / "step2")
    # A folder with one model in it goes by whatever revision it is given.
    assert describe_model(str(folder), "step9").location == str(folder.resolve())
    save(steps)
    assert describe_model(str(steps)).location == str(steps.resolve())


@pytest.mark.parametrize("beside", [False, True])
def test_a_revision_that_is_not_there_is_refused_with_those_that_are(steps, beside):
    if beside:
        save(steps)
    with pytest.raises(SourceError, match="no revision 'step3'; its sub-folders with a model are step1, step2"):
        describe_model(str(steps), "step3")


def test_what_is_no_model_is_named(tmp_path, folder):
    with pytest.raises(SourceError, match=r"no language model at .*nowhere: it does not exist"):
        describe_model(str(tmp_path / "nowhere"))
    (tmp_path / "empty" / "logs").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"holds no config.json \(found: logs\)"):
        describe_model(str(tmp_path / "empty"))
    with pytest.raises(SourceError, match=r"no sub-folder 'step1' .* its sub-folders are logs"):
        describe_model(str(tmp_path / "empty"), "step1")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(SourceError, match=r"holds no model.safetensors .*pytorch_model.bin"):
        describe_model(str(folder))


def test_registering_again_changes_nothing(connection, folder):
    assert [done.outcome for done in register_models(connection, "tiny", str(folder), "pile")] == ["added"]
    expected = [("tiny", "main", "pile", str(folder.resolve()), None)]
    assert rows(connection) == expected
    assert [done.outcome for done in register_models(connection, "tiny", str(folder), "pile")] == ["unchanged"]
    assert rows(connection) == expected


def test_a_model_that_changed_is_updated(connection, folder):
    register_models(connection, "tiny", str(folder), "pile")
    before = connection.execute("select checksum from raw.models").fetchone()
    save(folder, seed=1)
    assert [done.outcome for done in register_models(connection, "tiny", str(folder), "pile")] == ["updated"]
    assert connection.execute("select checksum from raw.models").fetchone() != before
    assert len(rows(connection)) == 1


def test_another_model_takes_a_name_only_when_asked(connection, folder, tmp_path):
    connection.execute("insert into raw.corpora (corpus) values ('heap')")
    register_models(connection, "tiny", str(folder), "pile")
    before = rows(connection)
    other = save(tmp_path / "other", seed=1)
    with pytest.raises(SourceError, match=r"tiny@main is registered from .*tiny, and .*other holds other weights"):
        register_models(connection, "tiny", str(other), "pile")
    with pytest.raises(SourceError, match=r"trained on corpus 'pile', not 'heap'.*--replace"):
        register_models(connection, "tiny", str(folder), "heap")
    assert rows(connection) == before
    assert register_models(connection, "tiny", str(other), "heap", replace=True)[0].outcome == "updated"
    assert rows(connection) == [("tiny", "main", "heap", str(other.resolve()), None)]


def test_a_model_may_move(connection, folder, tmp_path):
    register_models(connection, "tiny", str(folder), "pile")
    checksum = connection.execute("select checksum from raw.models").fetchone()
    moved = folder.rename(tmp_path / "moved")
    assert register_models(connection, "tiny", str(moved), "pile")[0].outcome == "updated"
    assert rows(connection) == [("tiny", "main", "pile", str(moved.resolve()), None)]
    assert connection.execute("select checksum from raw.models").fetchone() == checksum


def test_revisions_and_fractions(connection, steps):
    done = register_models(connection, "m", str(steps), "pile", ["step1", "step2"], [0.25, 1])
    assert [item.outcome for item in done] == ["added", "added"]
    places = [str(steps.resolve() / name) for name in ("step1", "step2")]
    assert rows(connection) == [("m", "step1", "pile", places[0], 0.25), ("m", "step2", "pile", places[1], 1.0)]
    done = register_models(connection, "m", str(steps), "pile", ["step1", "step2"], [1])
    assert [item.outcome for item in done] == ["updated", "unchanged"]
    assert [row[-1] for row in rows(connection)] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"revisions": ["step1", "step3"]}, SourceError, "no revision 'step3'"),
        ({"revisions": ["step1", "step1"]}, SourceError, "'step1' is given twice"),
        ({"revisions": ["step1", ""]}, SourceError, "an empty revision"),
        ({"training_fractions": [0.1, 0.2, 0.3]}, SourceError, "3 training fractions for 2 revisions"),
        ({"training_fractions": [1.5]}, SourceError, "training fraction 1.5 is not a share"),
        ({"training_fractions": [float("nan")]}, SourceError, "training fraction nan is not a share"),
        ({"model": "a@b"}, SourceError, "'a@b' cannot name a model"),
        ({"corpus": "heap"}, StoreError, r"no corpus 'heap' \(landed: pile\)"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(connection, steps, changes, error, message):
    arguments = {"model": "m", "location": str(steps), "corpus": "pile", "revisions": ["step1", "step2"]}
    with pytest.raises(error, match=message):
        register_models(connection, **arguments | changes)
    assert rows(connection) == []


def test_one_folder_is_not_two_revisions(connection, folder):
    with pytest.raises(SourceError, match=r"revisions 'a' and 'b' are both .*tiny; expected a sub-folder for each"):
        register_models(connection, "tiny", str(folder), "pile", ["a", "b"])


def test_an_open_transaction_stays_open(connection, folder):
    connection.execute("begin transaction")
    register_models(connection, "tiny", str(folder), "pile")
    connection.execute("rollback")
    assert rows(connection) == []


def stored(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute(
        "select training_fraction, dtype, device, tokenizer from raw.models order by revision"
    ).fetchall()


def test_options_that_are_not_given_again_stay(connection, folder, tmp_path):
    tokenizer = save_tokenizer(tmp_path / "apart" / "tokenizer.json")
    register_models(connection, "tiny", str(folder), "pile", [], [0.5], dtype="bfloat16", tokenizer=str(tokenizer))
    (done,) = register_models(connection, "tiny", str(folder), "pile", device="cpu")
    assert (done.outcome, done.changes) == ("updated", ("device cpu (was not given)",))
    assert stored(connection) == [(0.5, "bfloat16", "cpu", str(tokenizer))]
    save(folder, seed=1)
    (done,) = register_models(connection, "tiny", str(folder), "pile", [], [1], dtype="float32")
    assert done.changes == ("other weights", "training fraction 1.0 (was 0.5)", "dtype float32 (was bfloat16)")
    assert stored(connection) == [(1.0, "float32", "cpu", str(tokenizer))]
    (done,) = register_models(connection, "tiny", str(folder), "pile")
    assert (done.outcome, done.changes) == ("unchanged", ())
    # Another model that takes the name over has its own.
    register_models(connection, "tiny", str(save(tmp_path / "other", seed=2)), "pile", replace=True)
    assert stored(connection) == [(None, None, None, None)]


def test_the_tokenizer_beside_the_weights_goes_where_they_go(connection, folder, tmp_path):
    save_tokenizer(folder / "tokenizer.json")
    register_models(connection, "tiny", str(folder), "pile")
    moved = folder.rename(tmp_path / "moved")
    (done,) = register_models(connection, "tiny", str(moved), "pile")
    assert stored(connection) == [(None, None, None, str(moved / "tokenizer.json"))]
    assert [change.split()[0] for change in done.changes] == ["location", "tokenizer"]
    (moved / "tokenizer.json").unlink()
    register_models(connection, "tiny", str(moved), "pile")
    assert stored(connection) == [(None, None, None, None)]


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda:7"])
def test_a_device_need_not_be_here(connection, folder, device):
    register_models(connection, "tiny", str(folder), "pile", device=device)
    assert stored(connection) == [(None, None, device, None)]


def test_what_is_no_device_is_refused(connection, folder):
    with pytest.raises(SourceError, match="tpu is not a torch device; expected auto, cpu or cuda"):
        register_models(connection, "tiny", str(folder), "pile", device="tpu")
    assert rows(connection) == []


def test_revisions_are_removed_all_or_none(connection, steps):
    register_models(connection, "m", str(steps), "pile", ["step1", "step2"])
    with pytest.raises(SourceError, match=r"'m' has no revision 'step3'; registered are step1, step2"):
        remove_models(connection, "m", ["step1", "step3"])
    with pytest.raises(SourceError, match=r"no model 'n' is registered \(m is\)"):
        remove_models(connection, "n")
    assert len(rows(connection)) == 2
    connection.execute("create schema intermediate")
    connection.execute(
        "create table intermediate.int_sequence_model__scores as select 'm' as model, 'step2' as revision"
    )
    assert remove_models(connection, "m", ["step1"]) == [Removal("m", "step1", 0)]
    assert remove_models(connection, "m") == [Removal("m", "step2", 1)]
    assert rows(connection) == []


def test_a_model_that_is_gone_is_said_to_be(folder):
    found = describe_model(str(folder))
    assert model_fault(found.location, found.checksum) is None
    folder.rename(folder.with_name("moved"))
    assert f"{found.location} is gone; put it back" in (model_fault(found.location, found.checksum) or "")


def test_the_command_removes_and_says_what_changed(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MEMTAX_DATABASE", str(tmp_path / "command.duckdb"))
    with store.writing(tmp_path / "command.duckdb") as connection:
        connection.execute("insert into raw.corpora (corpus) values ('pile')")
    given = ["tiny", str(folder), "--corpus", "pile"]
    assert CliRunner().invoke(model, given).output == "tiny@main: added\n"
    again = CliRunner().invoke(model, [*given, "--device", "cpu"])
    assert again.output == "tiny@main: updated: device cpu (was not given)\n"
    for wrong in (["tiny"], ["tiny", str(folder)], [*given, "--remove"], ["tiny", "--remove", "--dtype", "float32"]):
        assert CliRunner().invoke(model, wrong).exit_code == 2
    assert CliRunner().invoke(model, ["tiny", "--remove"]).output == "tiny@main: removed\n"
    with store.reading(tmp_path / "command.duckdb") as connection:
        assert rows(connection) == []
