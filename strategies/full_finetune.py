"""Tune all weights of the model."""

from __future__ import annotations

from pydantic import Field

from harness import search, toolkit


class FullFinetune(toolkit.TunedStrategy):
    """Every weight is trained, in float32, and the whole model is the artifact."""

    complexity = 5

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make full fine-tuning a fair arm."""

        learning_rate: float | None = Field(
            None, gt=0, json_schema_extra=search([None, 1e-5, 1e-4, 3e-4])
        )
        """None: a tenth of an adapter's (Schulman 2025, "LoRA Without Regret"), see
        `toolkit.TuningParams`."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return the model's own weights; where they do not fit, LoRA may."""
        lora = toolkit.lora_adapter(toolkit.LoraParams())
        return toolkit.AdapterSpec(
            name="full fine-tuning",
            peft_config=None,
            activation_bytes_per_token=toolkit.no_bytes_per_token,
            lighter=(
                toolkit.Lighter("lora", lora),
                toolkit.Lighter("qlora", lora, four_bits=True),
            ),
        )
