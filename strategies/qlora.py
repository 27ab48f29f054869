"""Tune low-rank adapters over weights of 4 bits (Dettmers et al. 2023, arXiv 2305.14314)."""

from __future__ import annotations

from harness import toolkit


class QLora(toolkit.TunedStrategy):
    """LoRA over a model in NF4 with double quantisation, served in 4 bits as well."""

    complexity = 5
    four_bits = True

    class Params(toolkit.LoraParams, toolkit.PromptedParams):
        """LoRA's; the defaults make it a fair arm."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return low-rank adapters."""
        return toolkit.lora_adapter(params)
