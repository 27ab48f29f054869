"""Counts the useful operations of a decoder, for shares of a machine's own rate.

After Chowdhery et al. 2022 (PaLM, arXiv 2204.02311), appendix B, with two differences. Attention
is counted where a causal block needs it, tokens at or before each token, not over the whole
length. And training adapters needs no gradient of the frozen weights: 4N a token instead of 6N.
Padding, recomputation and the adapters' own products count as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shape:
    """What decides how many operations a token costs."""

    weights: int
    """N: all but the embedding and the head."""
    layers: int
    attention_width: int
    """Heads × width of a head."""
    hidden: int
    vocabulary: int


def shape_of(model: Any) -> Shape:
    """Read the shape off a transformers causal model, before adapters are put on it."""
    config = model.config
    outside = {
        id(part.weight)
        for part in (model.get_input_embeddings(), model.get_output_embeddings())
        if part is not None
    }
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return Shape(
        weights=sum(w.numel() for w in model.parameters() if id(w) not in outside),
        layers=config.num_hidden_layers,
        attention_width=heads * width,
        hidden=config.hidden_size,
        vocabulary=config.vocab_size,
    )


def forward_operations(shape: Shape, lengths: Sequence[int], logit_rows: int) -> int:
    """Return the operations of a forward pass: 2N a token + attention + head.

    Args:
        shape: of the model.
        lengths: tokens of each block; a token attends to its own block alone.
        logit_rows: positions whose logits are taken.
    """
    return (
        2 * shape.weights * sum(lengths)
        + _attention(shape, lengths)
        + 2 * shape.hidden * shape.vocabulary * logit_rows
    )


def lora_operations(shape: Shape, lengths: Sequence[int], logit_rows: int) -> int:
    """Return the operations of one pass forward and back through frozen weights.

    Going back costs a frozen product as much as going forward (the gradient of its input alone),
    and attention twice as much (gradients of both factors of both products).

    Args:
        shape: of the model.
        lengths: tokens of each block.
        logit_rows: positions whose loss is taken.
    """
    return (
        4 * shape.weights * sum(lengths)
        + 3 * _attention(shape, lengths)
        + 4 * shape.hidden * shape.vocabulary * logit_rows
    )


def _attention(shape: Shape, lengths: Sequence[int]) -> int:
    """Return 4 × width × context for each token and layer: scores, and the sum that they weigh."""
    contexts = sum(length * (length + 1) // 2 for length in lengths)
    return 4 * shape.layers * shape.attention_width * contexts
