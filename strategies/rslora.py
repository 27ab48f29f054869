"""Tune low-rank adapters scaled by alpha/√rank: rsLoRA (Kalajdzievski 2023, arXiv 2312.03732)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness import toolkit


class RsLora(toolkit.TunedStrategy):
    """LoRA of a high rank, scaled so that its rank does not slow it, merged for serving."""

    complexity = 4

    class Params(toolkit.LoraParams, toolkit.PromptedParams):
        """LoRA's but for rank and scale."""

        rank: int = Field(64, gt=0)
        """The paper's gain is at high ranks: with alpha/rank they learn no more than low ones."""
        alpha: float = Field(16.0, gt=0)
        """Scales by 2, as LoRA's default does at its rank, so LoRA's learning rate holds."""
        rank_stabilised: Literal[True] = True
        """What makes it rsLoRA."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return low-rank adapters scaled by alpha/√rank."""
        return toolkit.lora_adapter(params)
