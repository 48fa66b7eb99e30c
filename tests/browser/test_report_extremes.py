"""The report of stores that its charts are not made for first: deep models, many checkpoints, long names; and on paper."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_report_in_browser import choose, ready
from tests.conftest import Commands
from tests.report.pages import LAYERS, Report, changed_copy, make_page, with_attention

CENTRE = "nodes => nodes.map((node) => { const box = node.getBoundingClientRect(); return box.x + box.width / 2; })"


def labels_below(figure: Any, title: str) -> list[tuple[str, float]]:
    """The labels of the first axis of that title, and where they stand."""
    texts = figure.locator(".role-axis", has_text=title).first.locator(".role-axis-label text")
    shown = texts.evaluate_all("texts => texts.map((text) => text.getAttribute('opacity') !== '0')")
    places = texts.evaluate_all(CENTRE)
    return [one[1:] for one in zip(shown, texts.all_text_contents(), places, strict=True) if one[0]]


def test_a_point_of_attention_stands_at_its_layer(page: Any, demo: Commands, tmp_path: Path) -> None:
    deep = 80
    copies = f"flatten(list_transform(range({-(-deep // LAYERS)}), lambda n: {{0}}))[:{deep}]"
    sides = {"demo-large": copies, "demo-small": "{0}[:2]"}
    (tmp_path / "attention").mkdir()
    database = changed_copy(
        with_attention(demo.database, tmp_path / "attention"),
        tmp_path,
        *(
            f"update feat_sequence_model__attention set entropy_heads = {made.format('entropy_heads')}, "
            f"gini_heads = {made.format('gini_heads')} where model = '{model}'"
            for model, made in sides.items()
        ),
    )
    ready(page, make_page(database, tmp_path).path)
    figure = page.locator("#figure-attention")
    for layers, run in ((deep, "demo-large@step351"), (2, "demo-small@step156")):
        choose(page, "run", run)
        (first, start), *_, (last, end) = [(int(label), at) for label, at in labels_below(figure, "layer")]
        assert first == 1 and last <= layers
        step = (end - start) / (last - first)
        panel = figure.locator(".mark-symbol.role-mark").first.locator("path").evaluate_all(CENTRE)
        at = [1 + (place - start) / step for place in panel]
        assert len(at) == 2 * layers
        assert sorted(map(round, at)) == sorted([*range(1, layers + 1)] * 2)
        assert all(abs(place - round(place)) < 0.4 for place in at)
        # What lies over each other hides each other.
        assert all(later > earlier for earlier, later in pairwise(sorted(at)))


@pytest.fixture
def many(demo: Commands, tmp_path: Path) -> Report:
    """154 checkpoints, of which the first has nothing memorized."""
    tables = ("dim_models", "memorization_by_category")
    grown = "'step' || (1000 * n) as revision, 10 + n as model_place"
    database = changed_copy(
        demo.database,
        tmp_path,
        *(f"delete from {table} where model <> 'demo-large' or revision <> 'step351'" for table in tables),
        *(
            f"insert into {table} select * exclude (n) replace ({grown}) from {table}, range(1, 155) as s(n)"
            for table in tables
        ),
        "update memorization_by_category set n_memorized = 0, share_of_memorized = null, p_memorized = 0 "
        "where revision = 'step1000'",
        *(f"delete from {table} where revision = 'step351'" for table in tables),
    )
    return make_page(database, tmp_path)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_many_checkpoints_can_be_told_apart(
    open_page: Callable[..., Any], many: Report, screenshot: Callable, theme: str
) -> None:
    page = open_page(color_scheme=theme)
    ready(page, many.path)
    for name in ("counts-by-checkpoint", "shares-by-checkpoint"):
        figure = page.locator(f"#figure-{name}")
        screenshot(figure, f"report-{name}-{theme}")
        assert figure.locator(".mark-rect.role-mark").count() == 0
        areas = figure.locator(".mark-area.role-mark > path")
        assert areas.count() >= 3
        assert not any("NaN" in (path.get_attribute("d") or "") for path in areas.all())
        for axis in figure.locator(".role-axis", has_text="checkpoint").all():
            places = axis.locator(".role-axis-label text").evaluate_all("all => all.map((text) => text.getCTM().e)")
            assert 4 < len(places) < 30
            assert all(later - earlier >= 18 for earlier, later in pairwise(places))
    # A few models have bars.
    assert page.locator("#figure-counts-by-model .mark-rect.role-mark").count() > 0


def test_a_legend_tells_long_names_apart(page: Any, demo: Commands, tmp_path: Path) -> None:
    name = "'EleutherAI/' || replace(model, 'demo', 'pythia-6.9b-deduped-of-a-corpus')"
    tables = ("dim_models", "memorization_by_category", "memorization_by_duplicates")
    database = changed_copy(demo.database, tmp_path, *(f"update {table} set model = {name}" for table in tables))
    ready(page, make_page(database, tmp_path).path)
    shown = page.locator("#figure-memorized-by-duplicates-and-model .role-legend-label text").all_text_contents()
    assert len(shown) == len(set(shown)) == 6
    assert all(len(label) <= 31 for label in shown)


def test_positions_are_marked_where_they_are(page: Any, demo: Commands, tmp_path: Path) -> None:
    database = changed_copy(
        demo.database,
        tmp_path,
        *(
            "insert into memorization_by_prompt select * exclude (n) replace ('close' as dataset, n as token_offset) "
            f"from memorization_by_prompt, range({values}) as s(n) where dataset = 'demo_sample'"
            for values in ("1, 40",)
        ),
        "insert into memorization_by_category select * replace ('close' as dataset) from memorization_by_category",
    )
    ready(page, make_page(database, tmp_path).path)
    figure = page.locator("#figure-memorized-by-offset")
    choose(page, "sample", "close in demo")
    # As of any number's axis, but none lies below 0.
    assert all(0 <= int(label) <= 39 for label, _ in labels_below(figure, "first token of the window"))
    choose(page, "sample", "demo_sample in demo")
    assert [label for label, _ in labels_below(figure, "first token of the window")] == ["0"]


def test_paper_shows_what_a_dark_page_showed(open_page: Callable[..., Any], demo: Commands, tmp_path: Path) -> None:
    path = make_page(demo.database, tmp_path).path
    curves = "#figure-memorized-by-duplicates-and-model .mark-line.role-mark > path"
    strokes = "paths => paths.map((path) => path.getAttribute('stroke'))"
    light = open_page(color_scheme="light")
    ready(light, path)
    page = open_page(color_scheme="dark")
    ready(page, path)
    assert page.locator(curves).evaluate_all(strokes) != light.locator(curves).evaluate_all(strokes)
    # Printing does not wait for charts to be drawn anew.
    page.evaluate("window.setTimeout = () => 0")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_selector("#figure-memorized-by-duplicates-and-model [data-chart][data-theme=light]")
    assert page.locator(curves).evaluate_all(strokes) == light.locator(curves).evaluate_all(strokes)
    assert set(page.locator("h2").evaluate_all("all => all.map((one) => getComputedStyle(one).breakInside)")) == {
        "avoid"
    }
    for table in page.locator(".about table").all():
        assert table.is_visible()
