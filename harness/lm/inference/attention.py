"""How a model is made to compute a token tree: ids, positions, attention masks, and spans of them.

Layers may look back by different amounts (all of the sequence, or a window of it), so each kind
gets a mask of its own. On a CPU a dense mask costs the whole square of a row that is mostly blocks
on the diagonal. So the row is cut into spans where its tree branches, and each span attends to just
the keys that any of its nodes sees. The spans travel on the mask itself: a layer that hands on
another mask, or has none, computes densely, which is exact too. On a GPU one dense call is faster
than several small ones. Knows nothing of what the row is for, nor of what is done with the logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.lm.inference.token_tree import TokenTree

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import NDArray
    from torch import Tensor

NAME = "token_tree"
"""Of `tree_attention` among transformers' attention implementations."""
FULL, SLIDING = "full_attention", "sliding_attention"
"""What transformers calls the kinds of layers that a mask can describe."""
SHORTEST_SPAN = 64
"""Nodes; below it a call of its own costs more than it saves."""
WORTH_SHARE = 0.6
"""Spans are used where they leave at most this share of the square to compute: gathering keys costs
something as well."""


# What a model is handed.


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
        dtype: torch's, of the masks; None: the model's.

    Returns:
        input_ids [1, n], position_ids [1, n], and attention_mask as `masks` makes it.
    """
    import torch

    ids = torch.tensor([tree.tokens], device=model.device)  # [1, n]
    positions = torch.tensor([tree.depths], device=model.device) + past  # [1, n]
    kinds = windows(model.config) or {}
    visible = {kind: tree.visible(past, window) for kind, window in kinds.items()}
    made = masks(model, visible, dtype)
    if model.device.type == "cpu":
        spans = spans_of(tree, past)
        for mask in made.values() if isinstance(made, dict) else [made]:
            mask.spans = spans  # read by `tree_attention`
    return {"input_ids": ids, "position_ids": positions, "attention_mask": made}


def masks(
    model: Any,
    visible: Mapping[str, NDArray[bool_] | Tensor],
    dtype: Any = None,
) -> Tensor | dict[str, Tensor]:
    """Return what to hand to a model as `attention_mask`.

    Args:
        model: a transformers causal model.
        visible: [queries, keys] bool for each kind of layer.
        dtype: torch's, of the masks; None: the model's.

    Returns:
        [1, 1, queries, keys] (0 or the lowest number of its format, which every attention
        implementation adds to its scores) where all layers are of one kind, else one for each.
    """
    import torch

    dtype = dtype or model.dtype
    lowest = torch.finfo(dtype).min
    made = {}
    for kind, seen in visible.items():
        mask = torch.zeros(seen.shape, dtype=dtype)  # [queries, keys]
        mask.masked_fill_(~torch.as_tensor(seen), lowest)
        made[kind] = mask[None, None].to(model.device)
    return made if len(made) > 1 else next(iter(made.values()))


# Attention span by span, on a CPU.


@dataclass(frozen=True)
class Span:
    """Neighbouring nodes of a row, and the keys that any of them sees."""

    first: int
    last: int
    """Exclusive."""
    keys: Tensor
    """[k] places in the row with its past, int64."""


def install(model: Any) -> None:
    """Let a model that uses PyTorch's fused attention take spans off its masks."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    if model.config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(NAME, tree_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def tree_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **words: Any,
) -> tuple[Tensor, None]:
    """Compute attention as transformers' "sdpa" does, span by span where the mask has spans.

    Args:
        module: the attention layer.
        query: [1, heads, n, width].
        key: [1, key heads, p + n, width]; p tokens of past come first.
        value: likewise.
        attention_mask: [1, 1, n, p + n], or None for plain causal attention.
        **words: what else transformers hands to an attention function.

    Returns:
        [1, n, heads, width], and None for the attention weights.
    """
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    # Spans fit no other row than theirs, and a position bias would have to be cut as they are.
    spans: tuple[Span, ...] = getattr(attention_mask, "spans", ())
    fits = bool(spans) and query.shape[2] == spans[-1].last
    if attention_mask is None or not fits or words.get("position_bias") is not None:
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **words)
        return output, None

    # Inside a span the mask still decides, since its nodes do not all see the same keys.
    outputs = []
    for span in spans:
        rows = slice(span.first, span.last)
        output, _ = sdpa_attention_forward(
            module,
            query[:, :, rows],  # [1, heads, nodes, width]
            key.index_select(2, span.keys),  # [1, key heads, k, width]
            value.index_select(2, span.keys),
            attention_mask[:, :, rows].index_select(3, span.keys),  # [1, 1, nodes, k]
            **words,
        )
        outputs.append(output)  # [1, nodes, heads, width]
    return torch.cat(outputs, dim=1), None


def spans_of(tree: TokenTree, past: int) -> tuple[Span, ...]:
    """Cut a row into spans, if that is worth it.

    Args:
        tree: the row's nodes; a sequence's new ones stand side by side.
        past: p tokens before the row, which all nodes see.

    Returns:
        Spans that hold every node once, in order; none where a dense call is better.
    """
    import torch

    # A node whose parent is not its neighbour begins another branch, which sees other keys.
    cuts = [0]
    for node, parent in enumerate(tree.parents):
        if parent != node - 1 and node - cuts[-1] >= SHORTEST_SPAN:
            cuts.append(node)
    if len(cuts) == 1:
        return ()

    # Of the nodes before it a span needs the ancestors of its own, and nothing else.
    spans = []
    for first, last in zip(cuts, [*cuts[1:], len(tree)], strict=True):
        before = sorted(_ancestors(tree, first, last))
        keys = [*range(past), *(past + node for node in before), *range(past + first, past + last)]
        spans.append(Span(first, last, torch.tensor(keys)))

    computed = sum((span.last - span.first) * len(span.keys) for span in spans)
    worth = computed <= WORTH_SHARE * len(tree) * (past + len(tree))
    return tuple(spans) if worth else ()


def _ancestors(tree: TokenTree, first: int, last: int) -> set[int]:
    """Return the nodes before `first` that nodes from there to `last` descend from."""
    found: set[int] = set()
    for node in range(first, last):
        parent = tree.parents[node]
        while 0 <= parent < first and parent not in found:
            found.add(parent)
            parent = tree.parents[parent]
    return found
