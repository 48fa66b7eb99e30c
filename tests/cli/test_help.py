"""Every command has help with an example, and stands in the README."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from memtax.cli import main
from tests.conftest import PROJECT


def commands(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += commands(command, (*prefix, name))
        else:
            found.append((*prefix, name))
    return found


@pytest.mark.parametrize("command", commands(main), ids=" ".join)
def test_help_shows_an_example_and_the_readme_names_it(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"memtax {' '.join(command)}" in result.output.split("Example", 1)[1]
    assert f"memtax {' '.join(command)}" in (PROJECT / "README.md").read_text(encoding="utf-8")
