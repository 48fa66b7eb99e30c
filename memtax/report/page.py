"""The page: text, tables and charts in one HTML file that asks for nothing.

Whatever comes from the store is escaped: as text by the template, as data in JSON blocks that cannot end early. The page's own
content security policy allows two scripts, by their digests, and no connection at all, so that text which was mistaken for
markup still could not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup, escape

from memtax import __version__
from memtax.report.about import StaticTable
from memtax.report.figure import Figure, Section
from memtax.report.findings import Focus, Row
from memtax.report.tables import Answer, safe

LOADER = jinja2.FunctionLoader(lambda name: resource(name))
# Whatever else a figure without rows would need.
NO_MODEL = {
    "empty": "No model was evaluated.",
    "command": "memtax ingest model NAME LOCATION --corpus NAME, then dbt run",
}
# The parts of the page's own script, in the order in which they run.
SCRIPT = ("colours", "choices", "charts", "drawing", "numbers", "taking", "page")


@dataclass(frozen=True)
class Content:
    """What the page says.

    Attributes:
        findings: heading -> sentences, of the focus.
        focus: what the page opens with, before the reader chooses; None where no model is known.
        samples: the datasets to choose from.
        runs: the models and checkpoints to choose from, as rows of `sql/runs.sql`.
        left_out: names of those whose details are not on the page.
        taxonomy_of: the datasets that the taxonomy of those models is of, in words; nothing where that is not known.
        sections: in order.
        answers: question -> what it gave; a question whose marts are missing has none.
        missing: marts that the store lacks.
        about: the tables of the last section.
    """

    findings: Mapping[str, Sequence[str]]
    focus: Focus | None
    samples: Sequence[str]
    runs: Sequence[Row]
    left_out: Sequence[str]
    taxonomy_of: str
    sections: Sequence[Section]
    answers: dict[str, Answer]
    missing: set[str]
    about: Sequence[StaticTable]


def html(content: Content, libraries: str) -> str:
    """The page as text.

    Args:
        content: what it says.
        libraries: the script of `vega.javascript()`.
    """
    environment = jinja2.Environment(
        loader=LOADER,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        # Whatever is text, and not meant to be markup or to be run.
        finalize=lambda value: safe(value) if type(value) is str else value,
    )
    environment.filters |= {"cell": _cell, "as_is": escape}
    scripts = [libraries, behaviour()]
    return environment.get_template("page.html.jinja").render(
        content=content,
        version=__version__,
        policy=policy(scripts),
        style=Markup(resource("page.css")),  # noqa: S704
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        choices=embedded({"runs": [{"run": safe(row["run"]), "model": safe(row["model"])} for row in content.runs]}),
        figure_of=lambda figure: _figure(content, figure),
        answers=_answers(content),
    )


def resource(name: str) -> str:
    """A file that lies beside this module."""
    return files("memtax.report").joinpath(name).read_text(encoding="utf-8")


def behaviour() -> str:
    """The page's own script: its parts as one function, so that none of their names is seen outside it."""
    parts = "\n".join(resource(f"script/{name}.js") for name in SCRIPT)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def policy(scripts: Iterable[str]) -> str:
    """The content security policy that allows these scripts and no others, inline styles, and images made in the page."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data: blob:; font-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )


def embedded(value: Any) -> Markup:
    """JSON for a script block of type application/json: no character in it can end the block or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def _figure(content: Content, figure: Figure) -> dict[str, Any]:
    missing = [name for name in figure.needs if name in content.missing]
    answer = content.answers.get(figure.question)
    made = {"missing": missing, "sql": answer.sql if answer else None, "payload": None}
    if missing or answer is None:
        return made
    if not answer.rows:
        return made | ({"empty": figure.empty, "command": figure.command} if content.runs else NO_MODEL)
    answer = answer.shown()
    notes = {choice: figure.note(part) for choice, part in answer.by_choice(figure.follows).items()}
    payload = {
        "question": figure.question,
        "spec": _spec(figure, answer),
        "follows": list(figure.follows),
        "empty": figure.empty,
        # By what is chosen, as the page's script writes it.
        "notes": {"\n".join(map(str, choice)): note for choice, note in notes.items() if note},
    }
    return made | {"payload": embedded(payload)}


def _answers(content: Content) -> dict[str, Markup]:
    """The rows of each question that a figure shows, once, however many figures show them."""
    return {
        question: embedded({"columns": list(answer.columns), "rows": [list(row) for row in answer.shown().rows]})
        for question, answer in content.answers.items()
        if answer.rows
    }


def _spec(figure: Figure, answer: Answer) -> dict[str, Any]:
    spec: dict[str, Any] = figure.draw(answer).to_dict()
    # Altair's own theme and the address of its schema: the page has its themes, and asks for nothing.
    spec.pop("config", None)
    spec.pop("$schema", None)
    return spec


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
