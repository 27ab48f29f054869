"""How much memory a model's work takes, from its configuration alone.

Counts the tensors that PyTorch holds at once; tests hold the counts against measured memory. Knows
nothing of machines, budgets or weights on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Shape:
    """The sizes of a transformer that decide what its activations take."""

    layers: int
    hidden: int
    intermediate: int
    """Width of the feed-forward part, of all experts that a token visits."""
    keys_values: int
    """Width of a token's keys and values in one layer, together."""
    vocabulary: int


def shape(config: Any) -> Shape:
    """Read a model's sizes off its transformers config.

    Args:
        config: of any language model, encoder-decoder ones included: their decoder's sizes count.
    """
    config = config.get_text_config(decoder=True)
    hidden = config.hidden_size
    heads = max(of_layers(config, "num_attention_heads"))  # recurrent models have none
    head_width = max(of_layers(config, "head_dim")) or (hidden // heads if heads else 0)

    # The feed-forward part's width has three names, and where it has none it is GPT-2's. Models
    # whose layers differ name one width a layer; the widest decides what is held at once.
    named = (max(of_layers(config, name)) for name in ("intermediate_size", "n_inner", "d_ff"))
    inner = next(filter(None, named), 4 * hidden)
    return Shape(
        layers=config.num_hidden_layers,
        hidden=hidden,
        intermediate=inner * experts_of(config)[0],
        keys_values=2 * head_width * (max(of_layers(config, "num_key_value_heads")) or heads),
        vocabulary=config.vocab_size,
    )


def of_layers(config: Any, name: str) -> list[int]:
    """Return a size that layers may differ in.

    Args:
        config: of transformers, of the part that writes text.
        name: of the size.

    Returns:
        One number, or one a layer where they differ; 0 where the config has none.
    """
    try:
        found = getattr(config, name, None)
    except RuntimeError:  # transformers wants the layers asked one by one (Gemma 4's heads)
        found = [getattr(layer, name, None) for layer in config.per_layer_config]
    return [number or 0 for number in found] if isinstance(found, list | tuple) else [found or 0]


def experts_of(config: Any) -> tuple[int, int]:
    """Return how many experts a token visits in a layer, and how many there are; (1, 1) of none.

    Args:
        config: of transformers, of the part that writes text.
    """
    visited = ("num_experts_per_tok", "top_k_experts", "num_experts_per_token", "moe_topk")
    there = ("num_local_experts", "num_experts", "n_routed_experts")
    counts = []
    for names in (visited, there):
        found = (getattr(config, name, None) for name in names)
        counts.append(next((number for number in found if isinstance(number, int) and number), 1))
    return counts[0], max(counts)


def scoring_bytes_per_token(sizes: Shape, itemsize: int) -> int:
    """Return what computing one more token at once takes, with logits for it.

    One layer's activations live at a time: residual, normalised input, queries, keys and values
    (repeated to all heads), attention's output and the feed-forward part's three. The logits and
    their exponentials, in float32, outweigh them. Keys and values stay in every layer.

    Args:
        sizes: of the model.
        itemsize: bytes of one of its numbers; likewise below.
    """
    logits = sizes.vocabulary * (itemsize + 2 * FLOAT32_BYTES)
    return logits + generation_bytes_per_token(sizes, itemsize)


def generation_bytes_per_token(sizes: Shape, itemsize: int) -> int:
    """Return what one more token of a growing tree takes: only the rows' ends need logits."""
    layer = (8 * sizes.hidden + 3 * sizes.intermediate) * itemsize
    return layer + sizes.layers * sizes.keys_values * itemsize


def training_bytes_per_token(sizes: Shape, itemsize: int, checkpointing: bool) -> int:
    """Return what one more token in a training pass takes until its gradients are computed.

    Every layer keeps what its backward pass needs: two normalisations (input, and normalised in
    float32), queries, keys and values before and after rotation, attention's output and the
    feed-forward part's four; after Korthikanti et al. 2022, "Reducing Activation Recomputation
    in Large Transformer Models" (arXiv 2205.05198), section 4, without dropout and with fused
    attention. Checkpointing keeps a layer's input alone, and one layer whole at a time. Logits,
    their softmax and gradient count for every token, which is the most they can be.
    """
    # One layer's, normalised copies in float32 included.
    whole = (10 * sizes.hidden + 2 * sizes.keys_values + 4 * sizes.intermediate) * itemsize
    whole += 4 * sizes.hidden * FLOAT32_BYTES
    kept = sizes.layers * sizes.hidden * itemsize + whole if checkpointing else sizes.layers * whole
    return kept + sizes.vocabulary * (itemsize + 3 * FLOAT32_BYTES)


def logits_bytes_per_token(sizes: Shape, itemsize: int) -> int:
    """Return what the logits of one position take in training, as counted above."""
    return sizes.vocabulary * (itemsize + 3 * FLOAT32_BYTES)


def saved_bytes_per_layer(sizes: Shape, itemsize: int, every_weight: bool) -> int:
    """Return what a layer keeps of a token for its backward pass, without an adapter's own.

    The tensors that autograd saves, where memory is given back as soon as it is free (a GPU);
    counted with `torch.autograd.graph.saved_tensors_hooks` on a Llama of transformers: both
    normalisations' inputs in float32, queries, repeated keys and values, attention's output twice,
    the feed-forward part's four, and, if every weight is trained, both inputs of the products
    before and after their normalisation's weight. `training_bytes_per_token` is more cautious.
    """
    kept = 5 * sizes.hidden + 4 * sizes.intermediate + (4 * sizes.hidden if every_weight else 0)
    return 2 * sizes.hidden * FLOAT32_BYTES + kept * itemsize


def adapter_bytes_per_token(linear: Sequence[tuple[int, int]], itemsize: int, heap: bool) -> int:
    """Return what an addition to each linear layer's output keeps of a token, as LoRA's does.

    PEFT keeps adapters in float32, so in half precision each linear layer keeps a copy of its input
    in float32 for the backward pass. A CPU's heap keeps freed tensors between others; there each
    layer's addition to its output is measured to stay as well.

    Args:
        linear: (inputs, outputs) of the layers that have an adapter.
        itemsize: bytes of the model's numbers.
        heap: whether memory is glibc's.
    """
    copied = 0 if itemsize == FLOAT32_BYTES else 1
    return sum(FLOAT32_BYTES * (outputs * heap + copied * inputs) for inputs, outputs in linear)
