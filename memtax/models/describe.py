"""What there is to know of a language model without loading its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memtax.corpus.checksums import blocks_checksum, content_checksum
from memtax.corpus.tokenizer import CorpusTokenizer, load_corpus_tokenizer
from memtax.errors import SourceError
from udf.detokenize import TOKENIZER_FILE
from udf.errors import UdfError
from udf.language_model.folders import CONFIG_FILE, has_weights, is_gguf, model_files
from udf.language_model.hub import fetch, is_hub_id, repository
from udf.language_model.loading import skeleton, vocabulary_size

DEFAULT_REVISION = "main"
# Reading every byte of a model larger than this takes minutes: blocks and the time of change stand for it.
WHOLE_CHECKSUM_LIMIT = 2**30


@dataclass(frozen=True)
class ModelDescription:
    """One revision of a model.

    Attributes:
        location: absolute path of the folder or GGUF file, or the hub id.
        n_parameters: trained numbers; those that two layers share count once, buffers not at all.
        vocabulary_size: token ids run from 0 to this, exclusive.
        architecture: the class in transformers.
        checksum: changes when the configuration or the weights do.
        is_hub: whether location is a hub id.
        tokenizer: of the model, as it lies beside the weights; None where none does.
    """

    location: str
    n_parameters: int
    vocabulary_size: int
    architecture: str
    checksum: str
    is_hub: bool
    tokenizer: CorpusTokenizer | None = None


def describe_model(location: str, revision: str = DEFAULT_REVISION, tokenizer: str | None = None) -> ModelDescription:
    """Find a model and describe it from its config.json, whose model is built without memory for the weights.

    The headers of the safetensors would not do for counting: published files hold attention masks, and both copies of
    a shared embedding.

    Args:
        location: a folder, a GGUF file, or a hub id.
        revision: a sub-folder of the folder that holds a model (else the folder itself is meant, if it is the only
            model there), or a branch, tag or commit on the hub. A file may go by any.
        tokenizer: of the model; by default the one that lies beside local weights or in the file.

    Raises:
        SourceError: no model is there, it has no safetensors, or transformers does not know it.
    """
    try:
        if is_hub_id(location):
            return _of_repository(location, revision, tokenizer)
        path = Path(location).expanduser()
        folder = path.resolve() if is_gguf(path) else _revision_folder(path, revision)
        files = model_files(folder)
        beside = folder if is_gguf(folder) else folder / TOKENIZER_FILE
        found = tokenizer or (str(beside) if beside.is_file() else None)
        return _description(str(folder), folder, _checksum(files), is_hub=False, tokenizer=found)
    except UdfError as error:
        raise SourceError(str(error)) from error


def _of_repository(hub_id: str, revision: str, tokenizer: str | None) -> ModelDescription:
    found = repository(hub_id, revision)
    if not has_weights(found.files):
        raise SourceError(
            f"{hub_id}@{revision} on the Hugging Face hub holds no safetensors (found: "
            f"{', '.join(sorted(found.files))}); other formats can run code and are not loaded"
        )
    folder = fetch(hub_id, revision, (CONFIG_FILE,))
    return _description(hub_id, folder, f"commit:{found.commit}", is_hub=True, tokenizer=tokenizer)


def _description(
    location: str, folder: Path, checksum: str, *, is_hub: bool, tokenizer: str | None
) -> ModelDescription:
    network = skeleton(folder)
    return ModelDescription(
        location=location,
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
        vocabulary_size=vocabulary_size(network),
        architecture=type(network).__name__,
        checksum=checksum,
        is_hub=is_hub,
        tokenizer=load_corpus_tokenizer(tokenizer) if tokenizer else None,
    )


def files_checksum(folder: Path) -> str:
    """The checksum of a model's folder, as `ModelDescription` has it, without building the model.

    Raises:
        UdfError: the folder holds no model.
    """
    return _checksum(model_files(folder))


def _checksum(files: list[Path]) -> str:
    sizes: dict[str, str | int | None] = {path.name: path.stat().st_size for path in files}
    if sum(path.stat().st_size for path in files) <= WHOLE_CHECKSUM_LIMIT:
        return content_checksum(files, sizes)
    return blocks_checksum(files, sizes | {f"{path.name} changed": path.stat().st_mtime_ns for path in files})


def _revision_folder(location: Path, revision: str) -> Path:
    if not location.is_dir():
        found = "is a file" if location.exists() else "does not exist"
        raise SourceError(
            f"no language model at {location.absolute()}: it {found}; expected a folder with {CONFIG_FILE} and "
            "safetensors, a .gguf file, or a Hugging Face hub id"
        )
    location = location.resolve()
    revisions = sorted(path.parent.name for path in location.glob(f"*/{CONFIG_FILE}"))
    if revision in revisions:
        return location / revision
    is_model = (location / CONFIG_FILE).is_file()
    # A folder with one model in it may go by any revision; beside others, a revision that is not there is a slip.
    if is_model and (revision == DEFAULT_REVISION or not revisions):
        return location
    if revisions:
        raise SourceError(
            f"{location} has no revision {revision!r}; its sub-folders with a model are {', '.join(revisions)}: name "
            "one of them with --revision"
        )
    if revision != DEFAULT_REVISION:
        folders = sorted(path.name for path in location.iterdir() if path.is_dir())
        raise SourceError(
            f"{location} has no sub-folder {revision!r} with a {CONFIG_FILE}, and is no model itself; its sub-folders "
            f"are {', '.join(folders) or 'none'}"
        )
    return location  # `model_files` says what is missing
