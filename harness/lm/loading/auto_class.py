"""Which of transformers' classes opens a model as one that writes text."""

from __future__ import annotations

from typing import Any


def auto_class(config: Any) -> Any:
    """Return transformers' auto class for a model.

    Args:
        config: the model's, of transformers.

    Returns:
        The class for encoder-decoder models; for causal ones; or, where a family has none of its
        own for text (Mistral 3, Qwen-VL), the one for images and text, which reads texts alone as
        well.
    """
    from transformers import (
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoModelForSeq2SeqLM,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    )

    if config.is_encoder_decoder:
        return AutoModelForSeq2SeqLM
    kind = config.model_type
    by_image = kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    if by_image and kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return AutoModelForImageTextToText
    return AutoModelForCausalLM  # of a family that it does not know, it says so itself
