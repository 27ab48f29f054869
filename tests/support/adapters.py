"""Puts the built-in methods' adapters on a model, by the specs that their own files write."""

from __future__ import annotations

from harness import lm, registry, toolkit

SOFT = {"prompt": "prompt_tuning", "prefix": "prefix_tuning"}


def spec(name, **given):
    """The spec of a strategy's adapter with some parameters."""
    strategy = registry.find(name)
    return strategy.adapter(strategy.Params(**given))


def add_lora(model, rank, alpha, dropout):
    params = toolkit.LoraParams(rank=rank, alpha=alpha, dropout=dropout)
    return lm.add_adapter(model, toolkit.lora_adapter(params))


def add_soft_prompt(model, kind, tokens, text=""):
    return lm.add_adapter(model, spec(SOFT[kind], tokens=tokens), text)
