"""Loading a causal language model once, and letting it go when another is asked for."""

from __future__ import annotations

import gc
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from udf.errors import UdfError
from udf.language_model.folders import CONFIG_FILE, is_gguf, model_files, model_folder
from udf.language_model.libraries import (
    DEVICE_VARIABLE,
    empty_device_cache,
    first_line,
    is_out_of_memory,
    libraries,
    quiet,
    torch_device,
)
from udf.language_model.probing import probe
from udf.settings import threads

DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class LanguageModel:
    """A loaded model, in evaluation mode.

    Attributes:
        name: how messages call it.
        network: the transformers model.
        device: the torch device that it lives on.
        vocabulary_size: token ids run from 0 to this, exclusive.
        max_positions: the longest sequence that it was made for, in tokens; None where the configuration does not say.
        splits: True if the logits are exactly the output embedding applied to the last hidden state, so that they can
            be computed for a few positions at a time.
        fitting_tokens: how many tokens to a batch fit into memory, by what is done with them; what never ran out of memory
            is not in it. Filled by `in_batches`.
    """

    name: str
    network: Any
    device: Any
    vocabulary_size: int
    max_positions: int | None
    splits: bool
    fitting_tokens: dict[str, int] = field(default_factory=dict, compare=False)


class _Cache:
    """Holds one model at a time: two would not fit where one just does."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._key: tuple[object, ...] | None = None
        self._model: LanguageModel | None = None

    @contextmanager
    def use(
        self, location: str, revision: str, dtype: str, device: str | None, attention: bool
    ) -> Iterator[LanguageModel]:
        with self._lock:
            yield self._get(location, revision, dtype, device, attention)

    def release(self) -> None:
        with self._lock:
            self._key = self._model = None
            gc.collect()
            empty_device_cache()

    def _get(self, location: str, revision: str, dtype: str, device: str | None, attention: bool) -> LanguageModel:
        folder = model_folder(location, revision)
        device = device or os.environ.get(DEVICE_VARIABLE) or "auto"
        # Size and time of the files are part of the key: a model that was trained on is not served as it was.
        stamps = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in model_files(folder))
        key = (str(folder), dtype, device, attention, stamps)
        if self._model is None or key != self._key:
            self.release()
            self._model = load(folder, dtype, device, name=_name(location, revision), attention=attention)
            self._key = key
        return self._model


_cache = _Cache()


def using_model(location: str, revision: str, dtype: str, *, device: str | None = None, attention: bool = False) -> Any:
    """A context manager that gives the model, loaded at most once; no other thread changes it inside.

    Args:
        location: a folder, a GGUF file or a hub id.
        revision: of a hub id; a folder is taken as it is.
        dtype: 'float32' or 'bfloat16'.
        device: 'auto', 'cpu', 'cuda', …; None leaves it to MEMTAX_DEVICE.
        attention: whether the model has to show its attention.

    Raises:
        UdfError: the model cannot be found or loaded (see `load`).
    """
    return _cache.use(location, revision, dtype, device, attention)


def release_model() -> None:
    """Let the loaded model go, and its memory with it."""
    _cache.release()


def skeleton(folder: Path) -> Any:
    """The model of a folder's config.json (or of a GGUF file) without weights: all tensors are on torch's `meta` device.

    Raises:
        UdfError: torch or transformers is missing, or transformers knows no such causal language model.
    """
    torch, transformers = libraries()
    with quiet(transformers):
        try:
            if is_gguf(folder):
                _require_gguf(folder)
                place, file = folder.parent, {"gguf_file": folder.name}
            else:
                place, file = folder, {}
            config = transformers.AutoConfig.from_pretrained(
                place, trust_remote_code=False, local_files_only=True, **file
            )
            # Which code computes is not the file's to say: it may name what is not installed, or a kernel to download.
            config._attn_implementation = config._experts_implementation = None
            config.return_dict = True
            with torch.device("meta"):
                return transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        except UdfError:
            raise
        # Numbers that make no sense fail wherever the architecture's code first uses them, and as what that code raises.
        except Exception as error:
            raise UdfError(
                f"transformers {transformers.__version__} cannot build a causal language model from "
                f"{folder if is_gguf(folder) else folder / CONFIG_FILE}: {first_line(error)}"
            ) from error


def vocabulary_size(network: Any) -> int:
    """How many token ids a transformers model knows: the rows of its input embedding."""
    return int(network.get_input_embeddings().weight.shape[0])


def max_positions(network: Any) -> int | None:
    """The longest sequence that a transformers model was made for, in tokens; None where its configuration does not say."""
    return getattr(network.config, "max_position_embeddings", None)


def load(folder: Path, dtype: str, device: str, *, name: str, attention: bool = False) -> LanguageModel:
    """Read a model's weights from its safetensors, or from a GGUF file, whose weights are dequantized.

    Args:
        folder: holds config.json and the safetensors; or the file.
        dtype: 'float32' or 'bfloat16'.
        device: 'auto' (CUDA where there is one, else the CPU) or a torch device.
        name: how messages call the model.
        attention: load it with the attention implementation that shows its weights, which is slower.

    Raises:
        UdfError: an unknown dtype or device, files that are missing or damaged, weights that do not cover the
            configuration or do not fit into memory, or a model that looks ahead.
    """
    if dtype not in DTYPES:
        raise UdfError(f"unknown dtype {dtype!r}; expected one of {', '.join(DTYPES)}")
    files = model_files(folder)
    blueprint = skeleton(folder)
    torch, transformers = libraries()
    target = torch_device(torch, device)
    if threads():
        torch.set_num_threads(threads())
    with _must_fit(name, target), quiet(transformers), _weights_of(folder, files) as (place, weights):
        # Before the load, which takes tensors out.
        small = {key for key, tensor in weights.get("state_dict", {}).items() if tensor.element_size() == 1}
        try:
            network, found = type(blueprint).from_pretrained(
                place,
                config=blueprint.config,
                dtype=getattr(torch, dtype),
                output_loading_info=True,
                **weights,
                **({"attn_implementation": "eager"} if attention else {}),
            )
        except ImportError as error:  # of a package that reads one kind of quantized weights
            raise UdfError(
                f"transformers {transformers.__version__} cannot load {name} here: {first_line(error)}; install what that "
                "asks for, or give its unquantized weights"
            ) from error
        except Exception as error:  # as in `skeleton`
            if is_out_of_memory(error):
                raise
            raise UdfError(f"the weights of {name} do not fit its config.json: {first_line(error)}") from error
        network = network.to(target).eval()
    unread = found["unexpected_keys"]
    # Masks, which old files hold, are small, too; they are not read, and a model may say so of them.
    ignored = network._keys_to_ignore_on_load_unexpected or ()
    if unread and any(not any(re.search(known, key) for known in ignored) for key in small.difference(unread)):
        # The scales are among what was not read. transformers only warns, and takes the integers for the weights.
        raise UdfError(
            f"{name} is quantized in a way that transformers {transformers.__version__} does not read: {min(unread)} goes "
            "unused; give its unquantized weights"
        )
    missing = sorted(found["missing_keys"])
    if missing:
        # transformers would fill them with random numbers.
        raise UdfError(
            f"the weights of {name} lack {len(missing)} tensors that its config.json asks for, {missing[0]} among "
            "them; copy the model again"
        )
    with _must_fit(name, target):
        splits = probe(network, name, vocabulary_size(network))
    return LanguageModel(
        name=name,
        network=network,
        device=target,
        vocabulary_size=vocabulary_size(network),
        max_positions=max_positions(network),
        splits=splits,
    )


@contextmanager
def _must_fit(name: str, device: Any) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UdfError(
            f"{name} does not fit into the memory of {device}; use a smaller model, dtype bfloat16 or another device"
        ) from error


@contextmanager
def _weights_of(folder: Path, files: list[Path]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Where from_pretrained finds the weights, and under which arguments.

    Neither way hands it the model's folder, which it would also search for adapters and for checkpoints in other formats,
    some of them pickles.
    """
    if not is_gguf(folder):
        yield None, {"state_dict": read_weights(files[1:])}
        return
    with tempfile.TemporaryDirectory() as alone:
        (Path(alone) / "model.gguf").symlink_to(folder)
        yield alone, {"gguf_file": "model.gguf"}


def _require_gguf(file: Path) -> None:
    missing = [name for name in ("gguf", "accelerate") if find_spec(name) is None]
    if missing:
        raise UdfError(f"reading {file} needs {' and '.join(missing)}: pip install 'memtax[models]'")


def read_weights(files: list[Path]) -> dict[str, Any]:
    """The tensors of safetensors files, by name.

    Raises:
        UdfError: a file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    weights: dict[str, Any] = {}
    for path in files:
        try:
            weights.update(load_file(path))
        except (SafetensorError, OSError) as error:
            raise UdfError(f"{path} is not a whole safetensors file: {first_line(error)}; copy it again") from error
    return weights


def _name(location: str, revision: str) -> str:
    return location if Path(location).expanduser().exists() else f"{location}@{revision}"
