"""A soft prompt behind which packed rows are computed: keys and values that no words stand for.

PEFT drops positions and masks when it puts its vectors before an input, so a packed row would be
computed wrongly. The engine takes only what was learnt from PEFT, and hands rows to the model
underneath, as behind any kept prefix. Knows nothing of how the vectors are learnt.
"""

from __future__ import annotations

from typing import Any


def soft_tokens(model: Any) -> int:
    """Return how many learnt vectors stand before every input of a model."""
    config: Any = getattr(model, "active_peft_config", None)
    return int(config.num_virtual_tokens) if getattr(config, "is_prompt_learning", False) else 0


def underneath(model: Any) -> Any:
    """Return the model that computes: without the soft prompt that PEFT would put before inputs."""
    return model.get_base_model() if soft_tokens(model) else model


def opening(model: Any) -> Any:
    """Return the keys and values that stand before every input, with their gradients if wanted.

    Args:
        model: a transformers causal model, or one in PEFT's hands.

    Returns:
        A cache for `past_key_values`, empty without a soft prompt. It is made without the model's
        config: sliding layers then keep everything, as cutting back needs.
    """
    from transformers import DynamicCache

    made = DynamicCache()
    if not soft_tokens(model):
        return made
    learnt = model.get_prompt(batch_size=1)
    if hasattr(learnt, "layers"):
        # Prefix tuning learns keys and values in every layer, [1, heads, soft tokens, width].
        for place, layer in enumerate(learnt.layers):
            made.update(layer.keys, layer.values, place)
    else:
        # Prompt tuning learns what stands before the first layer; a pass makes keys of it.
        embedded = learnt.to(model.dtype)  # [1, soft tokens, width]
        underneath(model)(
            inputs_embeds=embedded, past_key_values=made, use_cache=True, logits_to_keep=1
        )
    return made
