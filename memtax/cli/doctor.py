"""`memtax doctor`: what is missing, and how to mend it."""

from __future__ import annotations

import click

MARKS = {"ok": "[green]✓[/]", "note": "[yellow]–[/]", "fault": "[red]✗[/]"}


@click.command()
def doctor() -> None:
    """Look at the installation, the project and the store, and say what is missing and how to mend it.

    Exits with 1 if something that is needed is missing.

    \b
    Example:
      memtax doctor
    """
    from rich.console import Console
    from rich.markup import escape

    from memtax.doctor import FAULT, examine

    console = Console(highlight=False, soft_wrap=True)
    findings = examine()
    for finding in findings:
        remedy = f" — {finding.remedy}" if finding.remedy else ""
        console.print(f"{MARKS[finding.level]} {escape(finding.subject)}: {escape(finding.detail)}{escape(remedy)}")
    faults = sum(finding.level == FAULT for finding in findings)
    if faults:
        raise click.ClickException(f"{faults} thing{'s' if faults > 1 else ''} to mend, marked ✗ above")
