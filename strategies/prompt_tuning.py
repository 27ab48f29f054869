"""Tune a few vectors that stand before every input (Lester et al. 2021, arXiv 2104.08691)."""

from __future__ import annotations

from pydantic import Field

from harness import lm, log, search, toolkit


class PromptTuning(toolkit.TunedStrategy):
    """Vectors before the first layer are trained; the model itself stays as it is."""

    complexity = 3

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make prompt tuning a fair arm."""

        tokens: int = Field(20, gt=0)
        """Virtual tokens: more gain little (Lester et al. 2021, arXiv 2104.08691, section 3.2)."""
        learning_rate: float = Field(1e-2, gt=0, json_schema_extra=search(log(3e-3, 0.3)))
        """Rates of full fine-tuning teach a soft prompt nothing (PEFT issues 710 and 869)."""
        epochs: int = Field(20, gt=0)
        """At the most. Vectors learn slower than weights: 30,000 steps of 32 in the paper, a
        thousand of 8 (20 epochs of 400 rows) for IA³ (Liu et al. 2022)."""

    @classmethod
    def adapter(cls, params: Params) -> toolkit.AdapterSpec:
        """Return vectors that begin as the embeddings of words.

        That does better than random vectors (Lester et al. 2021, section 3.2).
        """
        return toolkit.AdapterSpec(
            name="prompt tuning",
            peft_config="PromptTuningConfig",
            settings={"num_virtual_tokens": params.tokens},
            merges=False,
            soft_tokens=params.tokens,
            starts_as=_embeddings,
            activation_bytes_per_token=toolkit.no_bytes_per_token,
        )


def _embeddings(model: lm.LanguageModel, ids: list[int]) -> None:
    """Set the vectors to the embeddings of tokens."""
    import torch

    [weight] = [w for w in model.model.prompt_encoder.parameters() if w.requires_grad]
    words = model.model.get_base_model().get_input_embeddings()
    with torch.no_grad():  # [tokens, hidden]
        weight.copy_(words(torch.tensor(ids, device=weight.device)).to(weight.dtype))
