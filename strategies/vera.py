"""Tune two vectors a layer around shared random matrices: VeRA (Kopiczko et al. 2023)."""

from __future__ import annotations

from pydantic import Field

from harness import toolkit


class Vera(toolkit.TunedStrategy):
    """A tenth of LoRA's trained weights, or fewer, merged into the weights for serving."""

    complexity = 4

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make VeRA (arXiv 2310.11454) a fair arm."""

        rank: int = Field(256, gt=0)
        """PEFT's default. One more costs a weight a layer, not a row of a matrix."""
        learning_rate: float = Field(1e-2, gt=0)
        """Ten times LoRA's, since vectors learn slower: a choice of ours."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return the vectors, on every linear layer but the head."""
        settings = {"r": params.rank, "target_modules": "all-linear"}

        def kept(linear: toolkit.Linear, itemsize: int, heap: bool) -> int:
            """Return what both vectors multiply, in float32; no layer's input is kept."""
            return sum(4 * (params.rank + outputs) for _, outputs in linear)

        return toolkit.AdapterSpec("VeRA", "VeraConfig", settings, activation_bytes_per_token=kept)
