"""`make gallery`: pictures of the pages that people see, from the demo's store, with a page that shows them.

What takes a var to compute is photographed too, so that the store is first given it: VARS says how.

To add pictures: a function that takes a `Gallery` and calls `open` and `keep`, named in `PAGES`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from memtax import store
from memtax.demo.__main__ import DEFAULT_SIZE, FOLDER
from memtax.project import DATABASE_VARIABLE, DEFAULT_DATABASE, project_folder
from memtax.report import write_report
from tests.browser.chromium import ARGUMENTS, installed_chromium
from tests.explorer.process import address_of, explored

PROJECT = Path(__file__).resolve().parents[2]
FIGURES = PROJECT / "docs" / "figures"
PAGE = PROJECT / "docs" / "gallery.md"
# Pictures of plain colours need no more; they are a quarter of the size.
COLOURS = 128
# What colours tokens, fills the report's section on attention, and gives its prompts more than one length.
VARS = "{token_log_probabilities: true, attention: true, prompt_lengths: [8, 16]}"


@dataclass
class Gallery:
    """What is being photographed.

    Attributes:
        browser: chromium, as playwright has it.
        database: the store.
        scratch: a folder for pages that are made to be photographed.
        entries: (section, file name, caption) of the pictures kept so far.
    """

    browser: Any
    database: Path
    scratch: Path
    entries: list[tuple[str, str, str]] = field(default_factory=list)

    @contextmanager
    def open(self, url: str, *, theme: str = "light", width: int = 1280, height: int = 900) -> Iterator[Any]:
        """A page of that URL; the caller waits until it is ready."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB", service_workers="block"
        )
        try:
            page = context.new_page()
            page.goto(url)
            yield page
        finally:
            context.close()

    def keep(self, target: Any, section: str, name: str, caption: str, **options: Any) -> None:
        """Keep a picture of a page or a part of it as docs/figures/NAME.png, under a heading of docs/gallery.md."""
        from PIL import Image

        path = FIGURES / f"{name}.png"
        target.screenshot(path=path, animations="disabled", **options)
        with Image.open(path) as picture:
            # By coverage: the median cut gives a category's few dots the colour of something larger.
            method = Image.Quantize.MAXCOVERAGE
            picture.convert("RGB").quantize(COLOURS, method, dither=Image.Dither.NONE).save(path, optimize=True)
        self.entries.append((section, path.name, caption))
        print(f"{path.relative_to(PROJECT)}: {path.stat().st_size:,} bytes", flush=True)


def report(gallery: Gallery) -> None:
    """The report: what was found, and some of its figures."""
    path = gallery.scratch / "report.html"
    with store.reading(gallery.database) as connection:
        write_report(connection, path)
    url = path.as_uri()
    title = "The report (`memtax report`)"

    def ready(page: Any) -> None:
        page.wait_for_selector("html[data-ready=true]", timeout=90_000)
        # Above a figure that is photographed, what sticks to the window's edge would cover it.
        page.add_style_tag(content=".choices { position: static !important }")

    with gallery.open(url) as page:
        ready(page)
        gallery.keep(page, title, "report-found", "What was found comes first, in words made from the tables.")
        # A figure that is about as high as the window loses its last line.
        page.set_viewport_size({"width": 1280, "height": 1400})
        for name, figure, caption in (
            (
                "report-duplicates",
                "memorized-by-duplicates",
                "How likely windows are to be memorized, by their duplicates.",
            ),
            ("report-performance", "performance", "How well memorization is predicted, by category."),
            ("report-coefficients", "coefficients", "What weighs in the regressions."),
            ("report-search", "search", "The partition search."),
            ("report-attention", "attention", "How spread out attention is, by layer."),
        ):
            gallery.keep(page.locator(f"#figure-{figure}"), title, name, caption)
    with gallery.open(url, theme="dark") as page:
        ready(page)
        gallery.keep(page.locator("#figure-correlations"), title, "report-dark", "Correlations, in the dark theme.")
        gallery.keep(
            page.locator("#figure-distributions"),
            title,
            "report-distributions",
            "Distributions of memorized windows and others.",
        )
    with gallery.open(url, theme="light", width=390, height=844) as page:
        ready(page)
        page.locator("#figure-shares-by-checkpoint").scroll_into_view_if_needed()
        gallery.keep(page, title, "report-narrow", "On a telephone.")


def explorer(gallery: Gallery) -> None:
    """The explorer: what there is, a list of sequences, and two of them."""
    title = "The explorer (`memtax explore`)"
    with store.reading(gallery.database) as connection:
        dataset, model, revision = connection.execute(
            "select dataset, model, revision from features inner join dim_models using (model, revision) "
            "order by n_parameters desc, training_fraction desc, dataset limit 1"
        ).fetchone()  # type: ignore[misc]
        template, recited = (
            connection.execute(
                "select corpus, sequence_id, token_offset from features where dataset = ? and model = ? and revision = ? "
                f"and category = ? order by {order}, sequence_id limit 1",
                [dataset, model, revision, category],
            ).fetchone()
            for category, order in (
                ("reconstruction", "abs(greedy_match_length - 16)"),
                ("recitation", "memorized desc, abs(sequence_duplicates - 14)"),
            )
        )
    chosen = {"dataset": dataset, "model": f"{model}@{revision}"}
    listed = urlencode(
        chosen | {"column": "sequence_duplicates", "op": "le", "value": "5", "sort": "generation_perplexity"}
    )

    def address(key: tuple[str, int, int] | None) -> str:
        if key is None:
            raise SystemExit("gallery: the store has no sequence of both categories; photograph that of make demo")
        named = dict(zip(("corpus", "sequence_id", "token_offset"), key, strict=True))
        return f"{url}sequence?{urlencode(named | {'model': chosen['model']})}"

    with explored(gallery.database, "--port", "0") as process:
        url = address_of(process)
        with gallery.open(url, height=560) as page:
            gallery.keep(page, title, "explorer-overview", "How much each model has by heart; every number leads on.")
        with gallery.open(f"{url}sequences?{listed}") as page:
            gallery.keep(page, title, "explorer-list", "Rare sequences of one checkpoint, the best known first.")
        with gallery.open(address(template)) as page:
            gallery.keep(
                page, title, "explorer-sequence", "A sequence: what its tokens cost, the first miss, its places."
            )
        with gallery.open(address(recited), theme="dark", height=1000) as page:
            gallery.keep(page, title, "explorer-dark", "A recited one, in the dark theme.")
        with gallery.open(f"{url}sequences?{listed}", width=390, height=844) as page:
            gallery.keep(page, title, "explorer-narrow", "On a telephone.")


# Every page that people see. One of them that cannot be opened stops the gallery.
PAGES: tuple[Callable[[Gallery], None], ...] = (report, explorer)


def main() -> int:
    """Make all pictures and the page; returns the exit status."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m tests.browser.gallery", description=__doc__)
    parser.add_argument("--size", default=DEFAULT_SIZE, help="of the demo, whose store is photographed")
    parser.add_argument("--database", type=Path, help="photograph another store")
    given = parser.parse_args()
    small = project_folder() / FOLDER / given.size / DEFAULT_DATABASE
    database = given.database or (small if given.size != DEFAULT_SIZE else project_folder() / DEFAULT_DATABASE)
    program = installed_chromium()
    if program is None or not database.is_file():
        missing = "chromium is not installed" if program is None else f"there is no {database}: run make demo"
        print(f"gallery: {missing}", file=sys.stderr)
        return 1
    with store.reading(database) as connection:
        marts = ("feat_sequence_model__attention", "feat_sequence_model__token_log_probabilities")
        lacking = [name for name in marts if not connection.execute(f"select 1 from {name} limit 1").fetchone()]
    if lacking:
        command = f"{DATABASE_VARIABLE}={database} dbt run --vars '{VARS}'"
        print(f"gallery: {' and '.join(lacking)} of {database} has no rows; first run {command}", file=sys.stderr)
        return 1
    FIGURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
        gallery = Gallery(browser, database, Path(scratch))
        for photograph in PAGES:
            photograph(gallery)
        browser.close()
    PAGE.write_text(page_of(gallery.entries, given.size), encoding="utf-8")
    return 0


def page_of(entries: list[tuple[str, str, str]], size: str) -> str:
    """The gallery as Markdown."""
    given = "" if size == DEFAULT_SIZE else f" SIZE={size}"
    lines = [
        *("# Gallery", ""),
        f"Pictures of a demo's store, renewed by `make gallery{given}`. The store was made by `make demo{given}` and,",
        f"for tokens in colour, attention and prompts of several lengths, `dbt run --vars '{VARS}'`.",
    ]
    for section in dict.fromkeys(section for section, _, _ in entries):
        lines += ["", f"## {section}"]
        for _, file, caption in (entry for entry in entries if entry[0] == section):
            lines += ["", caption, "", f"![{caption}](figures/{file})"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
