"""The explorer and requests, text and stores that mean no good, or are not there."""

from __future__ import annotations

import base64
import errno
import logging
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import pytest
from starlette.testclient import TestClient

from memtax import store
from memtax.explorer.security import HEADERS
from tests.explorer.stores import HOSTILE, HOSTILE_COLUMN, text_of

EVERY_PAGE = (
    "/",
    "/sequences",
    "/sequence?corpus=c%3Ci%3E&sequence_id=3",
    "/sequence?corpus=none",
    "/sequences?column=no&op=eq&value=1",
    "/download/csv?",
    "/static/explorer.css",
    "/static/explorer.js",
    "/static/none",
    "/none",
)
# A place in the list whose corpus is half a surrogate pair: JSON has it, UTF-8 does not.
HALF_A_PAIR = base64.urlsafe_b64encode(rb'[1, 0, "\ud800", "d", "m", "r"]').decode().rstrip("=")


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_every_answer_forbids_all_that_is_not_ours(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_no_text_of_the_store_is_markup(client: TestClient, address: str) -> None:
    page = client.get(address).text
    if not page.startswith("<!doctype html>"):
        return
    scripts = re.findall(r"<script[^>]*>", page)
    assert scripts == ['<script src="/static/explorer.js" defer>']
    assert not re.search(r"<[^>]*\son\w+=", page) and "<img" not in page and "<style" not in page
    assert not re.search(r'style="|javascript:[^&]*"', page)
    assert not any(character in page for character in "\x1b\x07\x00\u202e\u200b\u2066\x9b")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1", ""]
)
def test_another_name_than_the_loopbacks_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "127.0.0.1" in answer.text and "dataset" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8640", "localhost", "LOCALHOST:1", "[::1]:8640"])
def test_the_loopbacks_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("site", "mode", "destination", "status"),
    [
        ("cross-site", "no-cors", "image", 403),
        ("cross-site", "cors", "empty", 403),
        ("cross-site", "navigate", "iframe", 403),
        ("same-site", "no-cors", "image", 403),
        ("cross-site", "navigate", "document", 200),
        ("same-site", "navigate", "document", 200),
        ("same-origin", "no-cors", "image", 200),
        ("same-origin", "navigate", "document", 200),
        ("none", "navigate", "document", 200),
    ],
)
def test_another_page_may_lead_here_and_no_more(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, site: str, mode: str, destination: str, status: int
) -> None:
    if status == 403:
        monkeypatch.setattr("memtax.explorer.app.download.write", failing(AssertionError("it was written")))
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    answer = client.get("/download/parquet", headers=headers)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_sent(client: TestClient, method: str) -> None:
    assert getattr(client, method)("/sequences").status_code == 405


@pytest.mark.parametrize("text", [*HOSTILE, "%", "_", "'", "\\"])
def test_any_text_can_be_looked_for(client: TestClient, unkind: Path, text: str) -> None:
    page = client.get(f"/sequences?{urlencode({'q': text, 'within': 'prompt_text', 'case': '1'})}").text
    with store.reading(unkind) as connection:
        (count,) = connection.execute(
            "select count(*) from features inner join feat_sequence__text using (corpus, sequence_id, token_offset) "
            "where contains(prompt_text, ?)",
            [text],
        ).fetchone()  # type: ignore[misc]
    assert f"{count} row" in text_of(page)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("column=nothing&op=eq&value=1", "features has no column 'nothing'"),
        ("column=memorized&op=ge&value=1", "memorized is BOOLEAN, which '≥' does not take"),
        ("column=sequence_duplicates&op=ge&value=many", "'many' is none"),
        ("column=sequence_duplicates&op=ge&value=1,0", "'1,0' is none; its decimals come after a point"),
        ("model=nobody%40main", "features has no model 'nobody@main'"),
        ("dataset=none", "there is no dataset 'none'; there is"),
        ("sort=tokens", "features has no column 'tokens'"),
        ("after=x", "begin at the first page"),
        (f"after={HALF_A_PAIR}", "begin at the first page"),
        ("q=a&within=tokens", "there is no within 'tokens'"),
        ("size=1000000", "a page has 25, 50, 100, 200 rows"),
        ("column=a&op=b", "every filter has one of each"),
    ],
)
def test_what_cannot_be_asked_is_said(client: TestClient, query: str, message: str) -> None:
    answer = client.get(f"/sequences?{query}")
    assert answer.status_code == 400
    assert message in text_of(answer.text)


def test_a_column_of_any_name_can_be_filtered_by(client: TestClient) -> None:
    query = urlencode({"column": HOSTILE_COLUMN, "op": "lt", "value": "2", "sort": HOSTILE_COLUMN})
    answer = client.get(f"/sequences?{query}")
    assert answer.status_code == 200
    assert "6 rows" in text_of(answer.text)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("corpus=c%3Ci%3E&sequence_id=99", 404, "is in no dataset"),
        ("corpus=c%3Ci%3E&sequence_id=-1", 400, "sequence_id is a whole number from 0 on"),
        ("sequence_id=1", 400, "the address names no corpus"),
        ("corpus=nowhere&sequence_id=1", 404, "no corpus is named 'nowhere'"),
        ("corpus=c%3Ci%3E&sequence_id=1,4", 400, "'1,4' is none"),
        ("corpus=c%3Ci%3E&sequence_id=1&model=nope@x", 400, "this sequence and model 'nope@x', only of <b>large"),
    ],
)
def test_a_sequence_that_is_not_there_is_said(client: TestClient, query: str, status: int, message: str) -> None:
    answer = client.get(f"/sequence?{query}")
    assert answer.status_code == status
    assert message in text_of(answer.text)


def test_a_store_without_tables_says_what_makes_them(open_store: Callable[[Path], TestClient], tmp_path: Path) -> None:
    with store.writing(tmp_path / "memtax.duckdb"):
        pass
    answer = open_store(tmp_path / "memtax.duckdb").get("/")
    assert answer.status_code == 404
    assert "the store has no table main.features yet; run dbt run first" in text_of(answer.text)


def test_the_store_is_free_between_requests_and_what_dbt_writes_is_shown(
    unkind: Path, open_store: Callable[[Path], TestClient], tmp_path: Path
) -> None:
    copy = Path(shutil.copy(unkind, tmp_path / "memtax.duckdb"))
    client = open_store(copy)
    assert "36 rows" in text_of(client.get("/sequences").text)
    with store.writing(copy) as connection:
        connection.execute("delete from features where dataset <> 'd'")
    assert "24 rows" in text_of(client.get("/sequences").text)


def test_a_store_that_is_being_written_says_by_whom(
    unkind: Path, open_store: Callable[[Path], TestClient], tmp_path: Path
) -> None:
    copy = Path(shutil.copy(unkind, tmp_path / "memtax.duckdb"))
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(copy)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "open\n"
    try:
        answer = open_store(copy).get("/sequences")
    finally:
        holder.communicate("")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert f"process {holder.pid}" in text_of(answer.text)
    assert open_store(copy).get("/sequences").status_code == 200


def test_what_goes_wrong_inside_is_not_shown_to_the_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise duckdb.InternalException("secret")

    monkeypatch.setattr("memtax.explorer.app.read_page", broken)
    answer = client.get("/sequences")
    assert answer.status_code == 500
    assert "secret" not in answer.text and "secret" in caplog.text


@pytest.mark.parametrize("error", [duckdb.InternalException("secret"), ValueError("secret"), OSError("secret")])
def test_an_answer_that_nobody_foresaw_is_protected_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("memtax.explorer.app.read_page", failing(error))
    answer = client.get("/sequences")
    assert answer.status_code == 500
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (duckdb.OutOfMemoryException("failed to allocate"), "set MEMTAX_MEMORY_LIMIT to more"),
        (
            duckdb.BinderException("no column x\n\nLINE 1"),
            "(no column x); another version of memtax may have made them",
        ),
        (duckdb.IOException("could not write"), "check that it is whole, and that the disk has room"),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/<b>"), "/tmp/<b>: No space left on device; make room"),
    ],
)
def test_what_can_be_foreseen_is_said_in_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, said: str
) -> None:
    monkeypatch.setattr("memtax.explorer.app.download.write", failing(error))
    answer = client.get("/download/csv")
    assert answer.status_code == 500
    assert said in text_of(answer.text)
    # Who started it reads the same in one line, and no traceback.
    (record,) = caplog.records
    assert said in record.getMessage() and "\n" not in record.getMessage() and record.exc_info is None


def test_a_query_that_ctrl_c_ends_is_no_fault(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def endless(connection: duckdb.DuckDBPyConnection, *_: object) -> None:
        threading.Timer(0.3, connection.interrupt).start()
        connection.execute("select sum(hash(a.range, b.range)) from range(10_000_000) as a, range(10_000_000) as b")

    monkeypatch.setattr("memtax.explorer.app.read_page", endless)
    with caplog.at_level(logging.DEBUG, logger="memtax"):
        answer = client.get("/sequences")
    assert answer.status_code == 503
    assert "has been stopped" in text_of(answer.text)
    assert caplog.records == []


def failing(error: Exception) -> Callable[..., None]:
    """A function that does nothing but raise."""

    def failed(*_: object) -> None:
        raise error

    return failed
