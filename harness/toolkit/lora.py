"""Low-rank adapters: the parameters and the spec of every arm that tunes them.

LoRA (Hu et al. 2021, arXiv 2106.09685) and what differs from it in one setting: DoRA and rsLoRA.
"""

from __future__ import annotations

from pydantic import Field

from harness.lm.training.adapter_spec import AdapterSpec, Lighter
from harness.search_space import search
from harness.toolkit.tune import TuningParams


class LoraParams(TuningParams):
    """What every arm with low-rank adapters lets its user set; the defaults are fair ones."""

    rank: int = Field(16, gt=0)
    """Ranks from 4 to 64 did alike in the paper (Hu et al. 2021, section 7.2)."""
    alpha: float = Field(32.0, gt=0)
    """Schulman's (2025, "LoRA Without Regret")."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """PEFT's default. The usual 0.05 took 14% more time on a CPU, where random numbers are
    expensive; label smoothing and the mean of the last weights hold overfitting back."""
    learning_rate: float | None = Field(
        None, gt=0, json_schema_extra=search([None, 2e-4, 1e-3, 2e-3])
    )
    """None: by the model's size and the batch (tuning_defaults.py)."""
    upper_share: float = Field(1.0, gt=0, le=1)
    """Of the model's layers, counted from the last one down, those that get adapters. Below 1 what
    the other layers make of each row is computed once and not in every epoch."""
    rank_stabilised: bool = False
    """Scale by alpha/√rank instead of alpha/rank (Kalajdzievski 2023, arXiv 2312.03732)."""
    decomposed: bool = False
    """Learn direction and magnitude apart: DoRA (Liu et al. 2024, arXiv 2402.09353)."""


def lora_adapter(params: LoraParams) -> AdapterSpec:
    """Return low-rank adapters on every linear layer but the head.

    On all layers, since attention alone falls behind full fine-tuning (Biderman et al. 2024,
    arXiv 2405.09673; Schulman 2025, "LoRA Without Regret").
    """
    return AdapterSpec(
        name="LoRA",
        peft_config="LoraConfig",
        settings={
            "r": params.rank,
            "lora_alpha": params.alpha,
            "lora_dropout": params.dropout,
            "target_modules": "all-linear",
            "use_rslora": params.rank_stabilised,
            "use_dora": params.decomposed,
        },
        upper_share=params.upper_share,
        lighter=(Lighter("qlora", four_bits=True),),
    )
