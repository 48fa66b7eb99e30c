"""What the explorer marks and writes out in a text can be read, and what was found is in sight: on every shade, in any width."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memtax import store
from tests.browser.test_explorer import LOOKS, PAGES, shown
from tests.explorer.process import address_of, explored
from tests.explorer.stores import make_store

# The contrast of each element's colour with what is behind it, as WCAG reckons it.
CONTRASTS = """elements => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return parts(colour)[3] === 0 && element.parentElement ? behind(element.parentElement) : colour;
  };
  return elements.map((element) => {
    const [low, high] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the real command serves the store of `tests/explorer/stores.py`."""
    with explored(make_store(tmp_path_factory.mktemp("explored")), "--port", "0") as process:
        yield address_of(process)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "signs"),
    [
        (PAGES["list"], "mark"),
        ("sequences?q=%0A", "mark .end"),
        ("sequences?q=%E2%80%AE", "mark .escape"),
        *((PAGES["sequence"], f".window .l{level} {sign}") for level in range(2, 6) for sign in (".end", ".escape")),
    ],
)
def test_signs_in_the_text_stand_out(
    path: str, signs: str, scheme: str, address: str, open_page: Callable[..., Any]
) -> None:
    # axe passes over text of one letter, as the sign of a line's end is.
    page = open_page(color_scheme=scheme)
    page.goto(address + path)
    contrasts = page.locator(signs).evaluate_all(CONTRASTS)
    assert contrasts and min(contrasts) >= 4.5, contrasts


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("query", ["q=needle", "q=Pin&case=1", "q=straw&within=continuation_text&show=code_type"])
def test_what_was_found_is_in_sight_wherever_it_is(
    query: str, look: str, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    database = make_store(tmp_path)
    prompt, continuation = "needle Pin " + 30 * "hay stack " + "nee", "dle " + 30 * "hay stack " + "Straw"
    with store.writing(database) as connection:
        connection.execute(
            "update feat_sequence__text set text = ? || ?, prompt_text = ?, continuation_text = ? where sequence_id = 4",
            [prompt, continuation, prompt, continuation],
        )
    with explored(database, "--port", "0") as process:
        page = open_page(**LOOKS[look])
        page.goto(f"{address_of(process)}sequences?{query}")
        assert set(shown(page)) == {"c<i> 4"}
        for excerpt in page.locator(".excerpt").all():
            marks = excerpt.locator("mark").all()
            assert marks
            frame = excerpt.bounding_box()
            for mark in marks:
                box = mark.bounding_box()
                assert frame["y"] <= box["y"] and box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
