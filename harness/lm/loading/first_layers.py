"""The first layers of a model alone, in float32: as many as hold one of every kind.

The packing check runs them in the place of the whole model, which it would otherwise have to copy
in float32. When the `with` is left, the model is as it was before, to the bit. Knows nothing of
what is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

FEWEST_LAYERS = 2
"""Checked even of a model with one kind of layer: the second reads what the first has written."""

Read = Callable[..., "Tensor"]
"""Runs a model on keyword inputs; returns one vector for each of n positions, [n, width]."""


class CannotRunAloneError(Exception):
    """The first layers of a model cannot be run without the others."""


@contextmanager
def first_layers_alone(model: Any) -> Iterator[tuple[Read, str]]:
    """Take off all layers but the first of every kind, and read what the head is given.

    Yields:
        What runs them, and what is checked so, in words.

    Raises:
        CannotRunAloneError: the model's parts are not where they are looked for.
    """
    import torch

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder, head = base.get_decoder(), base.get_output_embeddings()
    if not hasattr(decoder, "config"):  # ModernBERT's decoder calls its head so
        decoder = base.base_model
    if decoder is base or head is None:
        raise CannotRunAloneError("the decoder or the head is not named")
    with ExitStack() as undone:
        checked = undone.enter_context(_shortened(decoder))

        # A table of embeddings may be the largest tensor of all, and looking up in it is exact. So
        # it stays as it is, and what is found in it is cast.
        tables = [part for part in decoder.modules() if isinstance(part, torch.nn.Embedding)]
        for table in tables:
            hook = table.register_forward_hook(lambda _, __, found: found.float())
            undone.callback(hook.remove)

        # All else that computes before the head: these layers, and the norms around them.
        kept = {id(weight) for part in (head, *tables) for weight in part.parameters()}
        others = [weight for weight in decoder.parameters() if id(weight) not in kept]
        undone.enter_context(float32(decoder.modules(), others))
        yield undone.enter_context(_head_inputs(model, head)), checked


@contextmanager
def _shortened(decoder: Any) -> Iterator[str]:
    """Leave a decoder the shortest beginning of its layers that holds every kind of them.

    Yields:
        How many these are, in words.
    """
    import torch

    found = layer_list(decoder)
    if found is None:
        raise CannotRunAloneError("they are in no list of their own")
    holder, name, layers = found
    kinds = [_kind(decoder.config, place, layer) for place, layer in enumerate(layers)]
    enough = 1 + max(kinds.index(kind) for kind in kinds)
    kept = min(len(layers), max(FEWEST_LAYERS, enough))
    setattr(holder, name, torch.nn.ModuleList(layers[:kept]))
    try:
        yield f"the first {kept} of {len(layers)} layers in float32"
    finally:
        setattr(holder, name, layers)


def layer_list(model: Any) -> tuple[Any, str, Any] | None:
    """Return a decoder's layers with the module that holds them and their name there.

    Args:
        model: a decoder, or a model with one.

    Returns:
        None where they are in no list of their own.
    """
    import torch

    number = getattr(model.config.get_text_config(decoder=True), "num_hidden_layers", None)
    for holder in model.modules():
        for name, layers in holder.named_children():
            if isinstance(layers, torch.nn.ModuleList) and len(layers) == number:
                return holder, name, layers
    return None


def _kind(config: Any, place: int, layer: Any) -> Any:
    """Return what tells a layer's kind: its type in the config, its parts and their settings.

    They show which layers hold experts, which have no positions, which look back how far and which
    read another's keys.
    """
    types = getattr(config.get_text_config(decoder=True), "layer_types", None)
    parts = tuple(
        (name, type(part).__name__, tuple(filter(_is_setting, sorted(vars(part).items()))))
        for name, part in layer.named_modules()
    )
    return (types[place] if types else None, parts)


def _is_setting(named: tuple[str, Any]) -> bool:
    """Tell whether an attribute is a truth value, a word or a number, but not the layer's own."""
    key, value = named
    own = "layer" in key or "idx" in key
    return isinstance(value, bool | str) or (isinstance(value, int) and not own)


@contextmanager
def _head_inputs(model: Any, head: Any) -> Iterator[Read]:
    """Read what a model's head is given, while it computes the logits of one position alone.

    Yields:
        What runs the model; it raises IndexError if the head is never reached.
    """
    given: list[Tensor] = []

    def catch(_: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        given.append(inputs[0][0])  # [1, n, width] → [n, width]
        return (inputs[0][:, :1].to(model.dtype), *inputs[1:])

    def read(**words: Any) -> Tensor:
        given.clear()
        model(**words)
        return given[-1]

    hook = head.register_forward_pre_hook(catch)
    try:
        yield read
    finally:
        hook.remove()


@contextmanager
def float32(modules: Iterable[Any], weights: Iterable[Any]) -> Iterator[None]:
    """Let modules and weights in half precision compute in float32 for a while."""
    import torch

    halves = (torch.float16, torch.bfloat16)
    kept = [(weight, weight.data) for weight in weights if weight.dtype in halves]
    quantised = [part for part in modules if getattr(part, "compute_dtype", None) in halves]
    computed = [part.compute_dtype for part in quantised]
    try:
        for weight, half in kept:
            weight.data = half.float()
        for part in quantised:
            part.compute_dtype = torch.float32
        yield
    finally:
        for weight, half in kept:
            weight.data = half
        for part, dtype in zip(quantised, computed, strict=True):
            part.compute_dtype = dtype
