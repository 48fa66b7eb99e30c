"""count_similar() on DuckDB against SQL that compares every pair, and its bounds on memory and on what it takes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import udf
from udf.errors import UdfError
from udf.similarity import MATCHES, count_similar, matches, reference_sets

PROMPTS = ["héllo wörld", "hello world", "héllo wörld!", "北京欢迎你", "北京歡迎您", "", "a" * 30, "a" * 11]
BRUTE_FORCE = """
    select
        queries.number,
        [count(*) filter (cosine >= 0.8), count(*) filter (cosine >= 0.9)] as semantic,
        [count(*) filter (cosine >= 0.8 and distance > ? and distance < ?),
         count(*) filter (cosine >= 0.9 and distance > ? and distance < ?)] as textual
    from rows as queries
    left join (
        select
            a.number,
            list_cosine_similarity(cast(a.embedding as double[]), cast(b.embedding as double[])) as cosine,
            b.distances[a.prompt + 1] as distance
        from rows as a
        inner join members as b on a.number != b.number
        where a.embedding is not null
    ) as pairs using (number)
    where queries.embedding is not null
    group by queries.number
    order by queries.number
"""


def distance(a: str, b: str) -> int:
    """Levenshtein's, from the definition."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """200 rows around 4 centres, some of them NULL; every third is a member of the reference set."""
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((4, 384))
    vectors = centres[rng.integers(0, 4, 200)] + rng.uniform(0.1, 0.5, (200, 1)) * rng.standard_normal((200, 384))
    vectors[5] = vectors[6]
    embeddings: list[list[float] | None] = [row.tolist() for row in vectors.astype(np.float32)]
    embeddings[10] = None
    prompts = rng.integers(0, len(PROMPTS), 200)
    table = pa.table(
        {
            "number": range(200),
            "corpus": [f"c{number % 2}" for number in range(200)],
            "sequence_id": pa.array([number // 4 for number in range(200)], pa.int64()),
            "token_offset": pa.array([number % 4 for number in range(200)], pa.int32()),
            "prompt": prompts,
            "prompt_text": [PROMPTS[number] for number in prompts],
            "distances": [[distance(PROMPTS[number], other) for other in PROMPTS] for number in prompts],
            "embedding": pa.array(embeddings, pa.list_(pa.float32(), 384)),
        }
    )
    connection = duckdb.connect()
    udf.register(connection)
    connection.register("rows", table)
    connection.execute("create table members as from rows where number % 3 = 0 and embedding is not null")
    connection.execute(
        "copy (select corpus, sequence_id, token_offset, prompt_text, embedding from members order by 1, 2, 3) "
        f"to '{tmp_path}/members.parquet'"
    )
    return connection


def counted(connection: duckdb.DuckDBPyConnection, tmp_path: Path, above: int, below: int) -> list[tuple]:
    (handle,) = connection.execute(
        "select build_reference_set(?, ?)", [f"{tmp_path}/members.parquet", str(tmp_path)]
    ).fetchone() or (None,)
    return connection.execute(
        "select number, matches.semantic_matches, matches.textual_matches from (select number, count_similar(embedding, "
        "prompt_text, corpus, sequence_id, token_offset, ?, [0.8, 0.9], ?, ?) as matches from rows) "
        "where matches is not null order by number",
        [handle, above, below],
    ).fetchall()


@pytest.mark.parametrize(
    ("above", "below", "block_rows", "most_pairs"),
    [
        *((above, below, 65_536, 2**18) for above, below in [(0, 20), (0, 3), (1, 2), (-1, 1), (5, 1000)]),
        *((0, 20, *sizes) for sizes in [(10, 2**18), (10, 12), (65_536, 70)]),
    ],
)
def test_counts_equal_sql_over_every_pair(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    above: int,
    below: int,
    block_rows: int,
    most_pairs: int,
) -> None:
    """Also where the set has many blocks, and where the pairs of a block have to be taken in parts."""
    monkeypatch.setattr(reference_sets, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(matches, "MOST_PAIRS", most_pairs)
    expected = connection.execute(BRUTE_FORCE, [above, below] * 2).fetchall()
    assert counted(connection, tmp_path, above, below) == expected
    assert len(expected) == 199
    assert sum(row[1][1] for row in expected) > 50
    if (above, below) == (0, 20):
        assert 0 < sum(row[2][0] for row in expected) < sum(row[1][0] for row in expected)


def call(**changes: object) -> pa.Array:
    given = {
        "embedding": [[0.0] * 384], "prompt": ["x"], "corpus": ["c"], "sequence_id": [1], "token_offset": [0],
        "handle": [None], "thresholds": [[0.8]], "above": [0], "below": [20],
    } | changes  # fmt: skip
    types = [
        pa.list_(pa.float32(), 384), pa.string(), pa.string(), pa.int64(), pa.int32(), pa.string(),
        pa.list_(pa.float64()), pa.int32(), pa.int32(),
    ]  # fmt: skip
    return count_similar(*(pa.array(values, kind) for values, kind in zip(given.values(), types, strict=True)))


def test_without_a_set_there_is_no_count() -> None:
    result = call()
    assert result.type == MATCHES
    assert result.to_pylist() == [None]


def test_an_empty_set_counts_nothing(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    connection.execute("delete from members")
    connection.execute(
        "copy (select corpus, sequence_id, token_offset, prompt_text, embedding from members) "
        f"to '{tmp_path}/members.parquet'"
    )
    assert {str(row[1:]) for row in counted(connection, tmp_path, 0, 20)} == {"([0, 0], [0, 0])"}


@pytest.mark.parametrize("thresholds", [[0.9, 0.8], [], [1.5], [float("nan")]])
def test_thresholds_that_are_no_cosines_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(UdfError, match="expected cosines from -1 to 1, ascending"):
        call(handle=["x"], thresholds=[thresholds])


def test_a_vector_that_is_not_finite_is_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    counted(connection, tmp_path, 0, 20)
    (handle,) = map(str, tmp_path.glob("*.memtaxr"))
    with pytest.raises(UdfError, match="row 0 holds a number that is not finite"):
        call(handle=[handle], embedding=[[float("nan")] * 384])
