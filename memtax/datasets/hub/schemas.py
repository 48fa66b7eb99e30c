"""What each published dataset is: its splits, its columns, and what memtax makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from memtax.errors import SourceError

Kind = Literal["windows", "features", "values", "token_frequencies"]
SIZES = ("70M", "160M", "410M", "1B", "1.4B", "2.8B", "6.9B", "12B")
INTEGER = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?")
NUMBER = re.compile(INTEGER.pattern + r"|DOUBLE|FLOAT")
INTEGER_LIST = re.compile(rf"({INTEGER.pattern})\[\d*\]")
BOOLEAN = re.compile("BOOLEAN")
TEXT = re.compile("VARCHAR")
TYPES = {"integer": INTEGER, "number": NUMBER, "integer list": INTEGER_LIST, "boolean": BOOLEAN, "text": TEXT}
_SCHEME = r"(?P<scheme>duped|deduped)"
_SIZE = r"(?P<size>[\d.]+[mb])"

_FEATURES = {
    "sequence_id": "integer",
    "is_incrementing": "boolean",
    "is_repeating": "boolean",
    "sequence_duplicates": "integer",
    "max_frequency": "integer",
    "avg_frequency": "number",
    "min_frequency": "integer",
    "median_frequency": "number",
    "p25_frequency": "number",
    "p75_frequency": "number",
    "nl_scores": "number",
    "huffman_coding_length": "number",
    "memorization_score": "number",
}
_PERPLEXITIES = ("loss", "prompt_perplexity", "generation_perplexity", "sequence_perplexity")
_MATCHES = ("0_8_snowclones", "0_9_snowclones", "0_8_templates", "0_9_templates")
_ALL_FEATURES = _FEATURES | dict.fromkeys(_PERPLEXITIES, "number") | dict.fromkeys(_MATCHES, "integer")


@dataclass(frozen=True)
class Published:
    """One published dataset.

    Attributes:
        repository: what its hub id matches; a group `scheme` says which Pile it is about.
        kind: how it is landed.
        split: what the names of its splits match; groups `scheme`, `size`, `step` and `matches` say what a split is of.
        columns: column -> the kind of its values, of those that must be there.
        values: of kind 'values': column -> the feature that it holds.
        of_model: the values are of a language model, named by the split or by the hub revision `{scheme}_{size}`.
    """

    repository: str
    kind: Kind
    split: str
    columns: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    of_model: bool = False


PUBLISHED = (
    Published(
        r"EleutherAI/pythia-memorized-evals",
        "windows",
        rf"{_SCHEME}\.{_SIZE}(\.(?P<step>\d+))?",
        {"index": "integer", "tokens": "integer list"},
        of_model=True,
    ),
    Published(
        rf"EleutherAI/pile-{_SCHEME}-pythia-random-sampled",
        "windows",
        r"train",
        {"Index": "integer", "Tokens": "integer list"},
    ),
    Published(
        # Of the Pile's held-out text, which no model has seen: neither scheme's corpus holds it.
        r"usvsnsp/pile-(?P<scheme>test)-sampled",
        "windows",
        r"train",
        {"sequence_id": "integer", "tokens": "integer list"},
    ),
    Published(
        r"usvsnsp/(generation-)?semantic-filters",
        "features",
        rf"(?P<rows>pile|memories)_{_SCHEME}_{_SIZE}",
        _ALL_FEATURES,
        of_model=True,
    ),
    Published(
        r"usvsnsp/semantic-filters-intermediate",
        "features",
        rf"(?P<rows>memories)_{_SCHEME}_{_SIZE}\.(?P<step>\d+)",
        _FEATURES,
        of_model=True,
    ),
    Published(
        r"usvsnsp/generation-num-duplicates",
        "values",
        _SCHEME,
        {"sequence_id": "integer", "counts": "integer"},
        {"counts": "sequence_duplicates"},
    ),
    Published(
        r"usvsnsp/pile-pythia-code-vs-nl-scores",
        "values",
        r"(?P<scheme>standard|deduped)",
        {"sequence_id": "integer", "nl_scores": "number"},
        {"nl_scores": "nl_score"},
    ),
    Published(
        r"usvsnsp/semantic-duplicates",
        "values",
        rf"{_SCHEME}_({_SIZE}_)?(?P<matches>snowclones|templates)",
        {"index": "integer", "0.8_frequencies": "integer", "0.9_frequencies": "integer"},
        {"0.8_frequencies": "paper_{matches}_0_8", "0.9_frequencies": "paper_{matches}_0_9"},
    ),
    Published(
        r"usvsnsp/semantic-memorization-entropies",
        "values",
        r"(?P<rows>memories|pile)",
        {"sequence_id": "integer", "avg entropy": "number", "avg gini": "number"},
        {
            "avg entropy": "paper_avg_entropy",
            "avg gini": "paper_avg_gini",
            "prompt_perplexity": "paper_prompt_perplexity",
            "generation_perplexity": "paper_generation_perplexity",
            "sequence_perplexity": "paper_sequence_perplexity",
        },
        of_model=True,
    ),
    Published(
        rf"usvsnsp/{_SCHEME}-num-frequencies",
        "token_frequencies",
        r"memorized|non_memorized",
        {"TokenID": "integer", "Frequency": "integer"},
    ),
)


@dataclass(frozen=True)
class Split:
    """One split of a published dataset, and what its name says.

    Attributes:
        published: the dataset.
        repository: its hub id.
        name: of the split.
        scheme: 'duped', 'deduped', or 'test' for the Pile's held-out text.
        model: `pythia-12b-deduped`, if the rows are of one.
        revision: its training step, 'main' if it is the last.
        named: every part of the names, as {'rows': 'memories', 'matches': 'templates', …}.
    """

    published: Published
    repository: str
    name: str
    scheme: str
    model: str | None
    revision: str
    named: Mapping[str, str]

    @property
    def corpus(self) -> str:
        """The name of its corpus, unless another is given."""
        return f"pile-{self.scheme}"

    @property
    def dataset(self) -> str:
        """The name of the dataset that it becomes, unless another is given."""
        rows = self.named.get("rows") or ("memories" if self.published.of_model else "pile")
        size = f"_{self.named['size']}" if "size" in self.named else ""
        step = f".{self.named['step']}" if "step" in self.named else ""
        return f"{rows}_{self.scheme}{size}{step}"


def find_split(repository: str, name: str, hub_revision: str | None = None) -> Split:
    """The split `name` of the published dataset `repository`.

    Args:
        repository: its hub id.
        name: of the split.
        hub_revision: the branch of the hub; of the entropies it names scheme and model.

    Raises:
        SourceError: no such dataset or split is known, or the model cannot be told.
    """
    published, named = _find_repository(repository)
    match = re.fullmatch(published.split, name)
    if match is None:
        raise SourceError(f"{repository} has no split {name!r}; its splits are named {_shown(published.split)}")
    named |= {key: value for key, value in match.groupdict().items() if value}
    if "scheme" not in named and hub_revision:
        branch = re.fullmatch(rf"{_SCHEME}_{_SIZE}", hub_revision)
        named |= branch.groupdict() if branch else {}
    if "scheme" not in named:
        raise SourceError(f"{repository} keeps each model on a branch of its own; name it, as --revision deduped_12b")
    scheme = "duped" if named["scheme"] == "standard" else named["scheme"]
    model = None
    if published.of_model and "size" in named:
        model = model_name(scheme, named["size"])
    revision = f"step{named['step']}" if "step" in named else "main"
    return Split(published, repository, name, scheme, model, revision, named)


def known_repositories() -> list[str]:
    """Every known hub id, alternatives written as {a,b}."""
    return [_shown(published.repository) for published in PUBLISHED]


def is_split_of(repository: str, name: str) -> bool:
    """Whether the published dataset has splits of that name."""
    published, _ = _find_repository(repository)
    return re.fullmatch(published.split, name) is not None


def model_name(scheme: str, size: str) -> str:
    """The name of Pythia's model of a size, as EleutherAI names it."""
    return f"pythia-{size.lower()}" + ("-deduped" if scheme == "deduped" else "")


def _find_repository(repository: str) -> tuple[Published, dict[str, str]]:
    for published in PUBLISHED:
        match = re.fullmatch(published.repository, repository)
        if match is not None:
            return published, {key: value for key, value in match.groupdict().items() if value}
    raise SourceError(
        f"{repository!r} is none of the published datasets that memtax knows: {', '.join(known_repositories())}. Files of "
        "another shape land with memtax ingest sequences or memtax ingest features"
    )


def _shown(pattern: str) -> str:
    text = (
        pattern.replace(_SIZE, "SIZE")
        .replace(_SCHEME, "{duped,deduped}")
        .replace("(?P<scheme>standard|deduped)", "{standard,deduped}")
    )
    text = (
        text.replace(r"(\.(?P<step>\d+))?", "[.STEP]")
        .replace(r"\.(?P<step>\d+)", ".STEP")
        .replace("(SIZE_)?", "[SIZE_]")
    )
    text = re.sub(r"\(\?P<\w+>([^)]*)\)", lambda m: "{" + m[1].replace("|", ",") + "}" if "|" in m[1] else m[1], text)
    return text.replace("(generation-)?", "[generation-]").replace("\\", "")
