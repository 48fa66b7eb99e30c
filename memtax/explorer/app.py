"""The web application: which address shows what. Pages are made here, on the server, and work without scripts."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from memtax import store
from memtax.errors import MemtaxError, SelectionError, StoreError, StoreLockedError
from memtax.explorer import display, download, overview, selection, statements
from memtax.explorer.catalogue import NUMBER, Catalogue, CatalogueCache, label_of
from memtax.explorer.excerpts import excerpt
from memtax.explorer.filters import OPERATORS, WITHOUT_VALUE
from memtax.explorer.rows import Page, read_page
from memtax.explorer.security import LoopbackOnly, protect
from memtax.explorer.sequence import NOT_COMPUTED, asked, read_sequence
from memtax.explorer.tokens import LEVELS
from memtax.failures import in_words
from memtax.plain_text import printable
from udf.errors import UdfError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

log = logging.getLogger(__name__)


class Explorer:
    """The pages over one store.

    Args:
        database: the store's file; opened for each request, only to read, and closed again, so that dbt may write between.
        settings: the project's vars.
        described: what each column of the marts is.
    """

    def __init__(self, database: Path, settings: dict[str, Any], described: dict[str, str]) -> None:
        self._database = database
        self._settings = settings
        self._catalogues = CatalogueCache(database, described)
        self._described = described
        self._open: set[duckdb.DuckDBPyConnection] = set()
        self._templates = _templates()

    def stop(self) -> None:
        """End the queries that run, so that nobody who presses Ctrl-C waits for one."""
        for connection in tuple(self._open):
            connection.interrupt()

    @contextmanager
    def _reading(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Catalogue]]:
        with store.reading(self._database) as connection:
            self._open.add(connection)
            try:
                yield connection, self._catalogues.get(connection)
            finally:
                self._open.discard(connection)

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(
            self._templates.get_template(template).render(database=self._database.name, **values), status
        )

    def overview(self, request: Request) -> Response:
        """`/`: what the store holds."""
        with self._reading() as (_, catalogue):
            return self._page(
                "overview.html",
                title="Overview",
                catalogue=catalogue,
                lines=overview.lines(catalogue),
                categories=overview.categories_of(catalogue),
            )

    def sequences(self, request: Request) -> Response:
        """`/sequences`: rows of `features`, filtered and sorted."""
        chosen = selection.parse(request.query_params)
        canonical = chosen.query(after=chosen.after, before=chosen.before)
        # A form sends its empty fields too; the address that is kept and shared has none.
        if canonical != f"?{request.url.query}":
            return RedirectResponse(f"/sequences{canonical}", 303)
        with self._reading() as (connection, catalogue):
            try:
                page = read_page(connection, chosen, catalogue)
                statement = selection.statement(chosen, catalogue, chosen.size).readable
            except SelectionError as error:
                return self._rows(chosen, catalogue, Page([], 0), "", str(error), 400)
            return self._rows(chosen, catalogue, page, statement)

    def _rows(
        self,
        chosen: selection.Selection,
        catalogue: Catalogue,
        page: Page,
        statement: str,
        fault: str = "",
        status: int = 200,
    ) -> Response:
        return self._page(
            "sequences.html",
            status,
            title="Sequences",
            selection=chosen,
            catalogue=catalogue,
            page=page,
            columns=chosen.columns(catalogue),
            statement=statement,
            fault=fault,
            operators=OPERATORS,
            without_value=WITHOUT_VALUE,
            within=selection.TEXT_COLUMNS,
            memorized=selection.MEMORIZED,
            sizes=selection.PAGE_SIZES,
            keys=statements.KEYS,
            formats=tuple(download.MEDIA_TYPES),
            most_rows=download.MOST_ROWS,
        )

    def sequence(self, request: Request) -> Response:
        """`/sequence`: one of them, with the evidence."""
        wanted = asked(request.query_params)
        with self._reading() as (connection, catalogue):
            shown = read_sequence(connection, wanted, catalogue, self._settings)
        return self._page(
            "sequence.html",
            title=f"{wanted.corpus} {wanted.sequence_id}",
            asked=wanted,
            shown=shown,
            statement=statements.of_sequence(*wanted.key).readable,
            catalogue=catalogue,
            levels=LEVELS,
            not_computed=NOT_COMPUTED,
            described=self._described,
        )

    def download(self, request: Request) -> Response:
        """`/download/{format}`: the selection as a file."""
        name = request.path_params["format"]
        if name not in download.MEDIA_TYPES:
            raise HTTPException(404)
        with self._reading() as (connection, catalogue):
            path = download.write(connection, selection.parse(request.query_params), catalogue, name)
        return download.Handed(path, media_type=download.MEDIA_TYPES[name], filename=f"memtax-selection.{name}")

    def failed(self, request: Request, error: Exception) -> Response:
        """A page that says what is wrong, and what to do."""
        status, title = 500, "Something went wrong"
        if isinstance(error, StoreLockedError):
            status, title = 503, "The store is being written"
        elif isinstance(error, SelectionError):
            status, title = 400, "This cannot be asked"
        elif isinstance(error, StoreError):
            status, title = 404, "The store does not have that"
        elif isinstance(error, HTTPException):
            status, title = error.status_code, "There is no such page"
            error = MemtaxError(
                "The explorer has an overview, a list of sequences, and a page for each; all are only read."
            )
        elif isinstance(error, duckdb.InterruptException):
            # Only `stop` interrupts: nobody waits for this page any more, and nothing is wrong.
            status, title = 503, "The explorer has been stopped"
            error = MemtaxError("memtax explore ended before the page was read; start it again.")
        elif (words := in_words(error)) is not None:
            title = "This could not be done"
            log.error("%s %s: %s", request.method, request.url.path, printable(words))
            error = MemtaxError(f"{words[:1].upper()}{words[1:]}.")
        elif not isinstance(error, MemtaxError | UdfError):
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
            error = MemtaxError(f"{type(error).__name__}; memtax explore printed the details where it was started.")
        response = self._page("error.html", status, title=title, message=str(error), again=str(request.url))
        if status == 503:
            response.headers["Retry-After"] = "5"
        # Starlette answers what nobody foresaw outside of all middleware, where LoopbackOnly adds nothing.
        protect(response.headers)
        return response


def create_app(explorer: Explorer) -> Starlette:
    """The application, for uvicorn or for a test client."""
    return Starlette(
        routes=[
            Route("/", explorer.overview),
            Route("/sequences", explorer.sequences),
            Route("/sequence", explorer.sequence),
            Route("/download/{format}", explorer.download),
            Mount("/static", StaticFiles(packages=[("memtax.explorer", "static")])),
        ],
        middleware=[Middleware(LoopbackOnly)],
        exception_handlers={
            MemtaxError: explorer.failed,
            UdfError: explorer.failed,
            HTTPException: explorer.failed,
            duckdb.Error: explorer.failed,
            OSError: explorer.failed,
            Exception: explorer.failed,
        },
    )


def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("memtax.explorer"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "printable": printable,
        "visible": display.visible,
        "breakable": display.breakable,
        "tail": display.tail,
        "head": display.head,
        "value": display.value,
        "label": label_of,
    }
    templates.globals |= {"share": display.share, "NUMBER": NUMBER, "excerpt": excerpt}
    return templates
