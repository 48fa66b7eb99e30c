"""Vega, Vega-Lite and vega-embed as one script, so that the page needs no network."""

from __future__ import annotations

import vl_convert


def javascript() -> str:
    """The libraries, which set the globals `vegaEmbed`, `vegaLite` and `vega`; the same bytes for one version."""
    return vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub has no default
