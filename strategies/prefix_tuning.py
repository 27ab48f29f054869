"""Tune keys and values before every input, in each layer (Li & Liang 2021, arXiv 2101.00190)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness import lm, log, search, toolkit


class PrefixTuning(toolkit.TunedStrategy):
    """Keys and values in every layer are trained; the model itself stays as it is."""

    complexity = 3

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make prefix tuning a fair arm."""

        tokens: int = Field(20, gt=0)
        """Virtual tokens; Li and Liang 2021 (arXiv 2101.00190) had from 10 to 200, by task."""
        learning_rate: float = Field(1e-2, gt=0, json_schema_extra=search(log(1e-3, 3e-2)))
        """Rates of full fine-tuning teach a prefix nothing (PEFT issues 710 and 869)."""
        checkpointing: Literal[False] | None = None
        """A prefix would be lost where activations are computed again."""
        epochs: int = Field(20, gt=0)
        """At the most. Vectors learn slower than weights: tens of thousands of steps in the paper,
        a thousand of 8 (20 epochs of 400 rows) for IA³ (Liu et al. 2022)."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return keys and values that begin as those of words.

        That does better than random ones (Li & Liang 2021, section 7.4).
        """
        return toolkit.AdapterSpec(
            name="prefix tuning",
            peft_config="PrefixTuningConfig",
            settings={"num_virtual_tokens": params.tokens},
            merges=False,
            soft_tokens=params.tokens,
            starts_as=_keys_and_values,
            recomputable=False,
            activation_bytes_per_token=toolkit.no_bytes_per_token,
        )


def _keys_and_values(model: lm.LanguageModel, ids: list[int]) -> None:
    """Set the prefix to what the model itself keeps of tokens."""
    import torch
    from peft import initialize_kv_prefix_from_past_key_values

    with torch.no_grad(), model.model.disable_adapter():
        given = torch.tensor([ids], device=model.model.device)  # [1, tokens]
        kept = model.model(given, use_cache=True).past_key_values
    initialize_kv_prefix_from_past_key_values(model.model, past_key_values=kept)
