"""How long an evaluated sequence is: the project's vars decide."""

from __future__ import annotations

from memtax.errors import ProjectError
from memtax.project import project_vars

DEFAULT_LENGTH = 32  # of prompt and continuation each, as in the paper


def window_length() -> int:
    """Tokens of an evaluated sequence: `prompt_length` + `continuation_length`.

    Raises:
        ProjectError: a var is not a positive whole number.
    """
    return prompt_length() + _length("continuation_length")


def prompt_length() -> int:
    """Tokens of the prompt: the var `prompt_length`.

    Raises:
        ProjectError: it is not a positive whole number.
    """
    return _length("prompt_length")


def _length(name: str) -> int:
    value = project_vars().get(name, DEFAULT_LENGTH)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ProjectError(
            f"the var {name} in dbt_project.yml is {value!r}, expected a positive whole number of tokens"
        )
    return value
