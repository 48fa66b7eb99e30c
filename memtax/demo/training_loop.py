"""One model of the demo, trained on one thread of its own process.

One thread, because sums over several threads depend on how many there are, and because two threads that wait for each
other at every one of thousands of small operations crawl as soon as anything else wants a core. The models of a size
are trained side by side instead, which keeps as many cores busy.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memtax.demo.checkpoints import replacing, write_record
from memtax.demo.sizes import DemoSize, ModelShape

if TYPE_CHECKING:
    import torch

BETAS = (0.9, 0.95)
WARM_UP_STEPS = 100
# The learning rate falls to nothing over the last part of the training: what was seen settles in.
DECAY_SHARE = 0.4
SECONDS_BETWEEN_REPORTS = 10


def precision() -> str:
    """`bfloat16` where the processor computes in it, twice as fast; `float32` where it would be emulated."""
    import torch

    supported = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return "bfloat16" if any(getattr(torch.cpu, name, bool)() for name in supported) else "float32"


def train(tokens: np.ndarray, shape: ModelShape, size: DemoSize, place: Path, digest: str) -> None:
    """Train one model from scratch and leave its checkpoints in the folder `place`, recorded under `digest`."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # one bar for each saved file would drown the report below
    torch.set_num_threads(1)
    model = new_model(shape, size, tokens.shape[1])
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=shape.learning_rate, betas=BETAS, weight_decay=0.0, fused=True)
    sequences = torch.from_numpy(tokens.astype(np.int64))
    total = -(-len(sequences) // size.batch) * shape.epochs
    kept = {max(1, round(total * share)): share for share in size.checkpoints}
    half = precision() == "bfloat16"
    progress = _Progress(shape.name, total)
    progress.say(f"{n_parameters:,} parameters, {total:,} steps of {size.batch} sequences, {precision()}")
    shuffle = torch.Generator().manual_seed(size.seed)
    revisions = {}
    step = 0
    with replacing(place) as unfinished:
        for _ in range(shape.epochs):
            for batch in torch.randperm(len(sequences), generator=shuffle).split(size.batch):
                for group in optimizer.param_groups:
                    group["lr"] = shape.learning_rate * schedule(step, total)
                loss = _loss(model, sequences[batch], half)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                step += 1
                if step in kept:
                    model.save_pretrained(unfinished / f"step{step}")
                    revisions[f"step{step}"] = kept[step]
                progress.after(step, loss)
        write_record(unfinished, digest, revisions, n_parameters)
    progress.say(f"done in {progress.seconds():.0f} s")


def new_model(shape: ModelShape, size: DemoSize, sequence_length: int) -> Any:
    """An untrained GPT-NeoX of a shape: the same weights for the same seed."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(size.seed)
    config = GPTNeoXConfig(
        vocab_size=size.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.width,
        max_position_embeddings=sequence_length,
        bos_token_id=0,
        eos_token_id=0,
        hidden_dropout=0.0,
        attention_dropout=0.0,
    )
    # Over so few positions the plain attention is twice as fast as the fused one. The choice is not saved.
    return GPTNeoXForCausalLM._from_config(config, attn_implementation="eager")


def schedule(step: int, total: int) -> float:
    """The share of the full learning rate at a step: a short rise, a plateau, a straight fall to nothing."""
    warm_up = max(1, min(WARM_UP_STEPS, total // 20))
    return min(1.0, (step + 1) / warm_up, (total - step) / (DECAY_SHARE * total))


def _loss(model: Any, batch: torch.Tensor, half: bool) -> torch.Tensor:
    import torch

    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        hidden = model.gpt_neox(batch, use_cache=False).last_hidden_state[:, :-1]
        logits = model.get_output_embeddings()(hidden)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), batch[:, 1:].flatten())


class _Progress:
    """Says every few seconds how far one model is; stops the process when nobody waits for it any more."""

    def __init__(self, model: str, total: int) -> None:
        self.model = model
        self.total = total
        self.began = self.reported = time.monotonic()
        self.parent = os.getppid()

    def say(self, message: str) -> None:
        print(f"  {self.model}: {message}", flush=True)

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def after(self, step: int, loss: torch.Tensor) -> None:
        now = time.monotonic()
        if now - self.reported < SECONDS_BETWEEN_REPORTS:
            return
        if os.getppid() != self.parent:
            raise SystemExit("the demo that started this training is gone")
        self.reported = now
        left = (now - self.began) / step * (self.total - step)
        self.say(f"step {step:,} of {self.total:,}, loss {loss.item():.2f}, about {left:.0f} s left")
