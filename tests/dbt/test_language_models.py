"""What language models are asked for by vars, in shards that are merged: dbt's tables against the functions they call."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from memtax import store
from tests.conftest import PROJECT, Commands
from tests.dbt.conftest import (
    VOCABULARY,
    add_model,
    contents,
    evaluate,
    land,
    rows_computed,
    save_model,
    save_tokenizer,
    set_tokenizer,
)

pytestmark = pytest.mark.slow

PROMPTS = [8, 16]
VARS = {
    "token_log_probabilities": True,
    "attention": True,
    "generate_after_miss": True,
    "prompt_lengths": PROMPTS,
    "sampling_top_k": 150,
    "reference_model": "other@main",
    # Of training, which a shard's database knows nothing of.
    "taxonomy_datasets": ["d"],
}
# Names that another database might go by while they are written or read.
PARTS = ("whole.duckdb", "merged_scores.duckdb")
LM_TABLES = (
    "int_sequence_model__scores",
    "int_sequence_model__generations",
    "int_sequence_model_prompt__scores",
    "int_sequence__reference_scores",
)


def landed(path: Path, folder: Path, sequences: list[list[int]]) -> None:
    """A corpus with a tokenizer and two checkpoints of a model; another corpus' model with a tokenizer of its own."""
    words = [f"w{number}" for number in range(VOCABULARY)]
    ours, theirs = save_tokenizer(folder / "ours.json", words), save_tokenizer(folder / "theirs.json", words[::-1])
    land(path, "c", sequences, shard_id=1)
    evaluate(path, "d", "c", [(number, offset) for number in range(12) for offset in (0, 16)])
    for seed, revision in enumerate(("step1", "step2")):
        add_model(path, "tiny", revision, "c", save_model(folder / revision, VOCABULARY, seed))
    with store.writing(path) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('elsewhere')")
    set_tokenizer(path, "corpora", "c", ours)
    add_model(path, "other", "main", "elsewhere", save_model(folder / "other", VOCABULARY, 7))
    set_tokenizer(path, "models", "other", theirs)


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands]) -> tuple[Commands, str]:
    """A store whose language models ran in two shards, of which the first was begun again; and what merging said."""
    folder = tmp_path_factory.mktemp("shards")
    commands = make_commands(folder / "memtax.duckdb")
    sequences = np.random.default_rng(7).integers(0, VOCABULARY, (30, 96)).tolist()
    landed(commands.database, folder, sequences)
    given = ["--vars", json.dumps(VARS)]
    parts = [folder / name for name in PARTS]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "memtax", "score", "--shard", f"{number}/2", "--into", str(part), *given],
            cwd=PROJECT,
            env=commands.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, part in enumerate(parts, 1)
    ]
    for process in running:
        output, _ = process.communicate()
        assert process.returncode == 0, output[-4000:]
    # What the store has of the first shard lacks the attention that is asked for, so that it makes way.
    with store.writing(commands.database) as connection:
        connection.execute(f"attach '{parts[0]}' as part (read_only)")
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_sequence_model__scores as "
            "select * replace (cast(null as double[][]) as entropy_heads) "
            "from part.intermediate.int_sequence_model__scores"
        )
    said = commands.memtax("merge", *parts, parts[0], *given).stdout
    marts = ["memorization_by_prompt", "feat_sequence_model__attention", "feat_sequence_model__token_log_probabilities"]
    kept = {name: VARS[name] for name in ("sampling_top_k", "prompt_lengths", "reference_model")}
    # Without the vars that add to a pass: what they brought stays.
    commands.dbt("run", "--select", *(f"+{mart}" for mart in marts), "--vars", json.dumps(kept))
    return commands, said


def test_shards_are_disjoint_and_together_everything(merged: tuple[Commands, str]) -> None:
    commands, said = merged
    parts = [contents(commands.database.with_name(name), "intermediate") for name in PARTS]
    whole = contents(commands.database, "intermediate")
    for table, rows in zip(LM_TABLES, (2 * 24, 2 * 24, 2 * 2 * 24, 24), strict=True):
        first, second = (part[table] for part in parts)
        assert first and second
        assert not {repr(row) for row in first} & {repr(row) for row in second}
        assert sorted(first + second, key=repr) == whole[table]
        assert len(whole[table]) == rows
    counts = re.findall(r": (\d+) of (\d+) rows of int_sequence_model__scores taken over", said)
    assert [taken == offered for taken, offered in counts[:2]] == [True, True]
    assert counts[2] == ("0", counts[0][1])  # the first once more


def test_what_was_merged_is_not_computed_again(merged: tuple[Commands, str]) -> None:
    """Nor is it dropped where the run after it no longer asks for all of it: the test above compares what is left."""
    computed = rows_computed(merged[0].database)
    assert {computed[f"{table}.input rows"] for table in LM_TABLES} == {0}


def test_the_tables_hold_what_the_functions_say(merged: tuple[Commands, str]) -> None:
    """Each number from the model itself, by transformers alone."""
    import torch
    from transformers import AutoModelForCausalLM

    path = merged[0].database
    with store.reading(path) as connection:
        query = """
            select tokens, text, prompt_text, revision, memorization_score, greedy_match_length, extraction_probability,
                   sampling_log_probability, token_log_probabilities, continuation_log_probability,
                   reference_log_probability, log_probability_gain, reference_model, avg_entropy, entropy_heads
            from fct_memorization
            inner join raw.evaluated_sequences using (corpus, sequence_id, token_offset)
            inner join intermediate.int_sequence__text using (corpus, sequence_id, token_offset)
            inner join feat_sequence_model__perplexity using (corpus, sequence_id, token_offset, model, revision)
            inner join feat_sequence_model__attention using (corpus, sequence_id, token_offset, model, revision)
            inner join feat_sequence_model__token_log_probabilities using (corpus, sequence_id, token_offset, model, revision)
            where corpus = 'c'
        """
        rows = connection.execute(query).to_arrow_table().to_pylist()
        by_prompt = connection.execute(
            "select prompt_length, token_offset, sum(n_windows), sum(n_memorized) from memorization_by_prompt "
            "group by all order by all"
        ).fetchall()
    assert len(rows) == 48
    networks = {
        name: AutoModelForCausalLM.from_pretrained(path.parent / name, use_safetensors=True).eval()
        for name in ("step1", "step2", "other")
    }
    for row in rows[::3]:
        tokens = row["tokens"]
        prompt = torch.tensor([tokens[:32]])
        made = networks[row["revision"]].generate(prompt, do_sample=False, max_new_tokens=32, pad_token_id=0)
        right = [one == other for one, other in zip(made[0, 32:].tolist(), tokens[32:], strict=True)]
        assert row["memorization_score"] == pytest.approx(sum(right) / 32)
        assert row["greedy_match_length"] == [*right, False].index(False)
        each = row["token_log_probabilities"]
        assert sum(each[31:]) == pytest.approx(row["continuation_log_probability"])
        if row["sampling_log_probability"] is None:
            assert row["extraction_probability"] == 0
        else:
            assert row["sampling_log_probability"] >= row["continuation_log_probability"]
        # The reference has the same words, numbered the other way round.
        theirs = torch.tensor([[VOCABULARY - 1 - token for token in tokens]])
        with torch.no_grad():
            log_probabilities = networks["other"](theirs).logits[0].log_softmax(-1)
        expected = log_probabilities[31:-1].gather(1, theirs[0, 32:, None]).sum().item()
        assert row["reference_model"] == "other@main"
        assert row["reference_log_probability"] == pytest.approx(expected, rel=1e-4)
        assert row["log_probability_gain"] == pytest.approx(row["continuation_log_probability"] - expected, rel=1e-3)
        assert row["avg_entropy"] == pytest.approx(np.mean(row["entropy_heads"]))
    assert [row[:3] for row in by_prompt] == [(length, offset, 24) for length in (8, 16, 32) for offset in (0, 16)]


def test_a_shorter_prompt_is_the_end_of_the_prompt(merged: tuple[Commands, str]) -> None:
    import udf

    path = merged[0].database
    with store.reading(path) as connection:
        udf.register(connection)
        rows = connection.execute(
            "select prompt_length, continuation_log_probability, score_continuation(tokens[33 - prompt_length:], "
            "location, 'main', prompt_length, 'float32').continuation_log_probability "
            "from intermediate.int_sequence_model_prompt__scores "
            "inner join raw.evaluated_sequences using (corpus, sequence_id, token_offset) "
            "inner join raw.models using (corpus, model, revision)"
        ).fetchall()
    assert len(rows) == 96
    for _, stored, directly in rows:
        assert stored == pytest.approx(directly, rel=1e-5)


def recited_up_to_a_miss(folder: Path, numbers: Sequence[int]) -> list[list[int]]:
    """Windows that a model recites but for one token each, at places that differ."""
    import torch
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True).eval()
    prompts = torch.tensor([[number] * 32 for number in numbers])
    rows = network.generate(prompts, do_sample=False, max_new_tokens=32, pad_token_id=0).tolist()
    for number, row in zip(numbers, rows, strict=True):
        row[32 + number] = (row[32 + number] + 1) % VOCABULARY
    return rows


# A dbt run that says which weights it reads.
LOUD_DBT = """
import sys
from dbt.cli.main import dbtRunner
from udf.language_model import loading

load = loading.load

def loud(folder, *rest, **options):
    print("reading", folder.name, file=sys.stderr)
    return load(folder, *rest, **options)

loading.load = loud
sys.exit(not dbtRunner().invoke(sys.argv[1:]).success)
"""


def test_each_model_is_loaded_once_for_each_table(commands: Commands, tmp_path: Path) -> None:
    """Though generation begins at another miss, and so under another fingerprint, in almost every row."""
    places = {revision: save_model(tmp_path / revision, VOCABULARY, seed) for seed, revision in enumerate(("a", "b"))}
    rows = [row for place in places.values() for row in recited_up_to_a_miss(place, range(0, 32, 4))]
    land(commands.database, "c", rows, shard_id=1)
    evaluate(commands.database, "d", "c", [(number, 0) for number in range(len(rows))])
    for revision, place in places.items():
        add_model(commands.database, "tiny", revision, "c", place)
    command = commands.dbt_command(
        "run", "--select", "+int_sequence_model__generations", "--vars", '{"generate_after_miss": true}'
    )
    result = subprocess.run(
        [sys.executable, "-c", LOUD_DBT, *command[1:]],
        cwd=PROJECT,
        env=commands.dbt_environment(),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    assert sorted(re.findall("^reading (.*)$", result.stderr, re.MULTILINE)) == ["a", "a", "b", "b"]
    with store.reading(commands.database) as connection:
        missed = connection.execute(
            "select count(*), count(distinct fingerprint) from intermediate.int_sequence_model__generations"
        ).fetchone()
    assert missed is not None and missed[0] > missed[1] > 8


def test_a_vocabulary_that_is_too_small_is_refused_by_name(
    commands: Commands, sequences: list[list[int]], tmp_path: Path
) -> None:
    land(commands.database, "c", sequences, shard_id=1)
    evaluate(commands.database, "d", "c", [(number, 0) for number in range(4)])
    add_model(commands.database, "narrow", "main", "c", save_model(tmp_path / "model", 50, 0))
    with store.writing(commands.database) as connection:
        connection.execute("update raw.models set vocabulary_size = 50")
    result = subprocess.run(
        commands.dbt_command("run", "--select", "+int_sequence_model__scores"),
        cwd=PROJECT,
        env=commands.dbt_environment(),
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "model narrow@main has a vocabulary of 50 tokens, and corpus c has token id" in " ".join(
        result.stdout.split()
    )
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize("arguments", [("--shard", "3/2"), ("--shard", "half"), ("--prepare",), ("--vars", "[1]")])
def test_what_cannot_be_scored_is_refused(commands: Commands, arguments: tuple[str, ...]) -> None:
    result = commands.memtax("score", *arguments, check=False)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr and "expected" in result.stderr + "expected" * ("--prepare" in arguments)
