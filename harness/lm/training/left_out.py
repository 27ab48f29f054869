"""Linear layers that no adapter is put on, in any model: towers, routers, state-space projections.

Knows the structure of transformers' models, and no method.
"""

from __future__ import annotations

from typing import Any

from harness.errors import ModelError
from harness.lm.loading.first_layers import layer_list


def left_out(model: Any) -> list[str]:
    """Return the names of linear layers that adapters leave as they are.

    Args:
        model: of transformers, as it was loaded.

    Returns:
        Towers for images and sound and their projections, which no text reaches: they would never
        get a gradient. Routers of experts: some return more than one tensor, and a router that is
        tuned on few rows sends tokens astray. The last projection of state-space layers: fused
        kernels read its weight past the adapter (which PEFT refuses for the families it knows).
    """
    import torch

    parts = text_part(model)
    text = None if parts is None else set(map(id, parts))
    names = []
    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear):
            continue
        *path, last = name.split(".")
        parent = model.get_submodule(".".join(path))
        if (
            (text is not None and id(module) not in text)
            or "router" in (*path, last)
            or (last == "gate" and hasattr(parent, "experts"))
            or (last == "out_proj" and hasattr(parent, "A_log") and hasattr(parent, "D"))
        ):
            names.append(name)
    return names


def text_part(model: Any) -> list[Any] | None:
    """Return all modules that read and write text; None if the model has no others."""
    if model.config.is_encoder_decoder or model.config.get_text_config() is model.config:
        return None
    return [*model.get_decoder().modules(), model.get_output_embeddings()]


def below_share(model: Any, share: float) -> list[str]:
    """Return the names of linear layers below the upper share of a decoder's layers.

    Args:
        model: of transformers, as it was loaded.
        share: of its layers, counted from the last one down; 1: none is below.

    Raises:
        ModelError: the layers are in no list of their own.
    """
    import torch

    if share >= 1:
        return []
    found = layer_list(model)
    if found is None:
        kind = model.config.model_type
        raise ModelError(f"a model of type '{kind}' names no layers → leave `upper_share` out")
    layers = list(found[2])
    kept = max(1, round(share * len(layers)))
    below = {id(part) for layer in layers[: len(layers) - kept] for part in layer.modules()}
    return [
        name
        for name, part in model.named_modules()
        if isinstance(part, torch.nn.Linear) and id(part) in below
    ]
