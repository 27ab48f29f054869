"""What a model is handed so that it computes a token tree: ids, positions and attention masks.

Layers may look back by different amounts (all of the sequence, or a window of it); each kind gets
a mask of its own. Knows nothing of what is done with the logits.
"""

from __future__ import annotations

from typing import Any

from harness.lm.inference.attention import spans_of
from harness.lm.inference.token_tree import TokenTree

FULL, SLIDING = "full_attention", "sliding_attention"
"""What transformers calls the kinds of layers that a mask can describe."""


def windows(config: Any) -> dict[str, int | None] | None:
    """Return how far each kind of layer looks back, in tokens (None: to the beginning).

    Args:
        config: of a transformers model.

    Returns:
        Kind of layer to its window; or None where a mask cannot describe the layers (recurrent
        or chunked ones).
    """
    config = config.get_text_config(decoder=True)
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or [SLIDING if window else FULL])
    if not kinds <= {FULL, SLIDING}:
        return None
    return {kind: window if kind == SLIDING else None for kind in sorted(kinds)}


def tree_inputs(model: Any, tree: TokenTree, past: int = 0, dtype: Any = None) -> dict[str, Any]:
    """Return the tensors that make a model compute a packed row.

    Args:
        model: a transformers causal model whose layers `windows` can tell.
        tree: n nodes.
        past: p tokens of kept prefix that stand before all nodes.
        dtype: of the masks; None: the model's.

    Returns:
        input_ids [1, n], position_ids [1, n], and attention_mask as `masks` makes it.
    """
    import torch

    ids = torch.tensor([tree.tokens], device=model.device)
    positions = torch.tensor([tree.depths], device=model.device) + past
    kinds = windows(model.config) or {}
    visible = {kind: tree.visible(past, window) for kind, window in kinds.items()}
    made = masks(model, visible, dtype)
    if model.device.type == "cpu":
        spans = spans_of(tree, past)
        for mask in made.values() if isinstance(made, dict) else [made]:
            mask.spans = spans  # see attention.py
    return {"input_ids": ids, "position_ids": positions, "attention_mask": made}


def masks(model: Any, visible: dict[str, Any], dtype: Any = None) -> Any:
    """Return what to hand to a model as `attention_mask`.

    Args:
        model: a transformers causal model.
        visible: [queries, keys] bool for each kind of layer.
        dtype: of the masks; None: the model's.

    Returns:
        [1, 1, queries, keys] (0 or the lowest number of the model's dtype, which every attention
        implementation adds to its scores) where all layers are of one kind, else one for each.
    """
    import torch

    dtype = dtype or model.dtype
    lowest = torch.finfo(dtype).min
    made = {}
    for kind, seen in visible.items():
        mask = torch.zeros(seen.shape, dtype=dtype)
        mask.masked_fill_(~torch.as_tensor(seen), lowest)
        made[kind] = mask[None, None].to(model.device)
    return made if len(made) > 1 else next(iter(made.values()))
