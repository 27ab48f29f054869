"""Puts trainable weights on a model and keeps them on disk, through PEFT."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.lm.model import LanguageModel


def add_lora(lm: LanguageModel, rank: int, alpha: float, dropout: float) -> int:
    """Put LoRA on every linear layer but the head, and make nothing else trainable.

    All layers, since attention alone falls behind full fine-tuning (Biderman et al. 2024,
    arXiv 2405.09673; Schulman 2025, "LoRA Without Regret").

    Returns:
        The number of trainable weights.
    """
    from peft import LoraConfig
    from transformers.pytorch_utils import Conv1D

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules="all-linear",
        # GPT-2 keeps its weights transposed.
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in lm.model.modules()),
        task_type=_task_type(lm),
    )
    return _wrap(lm, config)


def add_soft_prompt(lm: LanguageModel, kind: Literal["prompt", "prefix"], tokens: int) -> int:
    """Put trainable vectors before every sequence, and make nothing else trainable.

    From here on the model runs unpacked: PEFT drops position ids for soft prompts, so a packed
    row would be computed at wrong positions. The record says so.

    Args:
        lm: the model.
        kind: "prompt": vectors before the first layer (Lester et al. 2021, arXiv 2104.08691);
            "prefix": keys and values in every layer (Li & Liang 2021, arXiv 2101.00190).
        tokens: how many vectors.

    Returns:
        The number of trainable weights.
    """
    from peft import PrefixTuningConfig, PromptTuningConfig

    config = {"prompt": PromptTuningConfig, "prefix": PrefixTuningConfig}[kind]
    unpack(lm, f"{kind} tuning")
    return _wrap(lm, config(num_virtual_tokens=tokens, task_type=_task_type(lm)))


def unpack(lm: LanguageModel, why: str) -> None:
    """Make a packed model compute single sequences from here on, and say so in the record."""
    if lm.path == "packed":
        lm.path = "plain"
        lm.note("engine", f"{why} runs unpacked: slower, the results are the same")


def save_adapter(lm: LanguageModel, folder: Path) -> None:
    """Write the adapter's weights and configuration, to be loaded by `load(…, adapter=folder)`."""
    lm.model.save_pretrained(folder)


def _wrap(lm: LanguageModel, config: object) -> int:
    from peft import get_peft_model

    lm.model = get_peft_model(lm.model, config)
    return sum(weight.numel() for weight in lm.model.parameters() if weight.requires_grad)


def _task_type(lm: LanguageModel) -> str:
    return "SEQ_2_SEQ_LM" if lm.path == "encoder_decoder" else "CAUSAL_LM"
