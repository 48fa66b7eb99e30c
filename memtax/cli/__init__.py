"""The command line: one module per command, loaded when it is called, so that `memtax --help` stays quick."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from memtax import __version__

# Command -> the module that holds it, under the command's own name.
COMMANDS = {
    "ingest": "memtax.cli.ingest",
    "sample": "memtax.cli.sample",
    "score": "memtax.cli.score",
    "merge": "memtax.cli.merge",
    "query": "memtax.cli.query",
    "count": "memtax.cli.count",
    "predict": "memtax.cli.predict",
    "explain": "memtax.cli.explain",
    "explore": "memtax.cli.explore",
    "classifier": "memtax.cli.classifier",
    "similar": "memtax.cli.similar",
    "report": "memtax.cli.report",
    "export": "memtax.cli.export",
    "spark": "memtax.cli.spark",
    "doctor": "memtax.cli.doctor",
}


class LazyCommands(click.Group):
    """A group that imports a command's module when the command is looked up, and turns memtax's errors into lines."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which one would use them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(COMMANDS[cmd_name]), cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run; an error that memtax raises on purpose, or the system or DuckDB has reason for, becomes one message on stderr."""
        from memtax.errors import MemtaxError
        from memtax.failures import in_words
        from udf.errors import UdfError

        try:
            return super().invoke(ctx)
        except (MemtaxError, UdfError) as error:
            raise click.ClickException(str(error)) from error
        except Exception as error:
            words = in_words(error)
            if words is None:
                raise
            raise click.ClickException(words) from error


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="memtax")
def main() -> None:
    """A feature store for language-model memorization.

    Land a corpus, register models, sample sequences, run dbt, and ask:

    \b
      memtax ingest corpus mine tokens.bin --sequence-length 2049 --tokenizer tokenizer.json
      memtax ingest model small ./model --corpus mine
      memtax sample representative --corpus mine --n 10000 --seed 1
      dbt run
      memtax query "select category, count(*) from features where memorized group by all"

    The database is memtax.duckdb in the project's folder, or the file that MEMTAX_DATABASE names.
    """
