"""The small demo, end to end: what it prints, what it leaves, and that a second run reuses it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from memtax import store
from tests.conftest import PROJECT, Commands


def test_the_output_names_what_was_found(demo: Commands) -> None:
    output = (demo.database.parent / "output.txt").read_text(encoding="utf-8")
    for expected in (
        "Memorized windows by model and checkpoint",
        "recitation",
        "reconstruction",
        "recollection",
        "P(memorized) by duplicates",
        "Predicting memorization on held-out continuations",
        "memtax explain",
    ):
        assert expected in output


def test_the_tables_agree_with_each_other(demo: Commands) -> None:
    with store.reading(demo.database) as connection:
        models = connection.execute("select count(*), count(distinct model) from dim_models").fetchone()
        assert models == (6, 2)
        windows = connection.execute("select count(*) from dim_evaluated_sequences").fetchone()
        assert windows is not None
        assert connection.execute("select count(*) from features").fetchone() == (6 * windows[0],)
        unscored = "select count(*) from features where loss is null or category is null or huffman_code_length is null"
        assert connection.execute(unscored).fetchone() == (0,)
        memorized = connection.execute(
            "select count(*) from fct_memorization where memorized and model = 'demo-large'"
        ).fetchone()
        assert memorized is not None
        assert memorized[0] > 0
        # Predictions are of held-out rows alone, and no continuation is on both sides of the split.
        trained = (
            "select count(*) from taxonomy_predictions inner join intermediate.int_taxonomy__rows as used "
            "using (corpus, sequence_id, token_offset, model, revision) where used.split <> 'test'"
        )
        assert connection.execute(trained).fetchone() == (0,)
        leaks = (
            "select count(*) from (select tokens[33:] as continuation from intermediate.int_taxonomy__rows inner join "
            "dim_evaluated_sequences using (corpus, sequence_id, token_offset) where model = 'demo-large' "
            "group by continuation, revision having count(distinct split) > 1)"
        )
        assert connection.execute(leaks).fetchone() == (0,)


def test_predictions_are_those_of_the_coefficients(demo: Commands) -> None:
    """The table of predictions against the table of coefficients, in plain Python."""
    import math

    with store.reading(demo.database) as connection:
        last = connection.execute(
            "select arg_max(revision, training_fraction) from dim_models where model = 'demo-large'"
        ).fetchone()
        fits = connection.execute(
            "select feature, coefficient from taxonomy_models where model = 'demo-large' and scope = 'baseline' "
            "and note = 'used' and revision = ?",
            last,
        ).fetchall()
        assert fits, "the small demo fitted no baseline"
        names = [name for name, _ in fits if name != "(intercept)"]
        rows = connection.execute(
            f"select distinct probability, {', '.join(f'cast({name} as double)' for name in names)} from taxonomy_predictions "
            "inner join features using (corpus, sequence_id, token_offset, model, revision) where model = 'demo-large' and "
            "predictor = 'baseline' and revision = ?",
            last,
        ).fetchall()
    weights = dict(fits)
    assert rows
    for probability, *values in rows:
        log_odds = weights["(intercept)"]
        log_odds += sum(weights[name] * value for name, value in zip(names, values, strict=True))
        assert math.isclose(probability, 1 / (1 + math.exp(-log_odds)), rel_tol=1e-7, abs_tol=1e-12)


@pytest.mark.slow
def test_a_second_demo_reuses_everything(demo: Commands, commands: Commands) -> None:
    shutil.copy(demo.database, commands.database)
    result = subprocess.run(
        [sys.executable, "-m", "memtax.demo", "--size", "small"],
        cwd=PROJECT,
        env=commands.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "already" in result.stdout + result.stderr
    with store.reading(commands.database) as connection:
        computed = connection.execute(
            "select sum(n_rows) from intermediate.udf_rows_by_run where invocation_id = "
            "(select arg_max(invocation_id, recorded_at) from intermediate.udf_rows_by_run)"
        ).fetchone()
    assert computed == (0,)
