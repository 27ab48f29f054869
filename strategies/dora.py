"""Tune direction and magnitude of each layer apart: DoRA (Liu et al. 2024, arXiv 2402.09353)."""

from __future__ import annotations

from typing import Literal

from harness import toolkit


class Dora(toolkit.TunedStrategy):
    """Low-rank adapters for directions and a factor for each magnitude, merged for serving."""

    complexity = 4

    class Params(toolkit.LoraParams, toolkit.PromptedParams):
        """LoRA's, which the paper keeps for DoRA."""

        decomposed: Literal[True] = True
        """What makes it DoRA."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return low-rank adapters with magnitudes beside them."""
        return toolkit.lora_adapter(params)
