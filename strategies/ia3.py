"""Tune factors on keys, values and feed-forward inputs: IA³ (Liu et al. 2022, arXiv 2205.05638)."""

from __future__ import annotations

from pydantic import Field

from harness import log, search, toolkit


class Ia3(toolkit.TunedStrategy):
    """A few thousand factors, trained on completions, merged into the weights for serving."""

    complexity = 3

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make IA³ a fair arm."""

        learning_rate: float = Field(3e-3, gt=0, json_schema_extra=search(log(1e-3, 1e-2)))
        """T-Few's (Liu et al. 2022)."""
        epochs: int = Field(20, gt=0)
        """At the most: T-Few's thousand steps of 8 are 20 epochs of 400 rows."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return the factors; which layers have them is PEFT's table of architectures."""
        return toolkit.AdapterSpec(
            name="IA³",
            peft_config="IA3Config",
            activation_bytes_per_token=toolkit.no_bytes_per_token,
        )
