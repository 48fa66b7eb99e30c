"""The explorer's pages against the tables that they show, and against requests that mean no good."""

from __future__ import annotations

import html
import io
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import duckdb
import pyarrow.csv
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from memtax import store
from tests.conftest import Commands
from tests.explorer.stores import HOSTILE, ask, text_of


def shown_rows(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/sequence\?([^"]*)"', html.unescape(page))


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


def test_models_are_in_the_order_of_the_store(
    demo: Commands, open_store: Callable[[Path], TestClient], tmp_path: Path
) -> None:
    database = Path(shutil.copy(demo.database, tmp_path / "memtax.duckdb"))
    with duckdb.connect(str(database)) as connection:
        # An order that no name, step or size would give.
        connection.execute("update dim_models set model_place = (model_place * 3) % 7")
    order = [
        label for (label,) in ask(database, "select model || '@' || revision from dim_models order by model_place")
    ]
    client = open_store(database)
    assert re.findall(r'<th scope="row">(demo-[^<]*)', client.get("/").text) == order
    assert re.findall(r'<option value="(demo-[a-z]*@[^"]*)"', client.get("/sequences").text) == order


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


@pytest.mark.parametrize("number", [1, 7])
def test_the_sql_of_a_sequence_gives_its_features(client: TestClient, unkind: Path, number: int) -> None:
    page = client.get(f"/sequence?{urlencode({'corpus': 'c<i>', 'sequence_id': number})}").text
    statement = html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code>", page, re.DOTALL)[1])
    held = ask(unkind, f"select * from features where sequence_id = {number} order by dataset, model, revision")
    assert len(held) == 4
    assert repr(ask(unkind, statement)) == repr(held)


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


def test_downloads_hold_the_selection(client: TestClient, unkind: Path) -> None:
    query = "?dataset=d&sort=sequence_id"
    expected = ask(unkind, "select sequence_id, model from features where dataset = 'd' order by sequence_id, model")
    parquet = pyarrow.parquet.read_table(io.BytesIO(client.get(f"/download/parquet{query}").content))
    rows = json.loads(client.get(f"/download/json{query}").content, parse_constant=pytest.fail)
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
    # The store has an infinity and a NaN, which JSON has not.
    perplexities = [row["generation_perplexity"] for row in parquet.to_pylist()]
    assert math.inf in perplexities and any(map(math.isnan, filter(None, perplexities)))
    assert [row["generation_perplexity"] for row in rows] == [
        number if number is not None and math.isfinite(number) else None for number in perplexities
    ]
    # A spreadsheet would run what begins like a formula.
    begins = {row["prompt_text"][0] for row in csv.to_pylist()}
    assert "=" not in begins and "'=HYPERLINK" in answer.text
    assert client.get("/download/xlsx").status_code == 404


def test_a_download_leaves_no_file(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert client.get("/download/csv?").status_code == 200
    assert client.get("/download/csv?sort=nothing").status_code == 400
    for wanted, status in (("bytes=0-9", 206), ("bytes=999999999-", 416), ("lines=1-2", 400)):
        assert client.get("/download/csv?", headers={"range": wanted}).status_code == status
    assert client.head("/download/csv?").status_code == 200
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


def test_a_sequence_without_tokens_shows_what_features_has_of_it(
    unkind: Path, open_store: Callable[[Path], TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(unkind, tmp_path / "memtax.duckdb"))
    monkeypatch.setenv("MEMTAX_DATABASE", str(copy))
    with store.writing(copy) as connection:
        connection.execute("delete from dim_evaluated_sequences where sequence_id = 3")
    answer = open_store(copy).get("/sequence?corpus=c%3Ci%3E&sequence_id=3")
    assert answer.status_code == 200
    assert "The store has no tokens of this sequence" in text_of(answer.text)


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
