"""Pages in a real browser: Debian's chromium, driven by playwright, cut off from everything but this machine.

`page` fails its test at the end if the page wrote an error to its console, threw, or asked for anything that is not a file, a
data: or blob: URL, or on the loopback; such requests are refused as well. `accessible` runs axe. `screenshot` keeps pictures to
look at, in the folder that MEMTAX_SCREENSHOTS names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import ARGUMENTS, PROGRAMS, installed_chromium

WIDE = {"width": 1280, "height": 900}
LOCAL_SCHEMES = {"file", "data", "blob", "about"}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# A button that says `Copied` says `Copy` again soon; on a busy machine that may be before anybody looks.
KEEP_WORDS = "window.setTimeout = () => 0"
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder is a browser test: make browser runs it, make test does not."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_program() -> str:
    """Where chromium is.

    Skips the test where there is none; fails it there if MEMTAX_BROWSER is `required`, as it is in CI.
    """
    program = installed_chromium()
    if program is None:
        reason = f"no browser: none of {', '.join(PROGRAMS)} is installed (Debian: apt-get install chromium)"
        if os.environ.get("MEMTAX_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One headless browser for the session, with an empty profile."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (make setup installs it)")
    program = chromium_program()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page did that it should not have.

    Attributes:
        errors: written to the console, or thrown.
        requests: URLs that lie outside this machine; they were refused.
        expected: patterns of errors that the test provokes.
    """

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """All of it, but for what the test expects."""
        unexpected = [error for error in self.errors if not any(re.search(known, error) for known in self.expected)]
        return [f"error: {error}" for error in unexpected] + [f"request: {url}" for url in self.requests]

    def follow(self, page: Any) -> None:
        """Record what `page` does from now on, and let it reach nothing but this machine."""
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", lambda socket: None if is_local(socket.url) else self.requests.append(socket.url))
        page.route("**/*", self._route)

    def _route(self, route: Any) -> None:
        if is_local(route.request.url):
            route.continue_()
        else:
            self.requests.append(route.request.url)
            route.abort()


def is_local(url: str) -> bool:
    """Whether a URL stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in LOOPBACK


@pytest.fixture
def watch() -> Watch:
    """What the test's pages did that they should not have."""
    return Watch()


@pytest.fixture
def open_page(chromium: Any, watch: Watch) -> Iterator[Callable[..., Any]]:
    """Opens a watched page: `open_page(color_scheme="dark", viewport={…})` takes what playwright's `new_context` does."""
    contexts = []

    def opened(**options: Any) -> Any:
        context = chromium.new_context(**{"viewport": WIDE, "service_workers": "block", "locale": "en-GB", **options})
        contexts.append(context)
        # A whole page is a large picture for a busy machine without a graphics card.
        context.set_default_timeout(120_000)
        page = context.new_page()
        watch.follow(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert watch.problems() == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """A watched page, 1280 × 900, in light colours."""
    return open_page(color_scheme="light")


def downloaded(page: Any, press: Callable[[], None], name: str) -> bytes:
    """What the page gives to be saved under a name when a button is pressed.

    On a busy machine chromium loses about one of a thousand downloads after the page has done its part (its link was
    clicked, and no download came): what has not come is asked for again, as a reader would.
    """
    from playwright.sync_api import TimeoutError as NothingCame

    for last in (False, False, True):
        try:
            with page.expect_download(timeout=40_000) as come:
                press()
            break
        except NothingCame:
            if last:
                raise
    assert come.value.suggested_filename == name
    return Path(come.value.path()).read_bytes()


@pytest.fixture(scope="session")
def accessible() -> Callable[..., None]:
    """`accessible(page)` fails with what axe finds against WCAG 2.2 A and AA; `selector` limits it to a part of the page."""
    axe_core = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed (make setup installs it)"
    )

    def checked(page: Any, selector: str | None = None) -> None:
        found = axe_core.Axe().run(
            page,
            context=selector,
            options={"runOnly": {"type": "tag", "values": WCAG_AA}, "resultTypes": ["violations"]},
        )
        lines = [
            f"{violation['id']} ({violation['impact']}): {violation['help']}\n    "
            + "\n    ".join(f"{node['target']}: {node['failureSummary']}" for node in violation["nodes"][:5])
            for violation in found.response["violations"]
        ]
        assert not lines, "\n".join(lines)

    return checked


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[..., Path]:
    """`screenshot(page, "name")` writes name.png, of the whole page unless told otherwise, and says where."""
    folder = Path(os.environ.get("MEMTAX_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def taken(target: Any, name: str, **options: Any) -> Path:
        path = folder / f"{name}.png"
        if hasattr(target, "goto"):
            options = {"full_page": True, **options}
        target.screenshot(path=path, animations="disabled", **options)
        return path

    return taken
