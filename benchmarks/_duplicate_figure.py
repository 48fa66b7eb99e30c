"""The figure of docs/performance.md, from the figures of one run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def draw(figures: dict[str, Any], path: Path) -> None:
    """Draw each case against its limit and its peers, and the growth with tokens and with queries."""
    try:
        import matplotlib
    except ImportError:
        print("no figure: matplotlib is not installed (pip install 'memtax[bench]')", file=sys.stderr)
        return
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    plt.rcParams["svg.fonttype"] = "none"
    figure, (bars, tokens, queries) = plt.subplots(
        1, 3, figsize=(14, 4), layout="constrained", gridspec_kw={"width_ratios": [2, 1, 1]}
    )
    _draw_rates(bars, figures)
    _draw_tokens(tokens, figures["growth"])
    _draw_queries(queries, figures["growth"])
    figure.savefig(path)
    plt.close(figure)


def _draw_rates(axes: Any, figures: dict[str, Any]) -> None:
    names, rates, colours = [], [], []
    for case in figures["cases"]:
        reading = figures["tokens"] / case["reading_ms"] / 1e3
        names += [f"reading ({case['case']})", f"memtax ({case['case']})"]
        rates += [reading, case["mtokens_per_s"]]
        colours += ["lightgrey", "tab:blue"]
        for peer in figures["peers"]:
            if peer["case"] == case["case"] and not isinstance(peer["mtokens_per_s"], str):
                names.append(peer["peer"])
                rates.append(peer["mtokens_per_s"])
                colours.append("tab:orange")
    axes.barh(range(len(rates)), rates, color=colours)
    axes.set_yticks(range(len(rates)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("million tokens a second, building included")


def _draw_tokens(axes: Any, rows: list[dict[str, Any]]) -> None:
    rows = [row for row in rows if row["queries"] == rows[0]["queries"]]
    rows = sorted({row["tokens"]: row for row in rows}.values(), key=lambda row: row["tokens"])
    tokens = [row["tokens"] for row in rows]
    axes.plot(tokens, [row["scan_ms"] / 1e3 for row in rows], "o-", label="scan")
    axes.plot(tokens, [row["reading_ms"] / 1e3 for row in rows], "s--", color="grey", label="reading")
    axes.set(xscale="log", yscale="log", xlabel=f"tokens ({rows[0]['queries']:,} queries, no hits)", ylabel="seconds")
    axes.legend()


def _draw_queries(axes: Any, rows: list[dict[str, Any]]) -> None:
    tokens = rows[-1]["tokens"]
    rows = [row for row in rows if row["tokens"] == tokens][
        1:
    ]  # the first of that many tokens belongs to the growth by tokens
    queries = [row["queries"] for row in rows]
    axes.plot(queries, [row["scan_ms"] / 1e3 for row in rows], "o-", label="scan")
    axes.plot(queries, [row["build_ms"] / 1e3 for row in rows], "^-", color="tab:orange", label="building the table")
    axes.set(xscale="log", yscale="log", xlabel=f"queries ({tokens:,} tokens, no hits)", ylabel="seconds")
    axes.legend()
