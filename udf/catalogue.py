"""The list of modules that declare UDFs: add a module here and every engine has its functions."""

from __future__ import annotations

from importlib import import_module

from udf.registry import Udf, registered

MODULES = (
    "udf.compression",
    "udf.detokenize",
    "udf.embedding",
    "udf.extraction",
    "udf.language_model",
    "udf.ngrams",
    "udf.nl_score",
    "udf.query_tables",
    "udf.run_counts",
    "udf.scan_progress",
    "udf.scratch",
    "udf.settings",
    "udf.similarity",
    "udf.templating",
    "udf.token_counts",
    "udf.token_frequencies",
    "udf.token_runs",
    "udf.tokenize",
)


def load_all() -> tuple[Udf, ...]:
    """Import every module of the list and return the UDFs that they declare, by name."""
    for module in MODULES:
        import_module(module)
    return registered()
