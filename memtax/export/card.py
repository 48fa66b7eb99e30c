"""The dataset card: what `datasets` needs to load the tables, and what a reader needs to understand them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import yaml

from memtax.export.shards import WrittenTable

CITATION = """@article{recite-reconstruct-recollect,
  title = {Recite, Reconstruct, Recollect: Memorization in {LM}s as a Multifaceted Phenomenon},
  year = {2024},
  eprint = {2406.17746},
  archivePrefix = {arXiv}
}"""
DEFAULT_CONFIG = "features"
NAMED_TYPES = {pa.bool_(): "bool", pa.float64(): "float64", pa.float32(): "float32", pa.float16(): "float16"}


def card(
    written: Sequence[WrittenTable],
    *,
    title: str,
    license_id: str,
    note: str,
    facts: dict[str, Any],
    declared_vars: dict[str, Any],
    sources: Sequence[str],
) -> str:
    """README.md of the exported folder.

    Args:
        written: the tables.
        title: its heading.
        license_id: for the card's licence field, as the hub names licences.
        note: what is left out, if anything is.
        facts: how the export was made: version, schema, condition.
        declared_vars: the vars of the dbt project.
        sources: lines on what was measured: corpora and language models.
    """
    header = {"license": license_id, "tags": ["memorization", "memtax"], **_loading(written)}
    lines = [
        "---",
        yaml.safe_dump(header, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        f"# {title}",
        "",
        "Measures of what language models memorize of their training data, exported by memtax. Counts are exact; columns",
        "whose names begin with `paper_` follow the definitions of the cited paper as it was published.",
        *(["", note] if note else []),
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        f'load_dataset("OWNER/NAME", "{_default(written)}")  # or the path of this folder',
        "```",
        "",
        "## Tables",
        "",
        "| configuration | split | rows | files | bytes |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{w.table.config}` | `{w.table.split}` | {w.n_rows:,} | {len(w.files)} | {w.download_bytes:,} |"
        for w in written
    ]
    seen: set[str] = set()
    for w in written:
        if w.table.config not in seen:
            seen.add(w.table.config)
            lines += ["", f"### {w.table.config}", "", w.table.description]
            if w.table.sources:
                lines += ["", f"Made from {', '.join(f'`{source}`' for source in w.table.sources)}."]
            lines += ["", "| column | type | what it is |"]
            lines += ["| --- | --- | --- |"]
            lines += [
                f"| `{column.name}` | {column.type} | {_cell(w.table.columns.get(column.name, ''))} |"
                for column in w.schema
            ]
    lines += ["", "## How it was made", ""]
    lines += [f"- {name}: {_cell(str(value))}" for name, value in facts.items()]
    lines += [f"- {_cell(source)}" for source in sources]
    lines += ["", "The vars of the project (`dbt_project.yml`):", "", "```json"]
    lines += [json.dumps(declared_vars, indent=2, ensure_ascii=False, default=str), "```"]
    lines += ["", "## Citation", "", "```bibtex", CITATION, "```", ""]
    return "\n".join(lines)


def hub_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """The columns of a schema as `dataset_info` lists them."""
    return [{"name": column.name, **_feature(column.type)} for column in schema]


def _loading(written: Sequence[WrittenTable]) -> dict[str, Any]:
    configs: dict[str, list[WrittenTable]] = {}
    for table in written:
        configs.setdefault(table.table.config, []).append(table)
    default = _default(written)
    files, infos = [], []
    for name, splits in configs.items():
        paths = [{"split": w.table.split, "path": f"{name}/{w.table.split}-*.parquet"} for w in splits]
        files.append({"config_name": name, "data_files": paths, **({"default": True} if name == default else {})})
        infos.append(
            {
                "config_name": name,
                "features": hub_features(splits[0].schema),
                "splits": [{"name": w.table.split, "num_bytes": w.n_bytes, "num_examples": w.n_rows} for w in splits],
                "download_size": sum(w.download_bytes for w in splits),
                "dataset_size": sum(w.n_bytes for w in splits),
            }
        )
    return {"configs": files, "dataset_info": infos}


def _default(written: Sequence[WrittenTable]) -> str:
    names = [w.table.config for w in written]
    return DEFAULT_CONFIG if DEFAULT_CONFIG in names else names[0]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_fixed_size_list(kind):
        return {**_items(kind.value_type), "length": kind.list_size}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _items(kind.value_type)
    if pa.types.is_struct(kind):
        return {"struct": hub_features(pa.schema(list(kind)))}
    return {"dtype": NAMED_TYPES.get(kind, str(kind))}


def _items(kind: pa.DataType) -> dict[str, Any]:
    item = _feature(kind)
    return {"list": item.get("dtype") or item.get("struct") or item}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
