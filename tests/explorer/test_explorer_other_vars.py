"""`memtax explain` and the explorer over a store that dbt built with other vars than the project declares."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from memtax import store
from memtax.cli import main
from tests.conftest import PROJECT, Commands
from tests.corpus.helpers import word_tokenizer
from tests.dbt.conftest import VOCABULARY, WINDOW, evaluate, land, set_tokenizer
from tests.explorer.stores import ask, text_of

pytestmark = pytest.mark.slow

ROWS = 12
COPIES, BROKEN_COUNTER, COUNTER, UNIQUE = 0, 5, 6, 7
# What the vars of the project would make of the first two is another category: recollection, and reconstruction.
REASONS = {
    COPIES: "recitation its continuation occurs 5 times in the corpus, and 4 or more make a recitation.",
    BROKEN_COUNTER: "recollection its continuation occurs 1 time in the corpus, fewer than 4, and the paper's filter, "
    "by which the categories here go, finds no pattern in its text.",
    COUNTER: "reconstruction its continuation occurs 1 time in the corpus, fewer than 4, and the paper's filter, "
    "by which the categories here go, finds a pattern in its text.",
    UNIQUE: "recollection its continuation occurs 1 time in the corpus, fewer than 4, and the paper's filter, "
    "by which the categories here go, finds no pattern in its text.",
}
LANDED_ONLY, DIFFERENT = 20, 21


def windows() -> list[list[int]]:
    rows = np.random.default_rng(0).integers(2, VOCABULARY, (ROWS, WINDOW))
    rows[COPIES : COPIES + 5] = rows[COPIES]
    rows[BROKEN_COUNTER, :56] = np.arange(20, 76)
    rows[COUNTER] = np.arange(2, 194, 3)
    return rows.tolist()


def feature_table(n: int) -> pa.Table:
    """Rows enough to train on; the first are of sequences that are evaluated too."""
    rng = np.random.default_rng(1)
    duplicates, incrementing = rng.integers(1, 9, n), rng.random(n) < 0.4
    duplicates[[COPIES, LANDED_ONLY, DIFFERENT]] = (3, 2, 4)
    incrementing[[COPIES, LANDED_ONLY, DIFFERENT]] = True
    return pa.table(
        {
            "sequence_id": np.arange(n),
            "sequence_duplicates": duplicates,
            "paper_is_incrementing": incrementing,
            "paper_is_repeating": np.zeros(n, dtype=bool),
            "is_templating": np.zeros(n, dtype=bool),
            "generation_perplexity": np.exp(rng.normal(1, 0.5, n)),
            "semantic_matches_0_8": np.full(n, 950),
            "memorized": rng.random(n) < duplicates / 10,
        }
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands]) -> Path:
    """Twelve evaluated windows with published scores, beside a landed table that knows them and others."""
    folder = tmp_path_factory.mktemp("other-vars")
    commands = make_commands(folder / "memtax.duckdb")
    path = commands.database
    rows = windows()
    land(path, "c", rows, shard_id=1)
    set_tokenizer(path, "corpora", "c", word_tokenizer(folder / "tokenizer.json", VOCABULARY))
    evaluate(path, "d", "c", [(number, 0) for number in range(ROWS)])
    with store.writing(path) as connection:
        connection.execute("insert into raw.dataset_scores values ('d', 1, 'pythia', 'step1')")
        connection.execute("update raw.dataset_members set scores = [(sequence_id % 2)::double]")
    table = feature_table(600)
    # A second table has one sequence alike, and another with fewer duplicates and other matches.
    few = table.slice(LANDED_ONLY, 2)
    for name, numbers in (("sequence_duplicates", [2, 3]), ("semantic_matches_0_8", [950, 0])):
        few = few.set_column(few.schema.get_field_index(name), name, pa.array(numbers))
    for dataset, landed in (("t", table), ("u", few)):
        pq.write_table(landed, folder / f"{dataset}.parquet")
        source = folder / f"{dataset}.parquet"
        commands.memtax("ingest", "features", dataset, source, "--model", "pythia@step2", "--corpus", "c")
    commands.dbt(
        *("run", "--select", "+taxonomy_models", "+features", "dim_corpora", "dim_evaluated_sequences"),
        *("--vars", "{recitation_threshold: 4, protocol: paper, taxonomy_search_rows: 0}"),
    )
    return path


@pytest.fixture
def client(built: Path, open_store: Callable[[Path], TestClient], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("MEMTAX_DATABASE", str(built))
    monkeypatch.setenv("MEMTAX_PROJECT", str(PROJECT))
    monkeypatch.setenv("COLUMNS", "400")
    return open_store(built)


def categories_shown(page: str) -> list[tuple[str, str]]:
    """Every category with its reason, and the datasets below it."""
    shown = re.findall(r'<p class="lead">(.*?)</p>\s*<p class="muted">(.*?)</p>', page, re.DOTALL)
    return [(text_of(lead), text_of(datasets)) for lead, datasets in shown]


@pytest.mark.parametrize(("sequence_id", "reason"), REASONS.items(), ids=["copies", "broken", "counter", "unique"])
def test_the_reason_is_by_the_vars_of_the_store(client: TestClient, built: Path, sequence_id: int, reason: str) -> None:
    stored = ask(built, f"select distinct category from fct_memorization where sequence_id = {sequence_id}")
    assert stored == [(reason.split()[0],)]
    page = client.get(f"/sequence?corpus=c&sequence_id={sequence_id}").text
    assert (reason, "In d.") in categories_shown(page)
    told = CliRunner().invoke(main, ["explain", "c", str(sequence_id)])
    assert told.exit_code == 0, told.output
    assert "Category  " + reason.replace(" its", ": its", 1).removesuffix(".") in told.output


def test_a_landed_row_has_its_own_category_beside_the_computed_one(client: TestClient) -> None:
    page = client.get(f"/sequence?corpus=c&sequence_id={COPIES}").text
    computed, landed = categories_shown(page)
    assert computed == (REASONS[COPIES], "In d.")
    assert landed == (REASONS[COUNTER].replace("1 time", "3 times"), "In t, as landed.")
    words = text_of(page)
    assert " pythia@step1 computed here " in words and " pythia@step2 t " in words


def test_a_sequence_of_landed_tables_alone_shows_what_each_says(client: TestClient) -> None:
    page = client.get(f"/sequence?corpus=c&sequence_id={LANDED_ONLY}").text
    assert categories_shown(page) == [(REASONS[COUNTER].replace("1 time", "2 times"), "In t, u, as landed.")]
    words = text_of(page)
    assert "The store has no tokens of this sequence" in words and "memtax sample" not in words
    assert " pythia@step2 t, u " in words

    page = client.get(f"/sequence?corpus=c&sequence_id={DIFFERENT}").text
    assert categories_shown(page) == [
        (REASONS[COPIES].replace("5 times", "4 times"), "In t, as landed."),
        (REASONS[COUNTER].replace("1 time", "3 times"), "In u, as landed."),
    ]
    rows = [text_of(row) for row in re.findall(r"<tr class=\"own\">(.*?)</tr>", page, re.DOTALL)]
    assert [row.split()[:3] for row in rows] == [
        ["pythia@step2", "t", "recitation"],
        ["pythia@step2", "u", "reconstruction"],
    ]
    assert "950" in rows[0].split() and "950" not in rows[1].split()

    refused = CliRunner().invoke(main, ["explain", "c", str(LANDED_ONLY)])
    assert refused.exit_code == 1
    assert "only what features has of it in t, u," in refused.output
