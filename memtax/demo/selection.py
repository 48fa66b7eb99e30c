"""Which installed text goes into the demo's corpus, as lists that a person can read and change.

The demo wants a spread of duplication and kinds of text, all of it found rather than made:

    licences     the same few texts in dozens of packages: many duplicates (recitation)
    tables       counters and repeated units in generated sources: patterns (reconstruction)
    scripture    one text in several renderings: a few duplicates (recollection)
    code, notes  sources and package metadata: mostly a single copy, which a small model does not memorize
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from memtax.demo.installed import STDLIB


@dataclass(frozen=True)
class Passage:
    """A file, or a contiguous part of one, that becomes one document.

    Attributes:
        kind: the heading of the list above that it belongs to.
        origin: `stdlib` or a distribution.
        path: the file within the origin; `*.dist-info` is the distribution's metadata folder.
        characters: at most how many characters are taken, cut back to the end of a line; None takes all.
        start: the passage begins at the first occurrence of this text; None begins with the file.
    """

    kind: str
    origin: str
    path: str
    characters: int | None = None
    start: str | None = None


@dataclass(frozen=True)
class LicenceRule:
    """Every licence file of these distributions that has at most so many characters."""

    origins: tuple[str, ...]
    characters: int


@dataclass(frozen=True)
class Selection:
    """What goes into the corpus of one demo size.

    Attributes:
        licences: rules that pick whole licence files.
        passages: named files and parts of files.
        minimum_characters: with less text than this the demo's findings would not hold, so it refuses to start.
    """

    licences: tuple[LicenceRule, ...]
    passages: tuple[Passage, ...]
    minimum_characters: int


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Every distribution that the base install and the `demo` extra bring, directly or not.
DISTRIBUTIONS = _names(
    """
    agate annotated-doc annotated-types anyio attrs babel certifi charset-normalizer click colorama daff dbt-adapters
    dbt-common dbt-core dbt-duckdb dbt-extractor dbt-protos dbt-semantic-interfaces deepdiff duckdb filelock fsspec h11
    hf-xet huggingface-hub idna importlib-metadata isodate jinja2 joblib jsonschema jsonschema-specifications leather
    markdown-it-py markupsafe mashumaro mdurl more-itertools mpmath msgpack narwhals networkx numpy opentelemetry-api
    orderly-set packaging pathspec platformdirs protobuf pydantic pydantic-core pygments python-dateutil
    python-slugify pytimeparse pytz pyyaml referencing requests rich rpds-py safetensors scikit-learn
    setuptools shellingham six snowplow-tracker sqlparse sympy text-unidecode threadpoolctl torch tqdm
    transformers truststore typer typing-inspection urllib3 zipp
    """
)

# The Apache licence alone is 11,000 characters: these few carry it whole.
APACHE = _names(
    """
    dbt-adapters dbt-common dbt-core dbt-duckdb dbt-semantic-interfaces hf-xet huggingface-hub opentelemetry-api
    safetensors transformers
    """
)

MODULES = _names(
    """
    __future__ bisect calendar cmd code colorsys contextlib copy csv dis filecmp fileinput fnmatch fractions getopt
    getpass gettext glob graphlib hashlib heapq hmac keyword linecache locale mimetypes netrc numbers opcode operator
    pprint profile queue quopri random reprlib sched secrets selectors shelve shlex signal stat string stringprep
    struct symtable tabnanny textwrap this timeit token trace types weakref zipapp
    """
)

NOTES = _names(
    """
    attrs certifi click filelock idna jinja2 joblib networkx numpy packaging platformdirs pydantic pygments requests
    rich safetensors sqlparse tqdm typer urllib3
    """
)

RENDERINGS = ("plain_text", "plain_text_notes", "plain_text_readers", "html", "html_notes", "html_readers")

CONTROL_TABLES = ("iso8859_1", "iso8859_2", "iso8859_15", "koi8_t", "hp_roman8")


def _scripture(characters: int) -> tuple[Passage, ...]:
    return tuple(
        Passage("scripture", f"pythonbible-{version}", f"pythonbible_{version}/{name}_bible.py", characters, '"""')
        for version, names in (("kjv", RENDERINGS), ("asv", RENDERINGS[:3]))
        for name in names
    )


def _tables() -> tuple[Passage, ...]:
    return (
        *(Passage("tables", STDLIB, f"encodings/{name}.py", 2_000, r"    '\x7f'") for name in CONTROL_TABLES),
        *(Passage("tables", STDLIB, f"encodings/{name}.py", 1_500, r"    '\x00'") for name in ("mac_arabic", "cp720")),
        Passage("tables", "torch", "torch/include/ATen/Dispatch_v2.h", None, "#define AT_AP54("),
        Passage("tables", "torch", "torch/include/ATen/cpu/vec/vec512/vec512_int.h", 24_000),
        Passage("tables", "sympy", "sympy/parsing/latex/_antlr/latexlexer.py", 3_500, "def serializedATN"),
        Passage("tables", "sympy", "sympy/parsing/latex/_antlr/latexparser.py", 2_500, "def serializedATN"),
        Passage("tables", "sympy", "sympy/parsing/autolev/_antlr/autolevlexer.py", 3_500, "def serializedATN"),
        Passage("tables", "sympy", "sympy/parsing/autolev/_antlr/autolevparser.py", 2_500, "def serializedATN"),
        Passage("tables", "numpy", "numpy/lib/tests/test_arraypad.py", 30_000),
        Passage("tables", "idna", "idna/uts46data.py", 16_000),
    )


def _code(names: tuple[str, ...], characters: int) -> tuple[Passage, ...]:
    return tuple(Passage("code", STDLIB, f"{name}.py", characters) for name in names)


FULL = Selection(
    licences=(LicenceRule(DISTRIBUTIONS, 2_000), LicenceRule(APACHE, 12_000)),
    passages=(
        *_scripture(12_000),
        *_tables(),
        *_code(MODULES, 6_000),
        *(Passage("notes", name, "*.dist-info/METADATA", 2_500) for name in NOTES),
    ),
    minimum_characters=400_000,
)

SMALL = replace(
    FULL,
    licences=(LicenceRule(DISTRIBUTIONS, 1_200),),
    passages=(
        *_scripture(1_500),
        *(passage for passage in _tables() if passage.origin == "torch" and passage.start),
        *_code(MODULES[:12], 2_000),
    ),
    minimum_characters=40_000,
)
