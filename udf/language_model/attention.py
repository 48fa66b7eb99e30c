"""How spread out a model's attention is: entropy and Gini coefficient, by layer and head.

With a[i, j] the weight that position i of T gives to position j ≤ i, for every head, each row divided by its sum for the
first two (it is 1 but where a model has an attention sink, which takes a part of it and is no position):

    entropy        mean over the rows i ≥ 1 of −Σ_j a[i, j] log a[i, j] / log(i + 1): 0 where each position looks at one
                   other, 1 where it looks at all alike
    gini           mean over the rows i ≥ 1 of the Gini coefficient of a[i, 0 … i], times (i + 1) / i: 0 where it looks at
                   all alike, 1 where at one
    paper_entropy  −Σ_i Σ_j a[i, j] log(a[i, j] + 1e-8), summed over all rows, so that it grows with the length
    paper_gini     the Gini coefficient of all T² weights together, the zeros above the diagonal among them

The last two are the definitions of arXiv 2406.17746's code. Row 0 can only look at itself and says nothing.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np

from udf.language_model.loading import LanguageModel

STATISTICS = ("entropy", "gini", "paper_entropy", "paper_gini")


class AttentionRecorder:
    """Reduces each layer's attention as soon as the layer has computed it, so that one layer's is held at a time.

    A context manager around a forward pass of `rows` sequences; does nothing unless `wanted`.
    """

    def __init__(self, model: LanguageModel, wanted: bool, rows: int) -> None:
        self._model = model
        self._rows = rows
        self._wanted = wanted
        self._layers: list[Any] = []
        self._hooks: list[Any] = []

    def __enter__(self) -> AttentionRecorder:
        if self._wanted:
            modules = _attention_modules(self._model.network)
            self._hooks = [module.register_forward_hook(self._after_layer) for module in modules]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def statistics(self) -> np.ndarray | None:
        """float64 [n, layers, heads, len(STATISTICS)] of the pass that was made; None if it was not wanted.

        Without layers and heads where not every layer shows its attention, or they differ in heads: a recurrent model
        stands beside others whose attention is asked for, and what it does not have must not stop them.
        """
        if not self._wanted:
            return None
        layers = getattr(self._model.network.config, "num_hidden_layers", len(self._layers))
        if len(self._layers) != layers or len({layer.shape for layer in self._layers}) != 1:
            return np.empty((self._rows, 0, 0, len(STATISTICS)))
        import torch

        return torch.stack(self._layers, 1).double().cpu().numpy()

    def _after_layer(self, module: Any, inputs: Any, output: Any) -> None:
        weights = output[1] if isinstance(output, tuple) and len(output) > 1 else None
        if weights is not None and weights.dim() == 4 and weights.shape[-1] == weights.shape[-2]:
            self._layers.append(statistics(weights))


def _attention_modules(network: Any) -> list[Any]:
    """The modules that return attention weights second: transformers names them so; of nested ones (GPT-Neo) the inner."""
    named = [module for module in network.modules() if type(module).__name__.endswith("Attention")]
    return [module for module in named if not any(inner in named for inner in module.modules() if inner is not module)]


def statistics(weights: Any) -> Any:
    """The statistics of one layer's attention.

    Args:
        weights: a tensor [n, heads, T, T], rows summing to 1 or, with a sink, less; nothing above the diagonal.

    Returns:
        float32 tensor [n, heads, len(STATISTICS)]; NaN for the first two where T is 1.
    """
    import torch

    a = weights.float()
    length = a.shape[-1]
    visible = torch.arange(1, length + 1, device=a.device, dtype=torch.float32)
    shares = a / a.sum(-1, keepdim=True).clamp_min(1e-30)
    rows = torch.special.entr(shares).sum(-1)
    paper_entropy = -(a * (a + 1e-8).log()).sum((-1, -2))
    entropy = (rows[..., 1:] / visible[1:].log()).mean(-1)
    # Ascending, the zeros that stand for what a row cannot see come first, and weigh nothing.
    ascending = shares.sort(-1).values
    ranks = torch.arange(1, length + 1, device=a.device, dtype=torch.float32) - (length - visible[:, None])
    gini_rows = ((2 * ranks - visible[:, None] - 1) * ascending).sum(-1) / visible
    gini = (gini_rows[..., 1:] * visible[1:] / (visible[1:] - 1)).mean(-1)
    pooled = a.flatten(-2).sort(-1).values.double()
    n = pooled.shape[-1]
    order = 2 * torch.arange(1, n + 1, device=a.device, dtype=torch.float64) - n - 1
    paper_gini = (order * pooled).sum(-1) / (n * pooled.sum(-1))
    return torch.stack((entropy, gini, paper_entropy, paper_gini.float()), -1)
