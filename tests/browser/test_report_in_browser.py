"""The report in a browser: every chart is drawn with data in both themes and any width, and nothing leaves or runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import KEEP_WORDS, Watch, downloaded
from tests.conftest import Commands
from tests.report.pages import HOSTILE, LAYERS, Report, changed_copy, make_page, with_attention, with_hostile_names

MARKS = ", ".join(
    f".chart .mark-{kind} > {shape}"
    for kind, shape in (("rect", "path"), ("symbol", "path"), ("line", "path"), ("area", "path"), ("rule", "line"))
)
NARROW = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def report(demo: Commands, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return make_page(demo.database, tmp_path_factory.mktemp("report"))


def ready(page: Any, path: Path) -> None:
    page.goto(path.as_uri())
    drawn(page)


def drawn(page: Any) -> None:
    page.wait_for_selector("html[data-ready=true]", timeout=90_000)


def choose(page: Any, what: str, value: str) -> None:
    """Choose, and wait until everything is drawn anew."""
    page.evaluate("delete document.documentElement.dataset.ready")
    page.select_option(f"#choose-{what}", value)
    drawn(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_is_drawn_with_data(
    open_page: Callable[..., Any], report: Report, accessible: Callable[..., None], screenshot: Callable, theme: str
) -> None:
    page = open_page(color_scheme=theme)
    ready(page, report.path)
    screenshot(page, f"report-{theme}")
    assert report.parts.payloads
    for name in report.parts.payloads:
        figure = page.locator(f"#figure-{name}")
        assert figure.locator(MARKS).count() > 0, name
        box = figure.locator("svg.marks").bounding_box()
        room = figure.locator(".chart").bounding_box()
        assert 0.75 * room["width"] < box["width"] <= room["width"] + 1, (name, box, room)
        assert box["height"] > 80, name
        # Not one label says undefined, NaN or null.
        labels = figure.locator("svg.marks text").all_text_contents()
        assert labels, name
        assert not {"undefined", "NaN", "null", "Infinity"} & set(labels), name
    # One table and one question stand for all: axe looks at every cell.
    page.evaluate(
        "document.querySelectorAll('#figure-shares-by-model details').forEach((details) => { details.open = true; })"
    )
    accessible(page)


def test_a_narrow_page_does_not_overflow(
    open_page: Callable[..., Any], report: Report, accessible: Callable[..., None], screenshot: Callable
) -> None:
    page = open_page(viewport=NARROW, color_scheme="light")
    ready(page, report.path)
    screenshot(page, "report-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    wide = page.evaluate(
        "[...document.querySelectorAll('.chart')].filter((chart) => chart.scrollWidth > chart.clientWidth + 1)"
        ".map((chart) => chart.parentElement.id)"
    )
    assert wide == []
    accessible(page)


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, NARROW])
def test_names_below_and_beside_axes_can_be_told_apart(
    open_page: Callable[..., Any], demo: Commands, tmp_path: Path, viewport: dict[str, int]
) -> None:
    # Each of the six becomes a model with a name as long as those that are published.
    sizes = " ".join(
        f"when {place} then '{name}'" for place, name in enumerate(("70m", "160m", "1b", "1.4b", "2.8b", "12b"), 1)
    )
    tables = ("dim_models", "memorization_by_category", "memorization_by_text_kind")
    name = f"'pythia-' || case model_place {sizes} end || '-deduped'"
    database = changed_copy(
        demo.database, tmp_path, *(f"update {table} set model = {name}, revision = 'step143000'" for table in tables)
    )
    page = open_page(viewport=viewport)
    ready(page, make_page(database, tmp_path).path)
    # Every panel has an axis with all six, in their order, and no two of them overlap.
    axes = page.locator("#figure-shares-by-model .role-axis", has_text="pythia").all()
    assert len(axes) == 3
    for axis in axes:
        labels = axis.locator(".role-axis-label text")
        shown = labels.all_text_contents()
        assert len(set(shown)) == 6 and [name[:8] for name in shown[:2]] == ["pythia-7", "pythia-1"]
        places = labels.evaluate_all("texts => texts.map((text) => text.getCTM().f - text.getCTM().e)")
        turned = labels.first.evaluate("text => text.getCTM().b !== 0")
        # Of lines that stand aslant by 40 degrees or so, 20 pixels from one to the next are 13 between them.
        assert turned and all(one - other > 20 for one, other in pairwise(places))
    # Where there is no room for what all names share, what tells them apart stays.
    beside = page.locator("#figure-memorized-by-text-kind .role-axis-label text").all_text_contents()
    assert len({name for name in beside if "%" not in name}) == 6
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


@pytest.fixture(scope="session")
def report_with_attention(demo: Commands, tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("attention")
    return make_page(with_attention(demo.database, folder), folder)


@pytest.mark.parametrize("look", ["light", "dark", "narrow"])
def test_attention_is_drawn_by_layer(
    open_page: Callable[..., Any],
    report_with_attention: Report,
    accessible: Callable[..., None],
    screenshot: Callable,
    look: str,
) -> None:
    narrow = {"viewport": NARROW} if look == "narrow" else {}
    page = open_page(color_scheme="dark" if look == "dark" else "light", **narrow)
    ready(page, report_with_attention.path)
    figure = page.locator("#figure-attention")
    screenshot(figure, f"report-attention-{look}")
    # A point for each layer, of memorized windows and of others, in the panels of both measures; a line through each.
    assert figure.locator(".mark-symbol.role-mark > path").count() == LAYERS * 2 * 2
    assert figure.locator(".mark-line.role-mark > path").count() == 2 * 2
    labels = figure.locator("svg.marks text").all_text_contents()
    assert {"entropy", "Gini coefficient", "memorized", "not memorized", *map(str, range(1, LAYERS + 1))} <= set(labels)
    # Layers are counted: no axis has a half of one.
    layers = figure.locator(".role-axis", has_text="layer").first.locator(".role-axis-label text").all_text_contents()
    assert layers == [str(layer) for layer in range(1, LAYERS + 1)]
    accessible(page, "#figure-attention")


def test_choosing_a_model_changes_what_is_shown(page: Any, report: Report) -> None:
    ready(page, report.path)
    runs = page.locator("#choose-run option").all_text_contents()
    assert len(runs) == 6
    figure = page.locator("#figure-memorized-by-duplicates")
    figure.locator("details.numbers > summary").click()
    # The table is filled when the browser says, a little later, that it was opened.
    figure.locator("tbody tr").first.wait_for()

    def numbers() -> list[list[str]]:
        return [row.locator("td").all_text_contents() for row in figure.locator("tbody tr").all()]

    before = numbers()
    held = report.fetch(
        "select n_memorized from memorization_by_duplicates where text_kind in ('all', 'code', 'natural language') and "
        "model || '@' || revision = ? order by text_kind, duplicates_from",
        runs[0],
    )
    place = report.parts.payloads["memorized-by-duplicates"]["columns"].index("n_memorized")
    assert [int(row[place].replace(",", "")) for row in before] == [n for (n,) in held]
    drawing = figure.locator("svg.marks").inner_html()
    choose(page, "run", runs[-1])
    assert numbers() != before
    assert figure.locator("svg.marks").inner_html() != drawing
    assert runs[-1] in figure.locator("[data-shown]").inner_text()


def test_checkpoints_stand_in_the_order_of_their_own_model(page: Any, demo: Commands, tmp_path: Path) -> None:
    # Two models may call checkpoints alike that one of them reached earlier.
    others = {4: "step156", 5: "step78", 6: "step39"}
    names = " ".join(f"when {place} then '{name}'" for place, name in others.items())
    database = changed_copy(
        demo.database,
        tmp_path,
        *(
            f"update {table} set revision = case model_place {names} else revision end"
            for table in ("dim_models", "memorization_by_category")
        ),
    )
    ready(page, make_page(database, tmp_path).path)
    assert page.locator("#choose-run").input_value() == "demo-large@step39"
    axis = page.locator("#figure-counts-by-checkpoint .role-axis", has_text="checkpoint").first
    assert axis.locator(".role-axis-label text").all_text_contents() == list(others.values())


def test_numbers_pictures_and_sql_can_be_taken_away(
    open_page: Callable[..., Any], report: Report, tmp_path: Path
) -> None:
    page = open_page(color_scheme="dark", permissions=["clipboard-read", "clipboard-write"])
    ready(page, report.path)
    figure = page.locator("#figure-coefficients")
    taken = {}
    for kind in ("svg", "png", "csv"):
        taken[kind] = downloaded(page, figure.locator(f"[data-save={kind}]").click, f"coefficients.{kind}")
    assert taken["png"].startswith(b"\x89PNG")
    svg = taken["svg"].decode("utf-8")
    assert svg.startswith("<svg")
    assert 'fill="#ffffff"' in svg, "pictures are light, whatever the page is"
    rows = list(csv.DictReader(io.StringIO(taken["csv"].decode("utf-8"))))
    run = page.locator("#choose-run").input_value()
    held = [row for row in report.parts.rows("coefficients") if row["run"] == run]
    assert [(row["scope"], row["feature"], float(row["standardized_coefficient"])) for row in rows] == [
        (row["scope"], row["feature"], row["standardized_coefficient"]) for row in held
    ]
    page.evaluate(KEEP_WORDS)
    figure.locator("details.sql > summary").click()
    figure.locator("[data-copy]").click()
    page.wait_for_selector("#figure-coefficients [data-copy]:text('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == report.parts.sql["coefficients"]


def test_every_figure_gives_its_picture_and_its_numbers(page: Any, report: Report) -> None:
    ready(page, report.path)
    for name, payload in report.parts.payloads.items():
        figure = page.locator(f"#figure-{name}")
        taken = {}
        for kind in ("svg", "csv"):
            button = figure.locator(f"[data-save={kind}]")
            taken[kind] = downloaded(page, button.click, f"{name}.{kind}").decode("utf-8")
        assert taken["svg"].count('class="mark-') >= figure.locator("svg.marks [class^=mark-]").count() > 0, name
        columns, *rows = csv.reader(io.StringIO(taken["csv"]))
        assert columns == payload["columns"], name
        held = {tuple(map(as_in_csv, row)) for row in payload["rows"]}
        assert rows and {tuple(map(as_in_csv, row)) for row in rows} <= held, name


def as_in_csv(value: Any) -> Any:
    """A number as the nearest double, and else the text that CSV has for it."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return float(value)
    except (TypeError, ValueError):
        return "" if value is None else str(value).removeprefix("'")


def test_a_figure_can_be_used_from_the_keyboard(page: Any, report: Report) -> None:
    ready(page, report.path)
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to what was found" and skip.is_visible()
    figure = page.locator("#figure-coefficients")
    figure.locator("[data-save=svg]").focus()
    seen = []
    for _ in range(5):
        focus = page.locator(":focus")
        assert focus.evaluate("node => getComputedStyle(node).outlineStyle !== 'none'"), "focus is not visible"
        seen.append(focus.inner_text())
        if seen[-1] == "CSV":
            downloaded(page, lambda: page.keyboard.press("Enter"), "coefficients.csv")
        if seen[-1] in ("Numbers", "SQL"):
            page.keyboard.press("Enter")
            assert focus.evaluate("summary => summary.parentElement.open")
            page.keyboard.press("Enter")
        page.keyboard.press("Tab")
    assert seen == ["SVG", "PNG", "CSV", "Numbers", "SQL"]


def test_hostile_names_are_shown_and_do_nothing(page: Any, watch: Watch, demo: Commands, tmp_path: Path) -> None:
    report = make_page(with_hostile_names(demo.database, tmp_path), tmp_path)
    ready(page, report.path)
    title = page.title()
    for selector in ("#figure-counts-by-model .mark-rect > path", "#figure-coefficients .mark-symbol > path"):
        page.locator(selector).first.hover(force=True)
        page.wait_for_selector("#vg-tooltip-element.visible")
    assert HOSTILE[:9] in page.locator("#vg-tooltip-element").inner_text()
    assert page.locator("img").count() == 0
    assert page.title() == title
    assert HOSTILE in page.locator("#choose-run option").first.inner_text()
    assert watch.problems() == []


def test_the_page_prints(open_page: Callable[..., Any], report: Report, screenshot: Callable) -> None:
    page = open_page(color_scheme="dark")
    ready(page, report.path)
    page.emulate_media(media="print", color_scheme="dark")
    screenshot(page, "report-print")
    for hidden in ("nav", ".tools", ".choices"):
        assert not page.locator(hidden).first.is_visible()
    assert page.locator("#findings li").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.wait_for_selector("#figure-counts-by-model [data-chart][data-theme=light]")
    drawn(page)
    assert page.locator("[data-chart][data-theme=dark]").count() == 0
    label = page.locator("#figure-coefficients svg .mark-text.role-axis-label text").first
    assert label.get_attribute("fill") == "#1b1f24", "ink of the light theme, on white paper"
    assert len(page.pdf()) > 20_000


def test_a_page_without_anything_is_quiet(page: Any, tmp_path: Path, accessible: Callable[..., None]) -> None:
    import duckdb

    database = tmp_path / "empty.duckdb"
    duckdb.connect(str(database)).close()
    ready(page, make_page(database, tmp_path).path)
    assert page.locator("figure").count() > 20
    accessible(page)
