"""Puts trainable weights on a model and keeps them on disk, through PEFT."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.errors import ModelError
from harness.lm.local_model import LanguageModel


def add_lora(
    lm: LanguageModel,
    rank: int,
    alpha: float,
    dropout: float,
    rank_stabilised: bool = False,
    decomposed: bool = False,
) -> int:
    """Put LoRA on every linear layer but the head, and make nothing else trainable.

    All layers, since attention alone falls behind full fine-tuning (Biderman et al. 2024,
    arXiv 2405.09673; Schulman 2025, "LoRA Without Regret").

    Args:
        lm: the model.
        rank: of each layer's update.
        alpha: the update is scaled by alpha/rank.
        dropout: share of an adapter's inputs that training leaves out.
        rank_stabilised: scale by alpha/√rank instead (Kalajdzievski 2023, arXiv 2312.03732).
        decomposed: learn direction and magnitude apart: DoRA (Liu et al. 2024, arXiv 2402.09353).

    Returns:
        The number of trainable weights.
    """
    from peft import LoraConfig

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules="all-linear",
        fan_in_fan_out=_keeps_weights_transposed(lm),
        use_rslora=rank_stabilised,
        use_dora=decomposed,
        task_type=_task_type(lm),
    )
    return _wrap(lm, config)


def add_ia3(lm: LanguageModel) -> int:
    """Put a trainable factor on every key, value and feed-forward input (IA³).

    Which layers those are is PEFT's table of architectures (Liu et al. 2022, arXiv 2205.05638).

    Returns:
        The number of trainable weights.

    Raises:
        ModelError: PEFT does not know the architecture.
    """
    from peft import IA3Config

    config = IA3Config(fan_in_fan_out=_keeps_weights_transposed(lm), task_type=_task_type(lm))
    try:
        return _wrap(lm, config)
    except ValueError as problem:
        kind = lm.model.config.model_type
        raise ModelError(
            f"IA³ knows no layers for a model of type '{kind}': {problem}"
        ) from problem


def train_all(lm: LanguageModel) -> int:
    """Make every weight trainable.

    Returns:
        The number of trainable weights.
    """
    lm.model.requires_grad_(True)
    return sum(weight.numel() for weight in lm.model.parameters())


def add_soft_prompt(
    lm: LanguageModel, kind: Literal["prompt", "prefix"], tokens: int, text: str = ""
) -> int:
    """Put trainable vectors before every sequence, and make nothing else trainable.

    Args:
        lm: the model.
        kind: "prompt": vectors before the first layer (Lester et al. 2021, arXiv 2104.08691);
            "prefix": keys and values in every layer (Li & Liang 2021, arXiv 2101.00190).
        tokens: how many vectors.
        text: words that the vectors begin as, repeated or cut to so many tokens: their embeddings,
            or their keys and values, which do better than random ones (Lester et al., section 3.2;
            Li & Liang, section 7.4); without, at random.

    Returns:
        The number of trainable weights.

    Raises:
        ModelError: the model has an encoder: PEFT cannot score from its kept output.
    """
    from peft import PrefixTuningConfig, PromptTuningConfig

    if lm.has_encoder:
        raise ModelError(f"{kind} tuning needs a decoder-only model, and '{lm.ref.name}' is none")
    config = {"prompt": PromptTuningConfig, "prefix": PrefixTuningConfig}[kind]
    trainable = _wrap(lm, config(num_virtual_tokens=tokens, task_type=_task_type(lm)))
    if text:
        ids = list(lm.tokenizer(text, add_special_tokens=False).input_ids) or [0]
        ids = (ids * (tokens // len(ids) + 1))[:tokens]
        {"prompt": _begin_with_embeddings, "prefix": _begin_with_keys_and_values}[kind](lm, ids)
    return trainable


def save_model(lm: LanguageModel, folder: Path, dtype: str) -> None:
    """Write all weights with their tokenizer, to be loaded by `load` like any model's folder.

    Args:
        lm: the model.
        folder: where to.
        dtype: what it will be served in, so that the artifact is no larger than that.
    """
    import torch

    lm.model.to(getattr(torch, dtype)).save_pretrained(folder)
    lm.tokenizer.save_pretrained(folder)


def save_adapter(lm: LanguageModel, folder: Path) -> None:
    """Write the adapter's weights and configuration, to be loaded by `load(…, adapter=folder)`."""
    lm.model.save_pretrained(folder)


def _begin_with_embeddings(lm: LanguageModel, ids: list[int]) -> None:
    """Set a soft prompt to the embeddings of tokens."""
    import torch

    [weight] = [w for w in lm.model.prompt_encoder.parameters() if w.requires_grad]
    words = lm.model.get_base_model().get_input_embeddings()
    with torch.no_grad():
        weight.copy_(words(torch.tensor(ids, device=weight.device)).to(weight.dtype))


def _begin_with_keys_and_values(lm: LanguageModel, ids: list[int]) -> None:
    """Set a prefix to what the model itself keeps of tokens."""
    import torch
    from peft import initialize_kv_prefix_from_past_key_values

    with torch.no_grad(), lm.model.disable_adapter():
        given = torch.tensor([ids], device=lm.model.device)
        kept = lm.model(given, use_cache=True).past_key_values
    initialize_kv_prefix_from_past_key_values(lm.model, past_key_values=kept)


def _wrap(lm: LanguageModel, config: object) -> int:
    from peft import get_peft_model

    lm.model = get_peft_model(lm.model, config)
    return sum(weight.numel() for weight in lm.model.parameters() if weight.requires_grad)


def _keeps_weights_transposed(lm: LanguageModel) -> bool:
    """Tell whether a model's linear layers are GPT-2's, as PEFT has to know."""
    from transformers.pytorch_utils import Conv1D

    return any(isinstance(module, Conv1D) for module in lm.model.modules())


def _task_type(lm: LanguageModel) -> str:
    return "SEQ_2_SEQ_LM" if lm.has_encoder else "CAUSAL_LM"
