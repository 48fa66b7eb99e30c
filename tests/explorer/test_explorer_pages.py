"""The explorer's pages against the tables that they show, and against requests that mean no good."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import duckdb
import pyarrow.csv
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from memtax import store
from memtax.explorer.security import HEADERS
from tests.conftest import Commands
from tests.explorer.stores import HOSTILE, HOSTILE_COLUMN

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


def ask(database: Path, sql: str) -> list[tuple]:
    with store.reading(database) as connection:
        return connection.execute(sql).fetchall()


def text_of(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def shown_rows(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/sequence\?([^"]*)"', html.unescape(page))


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


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_sent(client: TestClient, method: str) -> None:
    assert getattr(client, method)("/sequences").status_code == 405


def test_the_overviews_numbers_are_those_of_features(demo_client: TestClient, demo: Commands) -> None:
    page = demo_client.get("/").text
    rows = re.findall(r"<tr>\s*<td>(.*?)</tr>", page, flags=re.DOTALL)
    expected = ask(
        demo.database,
        "select model || '@' || revision, count(*), count(*) filter (memorized), "
        "count(*) filter (memorized and category = 'recitation'), count(*) filter (memorized and category = 'reconstruction'), "
        "count(*) filter (memorized and category = 'recollection') from features group by all order by all",
    )
    found = []
    for row in rows:
        words = text_of("<td>" + row).split()
        found.append((words[1], *(int(word.replace(",", "")) for word in words[2:] if "%" not in word)))
    assert sorted(found) == expected
    marts = ask(
        demo.database,
        "select model || '@' || revision, n_sequences, n_memorized from memorization_by_category "
        "where category = 'all' and text_kind = 'all' order by all",
    )
    assert [row[:3] for row in sorted(found)] == marts


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({}, "true"),
        ({"model": "demo-large@step351", "memorized": "yes"}, "model = 'demo-large' and revision = 'step351' and memorized"),
        ({"category": "recitation", "memorized": "no"}, "category = 'recitation' and not memorized"),
        ({"column": "sequence_duplicates", "op": "ge", "value": "6"}, "sequence_duplicates >= 6"),
        ({"column": "code_type", "op": "eq", "value": "nl", "sort": "loss"}, "code_type = 'nl'"),
        ({"q": "permission"}, "contains(lower(text), 'permission')"),
        ({"q": "Permission", "case": "1", "within": "prompt_text"}, "contains(prompt_text, 'Permission')"),
        ({"q": "PERMISSION", "case": "1", "within": "continuation_text", "memorized": "yes"},
         "memorized and contains(continuation_text, 'PERMISSION')"),
    ],
)  # fmt: skip
def test_a_selection_is_what_sql_says(
    demo_client: TestClient, demo: Commands, query: dict[str, str], condition: str
) -> None:
    page = demo_client.get(f"/sequences?{urlencode(query)}").text
    joined = "features inner join feat_sequence__text using (corpus, sequence_id, token_offset)"
    ((count,),) = ask(demo.database, f"select count(*) from {joined} where {condition}")
    assert f"{count:,} row" in text_of(page)
    statement = html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code>", page, re.DOTALL)[1]) if count else None
    if statement is None:
        return
    # The SQL beside the list gives the rows of the list.
    copied = [(row[2], row[0], row[1], f"{row[4]}@{row[5]}") for row in ask(demo.database, statement)]
    addresses = [
        urlencode(dict(zip(("corpus", "sequence_id", "token_offset", "model"), row, strict=True))) for row in copied
    ]
    assert shown_rows(page) == addresses
    assert len(addresses) == min(count, 50)


def test_pages_of_the_list_lead_through_all_rows(client: TestClient, unkind: Path) -> None:
    ((count,),) = ask(unkind, "select count(*) from features")
    assert count == 36
    seen, address = [], "/sequences?size=25&sort=generation_perplexity"
    while address:
        page = client.get(address).text
        seen += shown_rows(page)
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = html.unescape(following[1]) if following else ""
    assert len(seen) == count and len(set(seen)) == len(HOSTILE) * 2


def test_a_form_with_empty_fields_becomes_the_address_to_share(client: TestClient) -> None:
    sent = "/sequences?q=&within=text&dataset=d&model=&column=sequence_duplicates&op=ge&value=2&column=&op=ge&value=&size=50"
    answer = client.get(sent, follow_redirects=False)
    assert answer.status_code == 303
    kept = answer.headers["location"]
    assert kept == "/sequences?dataset=d&column=sequence_duplicates&op=ge&value=2"
    assert client.get(kept, follow_redirects=False).status_code == 200


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
        ("model=nobody%40main", "features has no model 'nobody@main'"),
        ("dataset=none", "there is no dataset 'none'; there is"),
        ("sort=tokens", "features has no column 'tokens'"),
        ("after=x", "begin at the first page"),
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


def test_downloads_hold_the_selection(client: TestClient, unkind: Path) -> None:
    query = "?dataset=d&sort=sequence_id"
    expected = ask(unkind, "select sequence_id, model from features where dataset = 'd' order by sequence_id, model")
    parquet = pyarrow.parquet.read_table(io.BytesIO(client.get(f"/download/parquet{query}").content))
    rows = json.loads(client.get(f"/download/json{query}").content)
    answer = client.get(f"/download/csv{query}")
    csv = pyarrow.csv.read_csv(
        io.BytesIO(answer.content), parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)
    )
    assert answer.headers["content-disposition"] == 'attachment; filename="memtax-selection.csv"'
    for table in (parquet.to_pylist(), rows, csv.to_pylist()):
        assert [(row["sequence_id"], row["model"]) for row in table] == expected
    prompts = [text for text in HOSTILE for _ in range(2)]
    assert [row["prompt_text"] for row in parquet.to_pylist()] == prompts
    assert [row["prompt_text"] for row in rows] == prompts
    # A spreadsheet would run what begins like a formula.
    begins = {row["prompt_text"][0] for row in csv.to_pylist()}
    assert "=" not in begins and "'=HYPERLINK" in answer.text
    assert client.get("/download/xlsx").status_code == 404


def test_a_download_leaves_no_file(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert client.get("/download/csv?").status_code == 200
    assert client.get("/download/csv?sort=nothing").status_code == 400
    assert list(tmp_path.iterdir()) == []


def test_a_sequence_shows_its_tokens_its_places_and_its_features(client: TestClient) -> None:
    page = client.get(f"/sequence?corpus=c%3Ci%3E&sequence_id=1&model={quote('small@main')}").text
    words = text_of(page)
    assert "gets 1 of the 32 tokens of the continuation right before its first miss" in words
    assert page.count('class="t ') == 63 + 1 + 6 - 1  # every token but the first has a level, and the legend shows six
    assert page.count('class="miss"') == 1
    assert "occurs 2 times in 2 sequences" in words
    assert page.count("<mark>⟦") == 2
    assert "token 1, id 2" in words or 'title="token 1, id 2"' in page


def test_a_sequence_without_log_probabilities_says_which_var_computes_them(
    demo_client: TestClient, demo: Commands
) -> None:
    ((sequence_id, duplicates),) = ask(
        demo.database,
        "select sequence_id, sequence_duplicates from features order by sequence_duplicates desc, 1 limit 1",
    )
    page = demo_client.get(f"/sequence?corpus=demo&sequence_id={sequence_id}").text
    words = text_of(page)
    assert "token_log_probabilities: true" in words
    assert f"The continuation occurs {duplicates} times" in words
    assert "recitation" in words and "Nearest in meaning" in words and "demo-large@step351" in words
    assert page.count("<mark>⟦") == 10


def test_a_sequence_that_only_a_landed_table_knows_shows_what_that_says(
    unkind: Path, open_store: Callable[[Path], TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(unkind, tmp_path / "memtax.duckdb"))
    monkeypatch.setenv("MEMTAX_DATABASE", str(copy))
    with store.writing(copy) as connection:
        connection.execute("delete from dim_evaluated_sequences where sequence_id = 3")
    answer = open_store(copy).get("/sequence?corpus=c%3Ci%3E&sequence_id=3")
    assert answer.status_code == 200
    assert "Of a landed feature table, this is what is known of it" in text_of(answer.text)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("corpus=c%3Ci%3E&sequence_id=99", 404, "is in no dataset"),
        ("corpus=c%3Ci%3E&sequence_id=-1", 400, "sequence_id is a whole number from 0 on"),
        ("sequence_id=1", 400, "the address names no corpus"),
        ("corpus=nowhere&sequence_id=1", 404, "no corpus is named 'nowhere'"),
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


def test_a_store_without_text_is_browsed_by_its_features(
    unkind: Path, open_store: Callable[[Path], TestClient], tmp_path: Path
) -> None:
    copy = Path(shutil.copy(unkind, tmp_path / "memtax.duckdb"))
    with store.writing(copy) as connection:
        connection.execute("drop table feat_sequence__text")
    client = open_store(copy)
    page = client.get("/sequences").text
    assert "36 rows" in text_of(page) and "no text" in page
    assert client.get("/sequences?q=a").status_code == 400
    assert client.get("/download/csv?").status_code == 200


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


def test_what_templating_covers_is_marked(demo_client: TestClient, demo: Commands) -> None:
    ((sequence_id, coverage, text),) = ask(
        demo.database,
        "select sequence_id, templating_coverage, text from feat_sequence__templating "
        "inner join feat_sequence__text using (corpus, sequence_id, token_offset) "
        "where templating_coverage between 0.3 and 0.9 order by is_templating desc, sequence_id limit 1",
    )
    page = demo_client.get(f"/sequence?corpus=demo&sequence_id={sequence_id}").text
    assert f"covers {100 * coverage:.0f}% of the text" in text_of(page)
    block = re.search(r'<p class="tokens covered">(.*?)</p>', page, re.DOTALL)
    assert block is not None
    marks = re.findall(r"<mark>(.*?)</mark>", block[1].replace('<span class="unseen">[covered: ]</span>', ""))
    assert marks
    shown = html.unescape(re.sub(r'<span class="end">.*?</span>|<[^>]*>|\[covered: \]', "", block[1]))
    assert shown == text
