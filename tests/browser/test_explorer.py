"""`memtax explore` in a real browser: what is clicked, typed and read, over a store whose text means no good."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memtax.explorer.tokens import LEVELS
from tests.browser.conftest import KEEP_WORDS
from tests.explorer.process import address_of, explored
from tests.explorer.stores import COSTS, make_store

PAGES = {
    "overview": "",
    "list": "sequences?dataset=d&column=sequence_duplicates&op=ge&value=1&sort=generation_perplexity&q=script",
    "refused": "sequences?column=none&op=eq&value=1",
    "sequence": "sequence?corpus=c%3Ci%3E&sequence_id=7&model=small%40main",
    "recited": "sequence?corpus=c%3Ci%3E&sequence_id=1&model=%3Cb%3Elarge%3C%2Fb%3E%40step%261",
    "missing": "sequence?corpus=none",
}
STATUS = {"refused": 400, "missing": 404}
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the real command serves the store of `tests/explorer/stores.py`."""
    database = make_store(tmp_path_factory.mktemp("explored"))
    with explored(database, "--port", "0") as process:
        yield address_of(process)


def follow(page: Any, target: Any) -> None:
    """Click what leads to another page, and wait until that is there."""
    with page.expect_navigation():
        target.click()


def shown(page: Any) -> list[str]:
    """The sequences in the list."""
    return page.locator(".rows tbody th").all_inner_texts()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_well(
    name: str,
    look: str,
    address: str,
    watch: Any,
    open_page: Callable[..., Any],
    accessible: Callable[..., None],
    screenshot: Callable[..., Path],
) -> None:
    if name in STATUS:
        watch.expected.append(rf"status of {STATUS[name]}")
    page = open_page(**LOOKS[look])
    assert page.goto(address + PAGES[name]).status == STATUS.get(name, 200)
    accessible(page)
    # What is wide scrolls by itself; the page does not.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for summary in page.locator("summary").all():
        if summary.is_visible() and not summary.evaluate("summary => summary.parentElement.open"):
            summary.click()
    accessible(page)
    screenshot(page, f"explorer-{name}-{look}")


@pytest.mark.parametrize(
    "path", ["", "sequences?size=100", *(f"sequence?corpus=c%3Ci%3E&sequence_id={n}" for n in range(12))]
)
def test_hostile_text_is_text(path: str, address: str, page: Any) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.goto(address + path)
    for element in page.locator(".excerpt, .tokens, td, th").all()[:40]:
        element.dispatch_event("mouseover")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, iframe, object, form[action^='http'], a[href^='javascript']").count() == 0
    assert page.locator("script").count() == 1
    body = page.locator("body").inner_text()
    assert not any(character in body for character in "\u202e\u2066\u200b\x1b\x00")
    if path.startswith("sequences"):
        for text in ("</script><script>window.hacked=1</script>", "{{ 7*7 }}", "\\u202egnp.exe", "\\x1b[31mred"):
            assert text in body


def test_the_policy_stops_what_an_escape_would_miss(address: str, page: Any, watch: Any) -> None:
    watch.expected.append("Content Security Policy")
    page.goto(address)
    page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend", "<img src=/static/none onerror='window.hacked=1'>");
          const script = document.createElement("script");
          script.textContent = "window.hacked = 2";
          document.body.append(script);
        }"""
    )
    watch.expected.append("404")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None


def test_filters_change_what_is_shown_and_the_address_keeps_it(address: str, page: Any) -> None:
    page.goto(address + "sequences")
    everything = shown(page)
    page.get_by_label("Dataset", exact=True).select_option("d")
    page.get_by_label("Feature of condition 1").select_option("sequence_duplicates")
    page.get_by_label("Value of condition 1").fill("2")
    follow(page, page.get_by_role("button", name="Apply"))
    assert len(shown(page)) == 4 < len(everything)
    assert "4 rows" in page.get_by_role("status").inner_text()
    page.get_by_label("Memorized", exact=True).select_option("yes")
    follow(page, page.get_by_role("button", name="Apply"))
    assert shown(page) == ["c<i> 0", "c<i> 0"]
    kept = page.url
    assert kept.endswith("?dataset=d&memorized=yes&column=sequence_duplicates&op=ge&value=2")
    follow(page, page.get_by_role("link", name=re.compile("Remove the filter memorized")))
    assert len(shown(page)) == 4
    page.go_back()
    assert page.url == kept and len(shown(page)) == 2
    follow(page, page.get_by_role("link", name="Reset"))
    assert shown(page) == everything


def test_text_is_found_and_marked(address: str, page: Any) -> None:
    page.goto(address)
    page.get_by_label("The text contains").fill("WINDOW.HACKED")
    follow(page, page.get_by_role("button", name="Search"))
    assert set(shown(page)) == {"c<i> 0", "c<i> 1", "c<i> 2", "c<i> 3"}
    assert set(page.locator(".excerpt mark").all_inner_texts()) == {"window.hacked"}
    page.get_by_label("Match case").check()
    follow(page, page.get_by_role("button", name="Apply"))
    assert shown(page) == []
    assert "No row is like that" in page.locator("main").inner_text()


def test_headings_sort(address: str, page: Any) -> None:
    page.goto(address + "sequences?dataset=d&model=small%40main")
    heading = page.locator("th", has_text=re.compile("greedy"))
    follow(page, heading.get_by_role("link"))
    falling = [int(text) for text in page.locator("tbody td:nth-last-child(3)").all_inner_texts()]
    assert falling == sorted(falling, reverse=True) and len(falling) == 12
    assert heading.get_attribute("aria-sort") == "descending"
    follow(page, heading.get_by_role("link"))
    assert [int(text) for text in page.locator("tbody td:nth-last-child(3)").all_inner_texts()] == falling[::-1]


def test_pages_lead_on_and_back(address: str, page: Any) -> None:
    page.goto(address + "sequences?size=25")
    first = shown(page)
    follow(page, page.get_by_role("link", name="Next"))
    second = shown(page)
    assert (len(first), len(second)) == (25, 11)
    follow(page, page.get_by_role("link", name="Previous"))
    assert shown(page) == first


def test_a_sequence_marks_the_miss_and_says_what_tokens_cost(address: str, page: Any) -> None:
    page.goto(address + PAGES["sequence"])
    assert page.locator(".miss").count() == 1
    miss = page.locator(".miss .t")
    assert "the model's first miss" in miss.get_attribute("title")
    colours = {
        level: page.locator(f".legend .l{level}").evaluate("span => getComputedStyle(span).backgroundColor")
        for level in range(1, 6)
    }
    assert len(set(colours.values())) == 5
    assert miss.evaluate("span => getComputedStyle(span).backgroundColor") in colours.values()
    # Each token has the colour of its probability, which the store of `make_store` makes; nothing comes before the first.
    shades = page.locator(".window .t").evaluate_all(
        "spans => spans.map((span) => [span.className.match(/\\bl(\\d)/)?.[1], getComputedStyle(span).backgroundColor])"
    )
    probabilities = [math.exp(cost) for cost in COSTS]
    levels = [next(n for n, level in enumerate(LEVELS) if p >= level.least) for p in probabilities]
    assert [level for level, _ in shades] == [None, *map(str, levels)]
    assert all(shade == colours[level] for (_, shade), level in zip(shades[1:], levels, strict=True) if level)
    # Not by colour alone: each level has a line of its own.
    lines = {page.locator(f".legend .l{n}").evaluate("s => getComputedStyle(s).borderBottom") for n in range(6)}
    assert len(lines) == 6
    page.get_by_label("As seen by").select_option("<b>large</b>@step&1")
    follow(page, page.get_by_role("button", name="Show"))
    assert "<b>large</b>@step&1 gets 7 of the 32 tokens" in page.locator("main").inner_text()


def test_all_of_it_can_be_done_from_the_keyboard(address: str, page: Any) -> None:
    page.goto(address + "sequences")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the content" and skip.is_visible()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'main'")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "q":
            break
    page.keyboard.type("javascript:")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=javascript**")
    assert shown(page) == ["c<i> 3"] * 4
    for _ in range(80):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        ), "focus is not visible"
        if (page.evaluate("document.activeElement.getAttribute('href') || ''")).startswith("/sequence?"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/sequence?corpus*")
    assert page.locator("h1").inner_text() == "c<i>, sequence 3"


def test_conditions_are_added_and_take_what_their_feature_takes(address: str, page: Any) -> None:
    page.goto(address + "sequences")
    page.get_by_role("button", name="Another condition").click()
    column, operator = page.get_by_label("Feature of condition 2"), page.get_by_label("Operator of condition 2")
    assert column.evaluate("select => select === document.activeElement")
    column.select_option("code_type")
    assert operator.input_value() == "eq"
    assert operator.locator("option[value=ge]").is_disabled()
    page.get_by_label("Value of condition 2").fill("c")
    follow(page, page.get_by_role("button", name="Apply"))
    assert set(shown(page)) == {"c<i> 2"}


def test_without_scripts_everything_is_there(address: str, open_page: Callable[..., Any]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(address + "sequences")
    # What scripts alone can do is not offered.
    for summary in page.locator("summary").all():
        if not summary.evaluate("summary => summary.parentElement.open"):
            summary.click()
    buttons = page.get_by_role("button").all_inner_texts()
    assert buttons == ["Apply"]
    page.get_by_label("Category", exact=True).select_option("recitation")
    follow(page, page.get_by_role("button", name="Apply"))
    assert set(shown(page)) == {f"c<i> {number}" for number in (1, 4, 7, 10)}
    follow(page, page.locator(".rows tbody th a").first)
    assert page.locator("h1").inner_text() == "c<i>, sequence 1"


def test_sql_can_be_copied(address: str, open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(address + "sequences?dataset=d&size=25")
    page.evaluate(KEEP_WORDS)
    page.get_by_text("The SQL of this list").click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#statement").inner_text()
    assert "where dataset = 'd'" in copied
