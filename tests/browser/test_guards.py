"""What watches the pages notices what it should: errors, requests that would leave the machine, barriers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watch, is_local


def test_a_quiet_page_has_no_problems(page: Any, watch: Watch, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><title>quiet</title><script>console.log('fine')</script>", encoding="utf-8")
    page.goto(file.as_uri())
    assert watch.problems() == []


def test_errors_and_requests_are_noticed(page: Any, watch: Watch) -> None:
    # What a page does is told a little later than it is done.
    with page.expect_console_message(lambda message: message.text == "written"), page.expect_event("pageerror"):
        page.set_content(
            "<script>console.error('written')</script><script>throw Error('thrown')</script>"
            "<img src='https://elsewhere.invalid/pixel.png' alt='' onerror='document.title = `refused`'>"
        )
    page.wait_for_function("document.title === 'refused'")
    problems = "\n".join(watch.problems())
    assert "written" in problems
    assert "thrown" in problems
    assert watch.requests == ["https://elsewhere.invalid/pixel.png"]
    watch.errors.clear()
    watch.requests.clear()


def test_an_expected_error_is_no_problem(page: Any, watch: Watch) -> None:
    watch.expected.append("written")
    with page.expect_console_message(lambda message: message.text == "written on purpose"):
        page.set_content("<script>console.error('written on purpose')</script>")
    assert watch.errors
    assert watch.problems() == []


def test_axe_finds_a_barrier(page: Any, accessible: Callable[..., None]) -> None:
    page.set_content("<!doctype html><html lang='en'><title>x</title><main><h1>x</h1><img src='data:,'></main></html>")
    with pytest.raises(AssertionError, match="image-alt"):
        accessible(page)
    page.set_content("<!doctype html><html lang='en'><title>x</title><main><h1>x</h1></main></html>")
    accessible(page)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("file:///page.html", True),
        ("blob:null/1", True),
        ("http://127.0.0.1:8000/x", True),
        ("ws://localhost:1/", True),
        ("https://cdn.invalid/vega.js", False),
        ("http://127.0.0.1.elsewhere.invalid/", False),
    ],
)
def test_what_is_local(url: str, local: bool) -> None:
    assert is_local(url) == local
