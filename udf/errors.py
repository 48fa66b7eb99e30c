"""What a UDF raises when it is handed something that it cannot work with."""

from __future__ import annotations


class UdfError(ValueError):
    """An argument of a UDF is unusable: the message says what came, what was expected and what to do."""
