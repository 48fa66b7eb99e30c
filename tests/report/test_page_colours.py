"""Colours: one for each thing, everywhere; far enough from the page to be seen, in both themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from memtax.report import charts
from memtax.report.page import resource
from tests.report.pages import Report

NAMES = {*charts.CATEGORIES, *charts.TEXT_KINDS, *charts.SIDES, *charts.PREDICTORS}
# WCAG 2.2: 1.4.3 for text, 1.4.11 for graphics.
TEXT, GRAPHICS = 4.5, 3.0


def palettes() -> dict[str, dict[str, str]]:
    found = {}
    for theme in ("light", "dark"):
        block = re.search(rf"{theme}: \{{(.*?)\n  \}},", resource("script/colours.js"), flags=re.DOTALL)
        assert block is not None
        found[theme] = {
            quoted or plain: value
            for quoted, plain, value in re.findall(r'(?:"([\w-]+)"|(\w+)): "(#[0-9a-f]{6})"', block[1])
        }
        found[theme]["ramp first"], found[theme]["ramp last"] = re.findall(r'ramp: \["(#\w+)", "(#\w+)"\]', block[1])[0]
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrasts_meet_wcag(theme: str) -> None:
    palette = palettes()[theme]
    for name in [*(name.replace(" ", "-") for name in NAMES), "ramp first", "ramp last"]:
        assert contrast(palette[name], palette["page"]) >= GRAPHICS, name
    for name in ("ink", "muted"):
        assert contrast(palette[name], palette["page"]) >= TEXT, name
    for name in ("low", "high"):
        assert contrast(palette[name], palette["on-strong"]) >= TEXT, name
    # Up to where labels change their colour, they stand on a mixture.
    for name in ("low", "high"):
        ends = [[int(palette[end][at : at + 2], 16) for at in (1, 3, 5)] for end in ("middle", name)]
        mixed = "#" + "".join(f"{round(a + 0.55 * (b - a)):02x}" for a, b in zip(*ends, strict=True))
        assert contrast(mixed, palette["ink"]) >= TEXT, name


def test_both_themes_have_the_same_names() -> None:
    light, dark = palettes().values()
    assert light.keys() == dark.keys()


def scales(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("range"), list) and isinstance(value.get("domain"), list):
            yield value
        for part in value.values():
            yield from scales(part)
    elif isinstance(value, list):
        for part in value:
            yield from scales(part)


def test_a_thing_has_one_colour_in_all_figures(report: Report) -> None:
    seen = set()
    for name, payload in report.parts.payloads.items():
        for scale in scales(payload["spec"]):
            for value, colour in zip(scale["domain"], scale["range"], strict=False):
                if value in NAMES and isinstance(colour, str) and colour.startswith("@"):
                    assert colour == f"@{value.replace(' ', '-')}", name
                    seen.add(value)
    assert seen >= {*charts.CATEGORIES[:3], *charts.SIDES, "baseline", "taxonomy", "code", "natural language"}


def test_numbers_on_strong_colours_have_the_ink_for_them(report: Report) -> None:
    (scale,) = [one for one in scales(report.parts.payloads["search"]["spec"]) if "@middle" in one["range"]]
    low, middle, high = scale["domain"]
    gains = [row["gain"] for row in report.parts.rows("search") if row["gain"] is not None]
    assert (-low, middle) == (high, 0) and high == max(gains) > 0
    assert f"abs(datum.gain) > {0.55 * high}" in str(report.parts.payloads["search"]["spec"])


def test_every_colour_is_known(report: Report) -> None:
    known = palettes()["light"]
    for payload in report.parts.payloads.values():
        for name in re.findall(r"'@([^']+)'", str(payload["spec"])):
            assert name in known or re.fullmatch(r"ramp:[\d.]+", name), name
