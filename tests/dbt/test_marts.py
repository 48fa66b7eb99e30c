"""The marts against brute force, on corpora with planted, overlapping and periodic duplicates; one dbt build for all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from memtax import store
from tests.conftest import Commands
from tests.dbt.conftest import VOCABULARY, WINDOW, add_model, evaluate, land, rows_computed

PROMPT, CONTINUATION = 32, 32
LENGTH = 96


def planted(seed: int, high: int) -> list[list[int]]:
    """Sequences with copies at odd places, constant and periodic runs, and a window that ends at the last token."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, high, (60, LENGTH))
    window = rows[0, PROMPT:WINDOW].copy()
    for number, offset in ((5, 0), (6, LENGTH - CONTINUATION), (7, 33), (8, 10)):
        rows[number, offset : offset + CONTINUATION] = window
    rows[9] = rows[0]
    rows[10:14] = 3  # constant: every offset matches, overlapping
    rows[14:18] = np.tile([1, 2, 3, 4], LENGTH // 4)  # periodic: every fourth offset
    rows[18, :] = np.arange(LENGTH) % high
    return rows.tolist()


@pytest.fixture(scope="module")
def corpora() -> dict[str, list[list[int]]]:
    wide = planted(2, VOCABULARY)
    wide[30] = [70_000 + token for token in wide[30]]  # ids beyond 65,535
    wide[31] = wide[30]
    lying = planted(4, VOCABULARY)  # scanned where it lies
    ragged = [row[: 70 + number % 27] for number, row in enumerate(planted(3, 12))] + [[1, 2, 3]]
    return {"narrow": planted(1, VOCABULARY), "wide": wide, "ragged": ragged, "lying": lying}


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory,
    make_commands: Callable[[Path], Commands],
    corpora: dict[str, list[list[int]]],
    tiny_model: Path,
) -> Path:
    commands = make_commands(tmp_path_factory.mktemp("marts") / "memtax.duckdb")
    path = commands.database
    for number, (name, rows) in enumerate(corpora.items()):
        half = len(rows) // 2
        if name == "lying":
            for part, append in ((rows[:half], []), (rows[half:], ["--append"])):
                file = path.with_name(f"part-{len(append)}.npy")
                np.save(file, np.array(part, dtype=np.uint16))
                commands.memtax("ingest", "corpus", name, file, "--in-place", *append)
        else:
            land(path, name, rows[:half], shard_id=100 + 2 * number)
            land(path, name, rows[half:], shard_id=101 + 2 * number, first=half)
        places = [(index, 0) for index, row in enumerate(rows) if len(row) >= WINDOW]
        places += [(index, 5) for index in range(0, 20) if len(rows[index]) >= WINDOW + 5]
        evaluate(path, f"{name}_all", name, places, rows)
    add_model(path, "tiny", "main", "narrow", tiny_model)
    with store.writing(path) as connection:
        connection.execute(
            "insert into raw.dataset_scores values ('narrow_all', 1, 'tiny', 'main'), ('wide_all', 1, 'pythia', 'step10')"
        )
        for name, sequence_id, score in (("narrow_all", 0, 0.5), ("wide_all", 3, 1.0), ("wide_all", 4, 0.25)):
            connection.execute(
                "update raw.dataset_members set scores = [?] where dataset = ? and sequence_id = ? and token_offset = 0",
                [score, name, sequence_id],
            )
    commands.dbt("build")
    return path


def fetch(path: Path, sql: str, *parameters: object) -> list[tuple]:
    with store.reading(path) as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def occurrences(rows: list[list[int]], length: int) -> dict[tuple[int, ...], list[tuple[int, int]]]:
    """Every window of a length, with the (sequence, offset) of each of its occurrences: the obvious way."""
    places: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for number, row in enumerate(rows):
        for offset in range(len(row) - length + 1):
            places.setdefault(tuple(row[offset : offset + length]), []).append((number, offset))
    return places


@pytest.mark.parametrize("corpus", ["narrow", "wide", "ragged", "lying"])
def test_duplicates_equal_brute_force(built: Path, corpora: dict[str, list[list[int]]], corpus: str) -> None:
    rows = corpora[corpus]
    halves, wholes = occurrences(rows, CONTINUATION), occurrences(rows, WINDOW)
    found = fetch(
        built,
        "select sequence_id, token_offset, sequence_duplicates, duplicate_sequences, prompt_duplicates, window_duplicates "
        "from feat_sequence__duplicates where corpus = ?",
        corpus,
    )
    assert len(found) > 60
    for sequence_id, offset, *counts in found:
        window = tuple(rows[sequence_id][offset : offset + WINDOW])
        places = halves[window[PROMPT:]]
        expected = [
            len(places),
            len({number for number, _ in places}),
            len(halves[window[:PROMPT]]),
            len(wholes[window]),
        ]
        assert counts == expected, (sequence_id, offset)
    assert max(row[2] for row in found) > 150  # the constant runs overlap at every offset


@pytest.mark.parametrize("corpus", ["narrow", "wide", "ragged", "lying"])
def test_evidence_is_the_first_places(built: Path, corpora: dict[str, list[list[int]]], corpus: str) -> None:
    rows = corpora[corpus]
    halves = occurrences(rows, CONTINUATION)
    found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for sequence_id, offset, *place in fetch(
        built,
        "select sequence_id, token_offset, occurrence_sequence_id, occurrence_token_offset, occurrences "
        "from duplicate_occurrences where corpus = ? order by sequence_id, token_offset, place_rank",
        corpus,
    ):
        found.setdefault((sequence_id, offset), []).append(tuple(place))
    assert len(found) > 60
    for (sequence_id, offset), places in found.items():
        by_sequence: dict[int, list[int]] = {}
        for number, start in halves[tuple(rows[sequence_id][offset + PROMPT : offset + WINDOW])]:
            by_sequence.setdefault(number, []).append(start)
        assert places == [(number, starts[0], len(starts)) for number, starts in sorted(by_sequence.items())][:10]


@pytest.mark.parametrize("corpus", ["narrow", "wide", "ragged", "lying"])
def test_token_frequencies_and_their_statistics(built: Path, corpora: dict[str, list[list[int]]], corpus: str) -> None:
    ids, counts = np.unique(np.concatenate([np.array(row) for row in corpora[corpus]]), return_counts=True)
    expected = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    assert dict(fetch(built, "select token_id, frequency from token_frequencies where corpus = ?", corpus)) == expected
    found = fetch(
        built,
        "select tokens, frequencies, max_frequency, min_frequency, avg_frequency, median_frequency, p25_frequency, "
        "p75_frequency from feat_sequence__token_frequency inner join dim_evaluated_sequences "
        "using (corpus, sequence_id, token_offset) where corpus = ?",
        corpus,
    )
    for tokens, frequencies, *statistics in found:
        assert frequencies == [expected[token] for token in tokens]
        ascending = sorted(frequencies)
        assert statistics == pytest.approx(
            [ascending[-1], ascending[0], np.mean(ascending), np.median(ascending), ascending[15], ascending[47]]
        )


def test_frequencies_split_by_memorization_add_up(built: Path, corpora: dict[str, list[list[int]]]) -> None:
    split = fetch(
        built,
        "select token_id, memorized_frequency, non_memorized_frequency from token_frequencies_by_memorization "
        "where model = 'pythia' and revision = 'step10'",
    )
    memorized = corpora["wide"][3]  # sequence 4 was published with a score below 1
    assert {token: count for token, count, _ in split if count} == {
        token: memorized.count(token) for token in set(memorized)
    }
    totals = dict(fetch(built, "select token_id, frequency from token_frequencies where corpus = 'wide'"))
    assert {token: inside + outside for token, inside, outside in split} == totals


def test_memorization_joins_what_is_computed_with_what_was_published(built: Path) -> None:
    rows = {
        (corpus, sequence_id): rest
        for corpus, sequence_id, *rest in fetch(
            built,
            "select corpus, sequence_id, memorized, memorization_score, published_memorization_score, greedy_match_length "
            "from fct_memorization where token_offset = 0",
        )
    }
    assert rows["wide", 3] == [True, 1.0, 1.0, None]
    assert rows["wide", 4] == [False, 0.25, 0.25, None]
    assert rows["narrow", 0][1:3] == [0.5, 0.5]  # random weights memorize nothing, so the published score stands
    assert rows["narrow", 1][0] is False
    assert rows["narrow", 1][1] is None
    assert 0 <= rows["narrow", 1][3] <= 32
    assert ("wide", 5) not in rows
    models = fetch(built, "select model, revision, corpus, n_parameters from dim_models order by 1")
    assert models == [("pythia", "step10", "wide", None), ("tiny", "main", "narrow", 1)]


def test_without_a_tokenizer_text_is_null_and_only_recitation_is_known(built: Path) -> None:
    assert fetch(built, "select count(*), count(text) from feat_sequence__text")[0][1] == 0
    categories = fetch(
        built,
        "select distinct category, sequence_duplicates >= 6 from fct_memorization inner join feat_sequence__duplicates "
        "using (corpus, sequence_id, token_offset)",
    )
    assert set(categories) == {("recitation", True), (None, False)}
    scores = fetch(built, "select count(*), count(nl_score), count(code_type) from feat_sequence__code")
    assert scores[0][0] > 0 and scores[0][1:] == (0, 0)


def test_token_runs_need_no_text(built: Path, corpora: dict[str, list[list[int]]]) -> None:
    runs = fetch(
        built,
        "select sequence_id, token_offset, num_repeating, smallest_repeating_chunk, longest_token_run "
        "from feat_sequence__templating where corpus = 'narrow' and sequence_id in (10, 14)",
    )
    assert runs
    for sequence_id, _, repeats, chunk, longest in runs:
        # 64 times one token, and 16 times four.
        assert (repeats, chunk, longest) == ((32, [3, 3], 64) if sequence_id == 10 else (16, chunk, 1))
        assert sequence_id == 10 or sorted(chunk) == [1, 2, 3, 4]


def test_features_have_one_row_for_each_dataset_sequence_and_model(built: Path) -> None:
    (expected,) = fetch(
        built,
        "select count(*) from dataset_members inner join fct_memorization using (corpus, sequence_id, token_offset)",
    )[0]
    assert fetch(built, "select count(*) from features") == [(expected,)]
    assert expected == 60 + 20 + 2  # the tiny model on every window of narrow, and two published scores


def test_dim_corpora_add_up_over_shards(built: Path, corpora: dict[str, list[list[int]]]) -> None:
    for corpus, n_sequences, n_tokens, dtype in fetch(
        built, "select corpus, n_sequences, n_tokens, token_dtype from dim_corpora"
    ):
        assert n_sequences == len(corpora[corpus])
        assert n_tokens == sum(map(len, corpora[corpus]))
        assert dtype == ("uint32" if corpus == "wide" else "uint16")


def test_a_second_run_computes_nothing_again_also_where_nothing_was_found(
    built: Path, tmp_path: Path, make_commands: Callable[[Path], Commands]
) -> None:
    """Sequence 3 of wide is memorized and lies in the first of two shards; the second holds nothing to count."""
    copy = tmp_path / "memtax.duckdb"
    shutil.copy(built, copy)
    make_commands(copy).dbt("run")
    assert set(rows_computed(copy).values()) == {0}
