"""What the tasks of a session did, from the event log that Spark writes with `--conf spark.eventLog.enabled=true`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Stage:
    """One stage that ran.

    Attributes:
        number: Spark's number of it.
        seconds: of each task that succeeded.
        shuffle_rows: rows that each task was sent by the stage before; where one is far larger than the others, data is skewed.
        written_bytes: bytes that each task left for the next stage.
        python_bytes: the most memory that the Python workers of one executor held together; 0 unless the session had
            `spark.executor.processTreeMetrics.enabled` and a `spark.executor.metrics.pollingInterval`.
        lost: tasks that failed or were lost with their executor, and ran again.
    """

    number: int
    seconds: list[float] = field(default_factory=list)
    shuffle_rows: list[int] = field(default_factory=list)
    written_bytes: list[int] = field(default_factory=list)
    python_bytes: int = 0
    lost: int = 0


def read_stages(folder: Path) -> list[Stage]:
    """The stages in a folder of event logs (`spark.eventLog.dir`), in the order in which they ended."""
    stages: dict[int, Stage] = {}
    for event in read_events(folder):
        if event.get("Event") != "SparkListenerTaskEnd":
            continue
        stage = stages.setdefault(event["Stage ID"], Stage(event["Stage ID"]))
        if event["Task End Reason"]["Reason"] != "Success":
            stage.lost += 1
            continue
        info, metrics = event["Task Info"], event.get("Task Metrics") or {}
        read = metrics.get("Shuffle Read Metrics", {})
        stage.seconds.append((info["Finish Time"] - info["Launch Time"]) / 1000)
        stage.shuffle_rows.append(read.get("Total Records Read", 0))
        stage.written_bytes.append(metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0))
        of_executor = event.get("Task Executor Metrics") or {}
        stage.python_bytes = max(stage.python_bytes, of_executor.get("ProcessTreePythonRSSMemory", 0))
    return list(stages.values())


def describe(stage: Stage) -> str:
    """One line: how many tasks, and the sizes of the largest and the smallest."""
    return (
        f"stage {stage.number}: {len(stage.seconds)} tasks ({stage.lost} lost), seconds {_span(stage.seconds)}, rows from the "
        f"stage before {_span(stage.shuffle_rows)}, bytes to the next {_span(stage.written_bytes)}"
    )


def read_events(folder: Path) -> Iterator[dict[str, Any]]:
    """Every event of the logs in a folder, in the order in which they were written."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("{"):
                    yield json.loads(line)


def _span(values: list[Any]) -> str:
    low, high = (min(values), max(values)) if values else (0, 0)
    return f"{low:,} to {high:,}"
