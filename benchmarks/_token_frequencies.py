"""The other pass over the tokens: their histogram, and from it each window's frequencies with six statistics."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from _measure import freshly_mapped, median_time, reading_time

import udf
from memtax_native import count_tokens

# The selects of int_sequence__token_frequency and of the mart over it, in one.
MODEL_SQL = """
with tables as materialized (
    select corpus, build_frequency_table(list(token_id), list(frequency), '{tables}') as handle
    from {frequencies} group by corpus
)
select
    w.corpus, w.sequence_id, w.token_offset, unnest(token_frequency_statistics(w.tokens, tables.handle))
from {windows} as w left join tables on w.corpus = tables.corpus
"""
# What one would write without memtax: unnest, join, and gather the lists again.
PLAIN_SQL = """
with positions as (
    select corpus, sequence_id, token_offset, unnest(tokens) as token_id, unnest(range(len(tokens))) as position
    from {windows}
),
lists as (
    select p.corpus, p.sequence_id, p.token_offset, list(coalesce(f.frequency, 0) order by p.position) as frequencies
    from positions as p left join {frequencies} as f on p.corpus = f.corpus and p.token_id = f.token_id
    group by p.corpus, p.sequence_id, p.token_offset
),
sorted as (select *, list_sort(frequencies) as up, len(frequencies) as n from lists)
select
    corpus, sequence_id, token_offset, up[n] as max_frequency, up[1] as min_frequency,
    list_avg(frequencies) as avg_frequency,
    (up[cast(ceil(n / 2) as integer)] + up[cast(floor(n / 2) as integer) + 1]) / 2.0 as median_frequency,
    cast(up[cast(ceil(n * 0.25) as integer)] as double) as p25_frequency,
    cast(up[cast(ceil(n * 0.75) as integer)] as double) as p75_frequency,
    frequencies
from sorted
"""


def measure_histogram(corpus: Path, threads: int, repeats: int) -> tuple[list[dict[str, object]], bool]:
    """All tokens counted, against one pass of reading them."""
    reading = reading_time(corpus, threads, repeats)
    seconds, counts = median_time(lambda: count_tokens(freshly_mapped(corpus), 65_536, threads), repeats)
    exact = np.array_equal(counts, np.bincount(freshly_mapped(corpus), minlength=65_536))
    row = {
        "ms": seconds * 1e3,
        "reading_ms": reading * 1e3,
        "percent_of_reading": 100 * reading / seconds,
        "exact": exact,
    }
    return [row], exact


def measure_statistics(n: int, vocabulary: int, threads: int, repeats: int) -> tuple[list[dict[str, object]], bool]:
    """The models' SQL from Parquet to a table, against plain SQL, equal on every row."""
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect(config={"threads": threads}) as connection:
        folder = Path(scratch)
        udf.register(connection)
        connection.execute(f"select set_threads({threads})")
        _write(connection, folder, n, vocabulary)
        windows, frequencies = f"'{folder}/windows.parquet'", f"'{folder}/frequencies.parquet'"
        model = MODEL_SQL.format(windows=windows, frequencies=frequencies, tables=folder / "tables")
        plain = PLAIN_SQL.format(windows=windows, frequencies=frequencies)
        seconds = {
            name: median_time(
                lambda name=name, sql=sql: connection.execute(f"create or replace table {name} as {sql}"), repeats
            )[0]
            for name, sql in (("memtax", model), ("plain", plain))
        }
        differing = connection.execute(
            "select count(*) from ((from memtax except all from plain) union all (from plain except all from memtax))"
        ).fetchone()
        exact = differing == (0,)
    row = {
        "windows": n,
        "memtax_s": seconds["memtax"],
        "plain_sql_s": seconds["plain"],
        "times_plain_sql": seconds["plain"] / seconds["memtax"],
        "exact": exact,
    }
    return [row], exact


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, n: int, vocabulary: int) -> None:
    # Zipf's law, as in text: few tokens are most of it.
    tokens = np.random.default_rng(4).zipf(1.2, n * 64) % vocabulary
    counts = np.bincount(tokens, minlength=vocabulary)
    windows = pa.table(
        {
            "corpus": pa.repeat("c", n),
            "sequence_id": np.arange(n),
            "token_offset": np.zeros(n, np.int32),
            "tokens": pa.FixedSizeListArray.from_arrays(pa.array(tokens.astype(np.uint32)), 64),
        }
    )
    frequencies = pa.table(
        {"corpus": pa.repeat("c", vocabulary), "token_id": np.arange(vocabulary), "frequency": counts}
    )
    connection.register("windows_arrow", windows)
    connection.register("frequencies_arrow", frequencies)
    connection.execute(
        "copy (select corpus, sequence_id, token_offset, cast(tokens as uinteger[]) as tokens from windows_arrow) "
        f"to '{folder}/windows.parquet'"
    )
    connection.execute(f"copy (from frequencies_arrow where frequency > 0) to '{folder}/frequencies.parquet'")
