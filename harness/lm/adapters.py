"""Puts trainable adapters on a model and keeps them on disk, through PEFT."""

from __future__ import annotations

from pathlib import Path

from harness.lm.model import LanguageModel


def add_lora(lm: LanguageModel, rank: int, alpha: float, dropout: float) -> int:
    """Put LoRA on every linear layer but the head, and make nothing else trainable.

    All layers, since attention alone falls behind full fine-tuning (Biderman et al. 2024,
    arXiv 2405.09673; Schulman 2025, "LoRA Without Regret").

    Returns:
        The number of trainable weights.
    """
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules="all-linear",
        # GPT-2 keeps its weights transposed.
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in lm.model.modules()),
        task_type="CAUSAL_LM",
    )
    lm.model = get_peft_model(lm.model, config)
    return sum(weight.numel() for weight in lm.model.parameters() if weight.requires_grad)


def save_adapter(lm: LanguageModel, folder: Path) -> None:
    """Write the adapter's weights and configuration, to be loaded by `load(…, adapter=folder)`."""
    lm.model.save_pretrained(folder)
