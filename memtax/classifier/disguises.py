"""Prose as it stands elsewhere: in a comment, with curly quotes, cited, quoted, shouted, in a list."""

from __future__ import annotations

import random
import re

# What begins each line of a comment. A licence in one is natural language.
MARGINS = ("// ", " * ", "# ", "## ", "-- ", "; ", "% ", "* ", "** ", "//", "> ", "dnl ", "!", ";; ", "REM ", "    ")
LINE = 72


def disguise(text: str, generator: random.Random) -> str:
    """The text, in seven of twenty cases changed in one way that leaves it natural language."""
    choice = generator.random()
    if choice < 0.12:
        return _comment(text, generator)
    if choice < 0.22:
        return _typeset(text)
    if choice < 0.26:
        return text.upper()
    if choice < 0.30:
        return _cited(text, generator)
    if choice < 0.33:
        return _quoted(text)
    if choice < 0.35:
        return re.sub(r"\s+", lambda match: match.group() if generator.random() < 0.5 else "    ", text)
    return text


def citation(generator: random.Random) -> str:
    """A reference as prose carries it: to a case, a statute, a paper, a figure or a page."""
    number = generator.randrange
    return generator.choice(
        (
            f"{number(10, 999)} F.{generator.choice('23')}d {number(10, 1500)} ({number(1, 11)}th Cir. {number(1950, 2020)})",
            f"{number(10, 600)} U.S. {number(1, 999)}, {number(1, 999)}-{number(10, 99)} ({number(1880, 2020)})",
            f"{number(5, 50)} U.S.C. § {number(100, 9999)}({generator.choice('abcde')})({number(1, 9)})",
            f"[{number(1, 90)}]", f"\\[[@B{number(1, 90)}],[@B{number(1, 90)}]\\]",
            f"(Fig. {number(1, 9)}{generator.choice('ABC')})",
            f"[@r{number(1, 60)}]", f"({number(1900, 2022)})", f"*p* \\< 0.{number(1, 99):02}", f"*et al*. {number(1980, 2022)}",
            f"<http://www.{generator.choice(('example', 'journal', 'news', 'archive'))}.org/{number(1000, 99999)}>",
            f"No. {number(10, 99)}-{number(100, 9999)}", f"${number(1, 900)},{number(100, 999)}", f"{number(1, 99)}%",
            "<|endoftext|>", f"*x* ~{number(1, 9)}~", f"{number(1, 12)}:{number(10, 59)} p.m.",
        )
    )  # fmt: skip


def _comment(text: str, generator: random.Random) -> str:
    margin = generator.choice(MARGINS)
    words, line, lines = text.split(), "", []
    for word in words:
        if len(line) + len(word) > LINE:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    return "\n".join(margin + line for line in [*lines, line])


def _typeset(text: str) -> str:
    text = re.sub(r"\"([^\"]{1,200})\"", "“\\1”", text)
    text = re.sub(r"(?<=\w)'(?=\w)", "’", text)
    return re.sub(r" --? ", " — ", text)


def _cited(text: str, generator: random.Random) -> str:
    return re.sub(
        r"(?<=[a-z][.,]) ",
        lambda match: f" {citation(generator)} " if generator.random() < 0.4 else match.group(),
        text,
    )


def _quoted(text: str) -> str:
    return " ".join(f'"{sentence.strip()}"' for sentence in re.split(r"(?<=[.!?;:,]) ", text) if sentence.strip())
