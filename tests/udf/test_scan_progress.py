"""What a scan says: an estimate every few seconds, nothing when it is quick, and nothing when none has begun."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import udf
from udf import scan_progress, token_counts
from udf.scan_progress import ScanProgress
from udf.token_counts import count_tokens


def test_a_line_every_five_seconds_and_none_at_the_end() -> None:
    now, lines = [0.0], list[str]()
    progress = ScanProgress(lambda: now[0], lines.append)
    progress.advance(10)  # before any scan
    progress.begin("model, shard 3", 1_000)
    for seconds, seen in ((1, 100), (6, 150), (8, 100), (12, 650)):
        now[0] = seconds
        progress.advance(seen)
    assert lines == ["model, shard 3: 250 of 1,000 sequences in 6 s, about 18 s left"]
    now[0] = 100
    progress.advance(10)  # after the end
    assert len(lines) == 1
    progress.begin("another", 100)
    now[0] = 106
    progress.advance(50)
    assert lines[1:] == ["another: 50 of 100 sequences in 6 s, about 6 s left"]


def test_a_scan_in_sql_is_reported_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    progress = ScanProgress()
    monkeypatch.setattr(scan_progress, "scan_progress", progress)
    monkeypatch.setattr(token_counts, "scan_progress", progress)
    monkeypatch.setattr(scan_progress, "EVERY_SECONDS", 0.0)
    with duckdb.connect() as connection:
        udf.register(connection)
        connection.execute("select begin_scan('counting, shard 1', 3)").fetchall()
        count_tokens(pa.array([[1], [2]], pa.list_(pa.uint32())))
        assert "counting, shard 1: 2 of 3 sequences in 0 s, about 0 s left" in capsys.readouterr().err
        sql = "select begin_scan(title, n) from (values ('a', null), (null, 1)) as t (title, n)"
        assert connection.execute(sql).fetchall() == [(None,), (1,)]


def test_null_sequences_count_as_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list[str]()
    progress = ScanProgress(iter(np.arange(0.0, 100, 10)).__next__, lines.append)
    monkeypatch.setattr(token_counts, "scan_progress", progress)
    progress.begin("t", 4)
    count_tokens(pa.array([None, None], pa.list_(pa.uint32())))
    assert lines == ["t: 2 of 4 sequences in 10 s, about 10 s left"]
