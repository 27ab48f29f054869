"""Attention over a packed row on a CPU, without computing what its mask would throw away.

A row of several sequences is mostly blocks on the diagonal, but a dense mask costs the whole
square. So the row is cut into spans where its tree branches, and each span attends to just the
keys that any of its nodes sees. The spans travel on the mask itself: a layer that hands on
another mask, or has none, computes densely, which is exact too. On a GPU one dense call is faster
than several small ones. Knows nothing of what the row is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.lm.inference.token_tree import TokenTree

NAME = "token_tree"
SHORTEST_SPAN = 64
"""Nodes; below it a call of its own costs more than it saves."""
WORTH_SHARE = 0.6
"""Spans are used where they leave at most this share of the square to compute: taking keys
together costs something as well."""


@dataclass(frozen=True)
class Span:
    """Neighbouring nodes of a row, and the keys that any of them sees."""

    first: int
    last: int
    """Exclusive."""
    keys: Any
    """[k] places in the row with its past, as a tensor of int64."""


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
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **words: Any
) -> tuple[Any, None]:
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

    spans = getattr(attention_mask, "spans", ())
    if not spans or query.shape[2] != spans[-1].last or words.get("position_bias") is not None:
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **words)
        return output, None
    outputs = []
    for span in spans:
        rows = slice(span.first, span.last)
        output, _ = sdpa_attention_forward(
            module,
            query[:, :, rows],
            key.index_select(2, span.keys),
            value.index_select(2, span.keys),
            attention_mask[:, :, rows].index_select(3, span.keys),
            **words,
        )
        outputs.append(output)
    return torch.cat(outputs, dim=1), None


def spans_of(tree: TokenTree, past: int) -> tuple[Span, ...]:
    """Cut a row into spans, if that is worth it.

    Args:
        tree: the row's nodes; a sequence's new ones stand side by side.
        past: p tokens before the row, which all nodes see.
    """
    import torch

    cuts = [0]
    for node, parent in enumerate(tree.parents):
        if parent != node - 1 and node - cuts[-1] >= SHORTEST_SPAN:
            cuts.append(node)
    if len(cuts) == 1:
        return ()
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
