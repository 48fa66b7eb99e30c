"""Which browser the tests and the gallery use, and how it is started."""

from __future__ import annotations

import shutil

# Names under which distributions install it.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Text is placed alike on all machines, for pictures that can be compared.
    "--font-render-hinting=none",
]


def installed_chromium() -> str | None:
    """Where chromium is, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
