"""Memory that others published, beside what a forecast makes of the model's config.json alone.

Publishers' settings differ from the engine's, and are taken over where the forecast has them. No
peer, no model and no GPU: the figures are arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.configs import planned
from benchmarks.sides import NO_PEER, Sides
from harness.plan.target_machine import CUDA_CONTEXT_BYTES, Place
from harness.plan.training_demand import Piece, activation_bytes, state_bytes
from harness.plan.unloaded_model import PlannedModel
from harness.registry import find
from harness.toolkit import AdapterSpec
from harness.workload import Tuning

PACKAGES = ()
GB, GIB = 10**9, 2**30
LITGPT = "https://github.com/Lightning-AI/litgpt/blob/main/tutorials/resource-tables.md"
TORCHTUNE = "https://github.com/pytorch/torchtune (README, Memory and training speed)"
PEFT = "https://github.com/huggingface/peft (README of 2023, a card of 80 GB)"
QLORA = "Dettmers et al. 2023 (arXiv 2305.14314), abstract"
LITGPT_ROW = 1304
"""Tokens of the longest row of LitGPT's tuning table."""


@dataclass(frozen=True)
class Setting:
    """How a publisher held or tuned a model."""

    arm: str | None
    """Which strategy tunes it so; None: weights for inference alone."""
    tokens: int = 0
    """Of one piece, which is one batch here."""
    logits: int = 0
    """Tokens whose logits are held at a time."""
    four_bits: bool = False
    checkpointing: bool = False
    rank: int = 8
    """Of LoRA's adapters."""
    few_adapters: bool = False
    """LoRA on queries and values alone, in the model's own format: no copies of inputs."""
    dtype: str = "bfloat16"
    adam_bits: int = 8
    """Of AdamW's moments: 8, as the engine has them for whole models on a GPU, or 32."""
    context: bool = False
    """Counted with what CUDA takes for itself."""

    def bytes_of(self, model: PlannedModel) -> float:
        """Return the peak that is forecast: weights, gradients, moments and activations."""
        bones = model.skeleton
        there = Place("a card", "cuda", self.dtype, 80 * GIB, None)
        adapter = self._adapter()
        itemsize = 4 if adapter is not None and adapter.trains_all else there.itemsize
        weights = bones.weights_bytes(itemsize, self.four_bits)
        if adapter is None:
            return weights
        work = Tuning(adapter, [], [], 1, 1, 1, 1, self.checkpointing, 0, self.four_bits)
        layers = model
        if self.few_adapters:
            layers = PlannedModel(
                model.ref, replace(bones, linear=((1, 1),), adapted=((1, 1),)), None
            )
        moments = there if self.adam_bits == 8 else replace(there, device="cpu")
        piece = Piece(self.tokens, 0, self.logits)
        total = weights + state_bytes(work, model, moments)
        total += activation_bytes(work, layers, there, piece, self.checkpointing)
        return total + (CUDA_CONTEXT_BYTES if self.context else 0)

    def _adapter(self) -> AdapterSpec | None:
        if self.arm is None:
            return None
        strategy: Any = find(self.arm)
        given = {"rank": self.rank} if "rank" in strategy.Params.model_fields else {}
        spec: AdapterSpec = strategy.adapter(strategy.Params(**given))
        return spec


@dataclass(frozen=True)
class Published:
    """One figure of somebody else's, and between which ratios the forecast stands to it."""

    what: str
    model: str
    published_bytes: float
    setting: Setting
    source: str
    low: float
    high: float

    def predicted_bytes(self, folder: Path) -> float:
        """Return the forecast; the model's config.json is written under `folder`."""
        return self.setting.bytes_of(planned(folder, self.model))


def _inference(model: str, gb: float, four_bits: bool, low: float) -> Published:
    what = f"serving in {'4 bits' if four_bits else 'bfloat16'}"
    return Published(what, model, gb * GB, Setting(None, four_bits=four_bits), LITGPT, low, 1.0)


def _litgpt(model: str, gb: float, rows: int = 1) -> Published:
    tokens = rows * LITGPT_ROW
    setting = Setting("lora", tokens, tokens, few_adapters=True)
    what = f"LoRA on queries and values, {rows} × {LITGPT_ROW:,} tokens"
    return Published(what, model, gb * GB, setting, LITGPT, 0.95, 1.05)


def _litgpt_qlora(model: str, gb: float) -> Published:
    # Nothing in the forecast stands for the dequantised copies that an older bitsandbytes kept.
    setting = Setting("lora", LITGPT_ROW, LITGPT_ROW, True, few_adapters=True)
    what = f"QLoRA on queries and values, 1 × {LITGPT_ROW:,} tokens"
    return Published(what, model, gb * GB, setting, LITGPT, 0.75, 1.05)


def _torchtune(what: str, gib: float, high: float, four_bits: bool, again: bool) -> Published:
    # Theirs are compiled, which saves activations, and their logits come in eight chunks. With
    # checkpointing a single layer's copies of inputs are there at a time.
    setting = Setting("lora", 4096, 512, four_bits, again, few_adapters=not again)
    return Published(what, "llama-3-8b", gib * GIB, setting, TORCHTUNE, 1.0, high)


def _peft(what: str, model: str, arm: str, gb: float, low: float, high: float) -> Published:
    setting = Setting(arm, 8 * 64, 64, dtype="float32", adam_bits=32)
    return Published(what, model, gb * GB, setting, PEFT, low, high)


FIGURES = (
    _inference("llama-2-7b", 13.52, False, 0.98),
    _inference("llama-2-7b", 4.26, True, 0.90),
    _inference("llama-2-13b", 26.21, False, 0.98),
    _inference("llama-2-13b", 7.72, True, 0.90),
    _inference("llama-2-70b", 37.21, True, 0.90),
    _litgpt("llama-2-7b", 21.30),
    _litgpt("llama-2-7b", 29.07, rows=2),
    _litgpt("llama-2-13b", 38.12),
    _litgpt_qlora("llama-2-7b", 13.84),
    _litgpt_qlora("llama-2-13b", 22.55),
    _torchtune("LoRA, 2 × 2,048 tokens, checkpointing", 16.2, 1.2, False, True),
    _torchtune("QLoRA, 2 × 2,048 tokens, checkpointing", 7.4, 1.25, True, True),
    _torchtune("LoRA, 2 × 2,048 tokens", 30.3, 1.35, False, False),
    _peft("full fine-tuning, float32", "t0-3b", "full_finetune", 47.14, 0.95, 1.05),
    _peft("LoRA, float32", "t0-3b", "lora", 14.4, 0.85, 1.0),
    _peft("LoRA, float32", "bloomz-7b1", "lora", 32, 1.0, 1.15),
    Published(
        "QLoRA of rank 64, 1 × 512 tokens: fits a card of 48 GB",
        "llama-65b",
        48 * GB,
        Setting("lora", 512, 512, True, True, rank=64, context=True),
        QLORA,
        0.85,
        1.05,  # their optimiser pages the moments of 800 million adapter weights out; ours do not
    ),
)


def run(sides: Sides) -> dict[str, Any]:
    """Hold every published figure against its forecast; there is no other side."""
    with TemporaryDirectory() as folder:
        figures = [_line(figure, Path(folder)) for figure in FIGURES]
    for line in figures:
        sides.say("| {model} | {what} | {published_gb} | {predicted_gb} | {ratio} |".format(**line))
    return {
        **NO_PEER,
        "figures": figures,
    }


def _line(figure: Published, folder: Path) -> dict[str, Any]:
    predicted = figure.predicted_bytes(folder)
    return {
        "model": figure.model,
        "what": figure.what,
        "published_gb": round(figure.published_bytes / GB, 2),
        "predicted_gb": round(predicted / GB, 2),
        "ratio": round(predicted / figure.published_bytes, 2),
        "source": figure.source,
    }
