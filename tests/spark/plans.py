"""The plans that ran, from Spark's event log: which parts of them, and how many rows came out of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memtax.spark.events import read_events


@dataclass(frozen=True)
class Node:
    """One operator of a plan: Spark's name of it, its text, and its rows."""

    name: str
    text: str
    rows: int


def plans_with(folder: Path, text: str) -> list[list[Node]]:
    """The operators of each query that ran with `text` in its final plan, and ran some task for it."""
    plans: dict[int, dict[str, Any]] = {}
    updates: dict[int, int] = {}
    for event in read_events(folder):
        # A later one replaces what Spark changed its mind about while the query ran.
        if event["Event"].endswith(("SparkListenerSQLExecutionStart", "SparkListenerSQLAdaptiveExecutionUpdate")):
            plans[event["executionId"]] = event["sparkPlanInfo"]
        elif event["Event"] == "SparkListenerTaskEnd":
            for value in event["Task Info"]["Accumulables"]:
                if value.get("Metadata") == "sql":
                    updates[value["ID"]] = updates.get(value["ID"], 0) + int(value.get("Update", 0))
    found = []
    for plan in plans.values():
        nodes = [_node(node, updates) for node in _flatten(plan)]
        if any(text in node.text for node in nodes):
            found.append(nodes)
    return found


def _flatten(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    # What is reused is told again below; it ran where it is first told.
    for child in [] if plan["nodeName"].startswith("Reused") else plan["children"]:
        yield from _flatten(child)


def _node(plan: dict[str, Any], updates: dict[int, int]) -> Node:
    rows = sum(
        updates.get(metric["accumulatorId"], 0)
        for metric in plan["metrics"]
        if metric["name"] == "number of output rows"
    )
    return Node(plan["nodeName"], plan["simpleString"], rows)
