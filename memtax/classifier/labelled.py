"""Labelled texts in a CSV file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memtax.errors import SourceError

TEXT_COLUMN, LABEL_COLUMN = "text", "is_code"
LABELS = {
    "1": False, "true": False, "code": False,
    "0": True, "false": True, "nl": True, "natural language": True,
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """Texts, and which of them are natural language [n]."""

    texts: list[str]
    is_language: np.ndarray


def read_labelled(path: Path, text_column: str = TEXT_COLUMN, label_column: str = LABEL_COLUMN) -> Labelled:
    """Read a CSV file with a header; labels are 1, true or code, and 0, false, nl or natural language.

    Raises:
        SourceError: it is no such file, lacks a column, has another label, or labels of one class alone.
    """
    texts, labels = [], []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            for column in (text_column, label_column):
                if column not in (reader.fieldnames or ()):
                    raise SourceError(
                        f"{path} has no column {column!r}; its columns are {', '.join(reader.fieldnames or ()) or 'none'}: "
                        "name the right ones with --text-column and --label-column"
                    )
            for row in reader:
                label = (row[label_column] or "").strip().lower()
                if label not in LABELS:
                    raise SourceError(
                        f"{path}, line {reader.line_num}: {label_column} is {label!r}; expected one of "
                        f"{', '.join(LABELS)} (1 stands for code)"
                    )
                texts.append(row[text_column] or "")
                labels.append(LABELS[label])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    if len(set(labels)) < 2:
        raise SourceError(f"{path} has {len(labels)} rows and not both labels; precision and recall need some of each")
    return Labelled(texts, np.array(labels))
