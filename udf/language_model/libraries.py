"""torch and transformers: imported only when a model is asked for, kept quiet, and asked for a device."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from udf.errors import UdfError

DEVICE_VARIABLE = "MEMTAX_DEVICE"
_WHERE = f"in {DEVICE_VARIABLE}, or with --device when registering the model"


def libraries() -> tuple[Any, Any]:
    """torch and transformers.

    Raises:
        UdfError: one of them is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise UdfError(
            f"language models need torch, transformers and safetensors ({error}): pip install 'memtax[models]'"
        ) from error
    return torch, transformers


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers' advice and progress bars off the terminal: what goes wrong is raised here."""
    log = transformers.utils.logging
    verbosity, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(verbosity)
        if bars:
            log.enable_progress_bar()


def check_device_name(name: str) -> None:
    """Refuse what is no name of a device; whether there is such a device is another question, and another machine's.

    Raises:
        UdfError: torch knows no such name, or torch is not installed.
    """
    if name != "auto":
        _device(libraries()[0], name)


def torch_device(torch: Any, name: str) -> Any:
    """The torch device of that name; 'auto' is CUDA where there is one, else the CPU.

    Raises:
        UdfError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = _device(torch, name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UdfError(
            f"there is no device {name}: torch {torch.__version__} finds {torch.cuda.device_count()} CUDA devices; name "
            f"another, or auto {_WHERE}"
        )
    return device


def _device(torch: Any, name: str) -> Any:
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise UdfError(f"{name} is not a torch device; expected auto, cpu or cuda {_WHERE}") from error


def empty_device_cache() -> None:
    """Give memory that torch keeps for later back to the device."""
    torch = sys.modules.get("torch")  # what was never imported holds no memory
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a device or on the processor."""
    # torch's allocator for the CPU, oneDNN, cuBLAS handles and what CUDA says late have no error class of their own. A
    # handle that is not initialized is one whose workspace found no memory.
    said = (
        "can't allocate memory",
        "std::bad_alloc",
        "could not create a primitive",
        "could not create a memory object",
        "CUDA error: out of memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "CUBLAS_STATUS_NOT_INITIALIZED",
    )
    torch = sys.modules.get("torch")
    return (
        isinstance(error, MemoryError)
        or (torch is not None and isinstance(error, torch.OutOfMemoryError))
        or (isinstance(error, RuntimeError) and any(words in str(error) for words in said))
    )


def first_line(error: Exception) -> str:
    """What an error says first, for a message of one line; its class where it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
