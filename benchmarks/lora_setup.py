"""What both sides of the training benchmark begin with: adapters, and a warm start."""

from __future__ import annotations

from typing import Any

from benchmarks.models import our_model
from harness.lm import LanguageModel

Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of its completion."""
BATCH = 8
RATE = 1e-3
RANK = 16
ALPHA = 32.0
SEED = 0


def adapted(dtype: str, device: str) -> LanguageModel:
    """Load the model with new adapters on it, which are the same in every process."""
    import torch

    from harness.lm import add_adapter
    from harness.toolkit import LoraParams, lora_adapter

    lm = our_model(device, dtype)
    torch.manual_seed(SEED)
    add_adapter(lm, lora_adapter(LoraParams(rank=RANK, alpha=ALPHA)))
    return lm


def start_size(model: Any) -> float:
    """Return the sum of all adapters' absolute weights: two equal starts have equal sums."""
    return float(
        sum(w.detach().double().abs().sum() for w in model.parameters() if w.requires_grad)
    )


def warm_up(model: Any) -> None:
    """Go forward and back once through a short row, and leave no trace."""
    import torch

    ids = torch.arange(5, 21, device=model.device)[None]
    model.train()
    model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    model.zero_grad(set_to_none=True)
    model.eval()
