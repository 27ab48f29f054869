"""What turns gradients into steps: AdamW and its rate over time.

Knows nothing of losses and data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

CLIP_NORM = 1.0
"""Longest gradient that a step follows, as is usual since GPT-3 (Brown et al. 2020, app. B)."""


def adamw(
    weights: Sequence[tuple[Sequence[Tensor], float]], weight_decay: float, few_bytes: bool
) -> Optimizer:
    """Return AdamW over weights.

    Args:
        weights: tensors to train, on one device, with their highest learning rates.
        weight_decay: as a share of the learning rate; matrices only: biases and normalisations
            are not decayed.
        few_bytes: keep the moments in 8 bits on a GPU. That is for whole models: an adapter's
            moments are small, and the same numbers are wanted on every machine.

    Returns:
        The optimiser, with one group of weights for each rate of learning and of decay.
    """
    import torch

    # Decay pulls towards zero: right for a matrix's entries, wrong for a factor that rests at one.
    groups: list[dict[str, Any]] = []
    for tensors, rate in weights:
        matrices = [w for w in tensors if w.dim() > 1]
        others = [w for w in tensors if w.dim() <= 1]
        groups.append({"params": matrices, "lr": rate, "weight_decay": weight_decay})
        groups.append({"params": others, "lr": rate, "weight_decay": 0.0})
    groups = [group for group in groups if group["params"]]
    # A CPU has no kernel for 8-bit moments.
    if few_bytes and groups[0]["params"][0].device.type == "cuda":
        from bitsandbytes.optim import AdamW8bit

        return AdamW8bit(groups)
    return torch.optim.AdamW(groups, fused=True)


def linear_schedule(total_steps: int, warmup_share: float) -> Callable[[int], float]:
    """Return the factor on the learning rate at each step: a linear rise, then a linear fall.

    Args:
        total_steps: of the whole training.
        warmup_share: share of them over which the rate rises.

    Returns:
        A function from a step, counted from 0, to what the highest rate is multiplied by.
    """
    warmup = max(1, round(total_steps * warmup_share))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (total_steps - step) / max(1, total_steps - warmup))

    return factor
