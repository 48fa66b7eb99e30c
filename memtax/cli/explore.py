"""`memtax explore`: the store in a browser."""

from __future__ import annotations

import click

DEFAULT_PORT = 8640


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Of 127.0.0.1; 0 takes any that is free.",
)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the first page in a browser.")
def explore(port: int, browser: bool) -> None:
    """Browse the evaluated sequences in a web browser: filter, sort and search them, and look at the evidence for each.

    Serves this machine alone (127.0.0.1), and only reads: the store is opened for each page and closed again, so that dbt run
    may write meanwhile. Ctrl-C ends it.

    \b
    Examples:
      memtax explore
      memtax explore --port 9000 --no-browser
    """
    from memtax.errors import MissingExtraError, StoreError
    from memtax.export.descriptions import described_columns
    from memtax.project import database_path, project_folder, project_vars

    try:
        from memtax.explorer.app import Explorer
        from memtax.explorer.server import address_of, listen, serve
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise MissingExtraError("memtax explore", "explore") from error

    folder, database = project_folder(), database_path()
    if not database.is_file():
        raise StoreError(f"no database at {database}; run memtax ingest corpus first, or set MEMTAX_DATABASE")
    explorer = Explorer(database, project_vars(), described_columns(folder))
    listener = listen(port)
    click.echo(f"{database.name} is shown at {address_of(listener)} (Ctrl-C ends this)", err=True)
    serve(explorer, listener, browser=browser)
