"""What a file is, by its name, and how it splits into code and natural language."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Comments and documentation strings: language for people inside a file for machines.
_C = r"/\*.*?\*/|//[^\n]*"
_HASH = r"(?:^|(?<=\s))#[^\n]*"
_PYTHON = r'"""(?:[^"\\]|\\.|"(?!""))*"""|' + _HASH
_POD = r"^=[a-z].*?^=cut$|" + _HASH
_COMMENTS = {
    "c": _C, "h": _C, "cc": _C, "cpp": _C, "cxx": _C, "hpp": _C, "cu": _C, "cuh": _C, "inl": _C, "tcc": _C, "td": _C,
    "js": _C, "mjs": _C, "cjs": _C, "ts": _C, "java": _C, "go": _C, "rs": _C, "cs": _C, "swift": _C, "kt": _C,
    "scala": _C, "php": _C, "css": _C, "scss": _C, "less": _C, "proto": _C, "m": _C, "mm": _C,
    "py": _PYTHON, "pyi": _PYTHON, "pyx": _PYTHON, "pxd": _PYTHON, "pl": _POD, "pm": _POD, "rb": _HASH, "jl": _HASH,
    "sh": _HASH, "bash": _HASH, "tcl": _HASH, "cmake": _HASH, "yaml": _HASH, "yml": _HASH, "toml": _HASH, "mk": _HASH,
    "cfg": _HASH, "ini": _HASH, "conf": _HASH, "awk": _HASH, "r": _HASH, "t": _HASH, "am": _HASH, "m4": r"dnl[^\n]*",
    "vim": r'^\s*"[^\n]*', "sql": r"--[^\n]*|" + _C, "f90": r"![^\n]*", "f": r"^[Cc*!][^\n]*", "el": r";[^\n]*",
    "lua": r"--[^\n]*", "hs": r"--[^\n]*", "asm": r";[^\n]*", "s": r"#[^\n]*", "tmac": r"\.\\\"[^\n]*",
    "html": r">[^<]*<", "htm": r">[^<]*<", "xml": r">[^<]*<|<!--.*?-->", "svg": r"<!--.*?-->", "xsl": r"<!--.*?-->",
    "pom": r"<!--.*?-->", "json": "", "csv": "", "dat": "", "dectest": _HASH, "symbols": "", "md5sums": "", "list": "",
    "au3": r";[^\n]*", "pc": "", "tex": r"%[^\n]*", "sty": r"%[^\n]*", "po": r'"[^"\n]*"', "in": _HASH, "def": "",
    "map": "", "service": _HASH, "desktop": "", "tp": "", "pyf": r"![^\n]*", "ps": r"%[^\n]*", "afm": "", "log": "",
}  # fmt: skip
_PROSE = {"txt", "md", "rst", "pod", "text", "markdown"}
_PROSE_NAMES = re.compile(
    r"^(readme|news|copyright|licen[cs]e|copying|authors|metadata|changelog|changes|notice|faq|todo|thanks|history|"
    r"contributing|install|(l?gpl|gfdl|apache|artistic|mpl|bsd|cc0)(-.*)?$)",
    re.IGNORECASE,
)
_MANUAL = re.compile(r".\.[1-9][a-z]*$")

# A cut text whose people's share is between these is both, and teaches neither.
LANGUAGE_SHARE = 0.85
CODE_SHARE = 0.6


@dataclass(frozen=True)
class Part:
    """A stretch of a file's text that is one of the two.

    Attributes:
        text: what a window may be cut from.
        kind: what it is for balance: windows are drawn alike from each kind.
        comments: where language for people stands in the text, as (start, end); None if all of the text is that.
    """

    text: str
    kind: str
    comments: tuple[tuple[int, int], ...] | None


def kind_of(name: str) -> str | None:
    """What a file of this name is: a suffix of a language, `prose`, `manual`, `translations`; None to leave it out."""
    lower = name.lower().removesuffix(".gz")
    suffix = lower.rpartition(".")[2]
    if lower.endswith(".mo"):
        return "translations"
    if _PROSE_NAMES.match(lower) and suffix not in _COMMENTS:
        return "prose"
    if suffix in _PROSE:
        return "prose"
    if suffix in _COMMENTS and "." in lower:
        return suffix
    if lower in ("makefile", "record", "cmakelists.txt"):
        return {"makefile": "mk", "record": "list", "cmakelists.txt": "cmake"}[lower]
    return "manual" if _MANUAL.search(lower) else None


def parts_of(kind: str, text: str) -> list[Part]:
    """The parts of a file's text that windows are cut from."""
    if kind == "prose":
        return [Part(_without_listings(text), "prose", None)]
    if kind == "manual":
        return [Part(_manual_page(text), "manual", None), Part(text, "roff", ())]
    if kind == "translations":
        return [Part(text, kind, None)]
    pattern = _COMMENTS[kind]
    flags = re.DOTALL | re.MULTILINE
    found = list(re.finditer(pattern, text, flags)) if pattern else []
    spans = tuple(match.span() for match in found)
    if kind in ("html", "htm", "xml"):
        # Markup counts as code however much text stands between its tags, unless it is nearly all text.
        return [Part(text, "html" if kind == "htm" else kind, spans), *_html_prose(kind, text)]
    parts = [Part(text, kind, spans)]
    long_comments = "\n".join(match.group() for match in found if len(match.group()) > 120)
    if long_comments:
        parts.append(Part(long_comments, "comments", None))
    return parts


def label_of(part: Part, start: int, end: int) -> int | None:
    """1 for natural language, 0 for code, None if the window is too mixed to tell."""
    if part.comments is None:
        return 1
    inside = sum(max(0, min(end, stop) - max(start, begin)) for begin, stop in part.comments)
    share = inside / (end - start)
    if share >= LANGUAGE_SHARE:
        return 1
    return 0 if share <= CODE_SHARE else None


def _without_listings(text: str) -> str:
    # Fenced blocks, and blocks that a line ending in :: or .. code-block:: introduces, and indented shell sessions.
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^\s*\.\. (code|code-block|sourcecode|highlight|image|math)::[^\n]*(\n([ \t]+[^\n]*)?)*", "\n", text,
                  flags=re.MULTILINE)  # fmt: skip
    text = re.sub(r"::\n\n(([ \t]+[^\n]*)?\n)+", ":\n", text)
    return re.sub(r"^\s*(>>>|\.\.\. |\$ |%% ?)[^\n]*\n", "", text, flags=re.MULTILINE)


def _manual_page(text: str) -> str:
    lines = [line for line in text.splitlines() if line and line[0] not in ".'"]
    return re.sub(
        r"\\(f[A-Z(\[]|&|\-|e|s[-+]?\d|\(..|\*\(..)", lambda m: "-" if m.group() == "\\-" else "", "\n".join(lines)
    )


def _html_prose(kind: str, text: str) -> list[Part]:
    from html import unescape

    if kind == "xml":
        return []
    text = re.sub(r"<(script|style|pre|code|head)\b.*?</\1>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    paragraphs = re.findall(r"<(p|li|td|h[1-6]|dd)\b[^>]*>(.*?)</\1>", text, flags=re.DOTALL | re.IGNORECASE)
    prose = "\n".join(re.sub(r"<[^>]*>", "", content) for _, content in paragraphs)
    return [Part(unescape(prose), "html text", None)] if len(prose) > 300 else []
