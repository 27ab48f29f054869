"""Tune low-rank adapters on every linear layer (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from harness import toolkit


class Lora(toolkit.TunedStrategy):
    """Low-rank adapters, trained on completions, merged into the weights for serving."""

    complexity = 4

    class Params(toolkit.LoraParams, toolkit.PromptedParams):
        """LoRA's; the defaults make it a fair arm."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return low-rank adapters."""
        return toolkit.lora_adapter(params)
