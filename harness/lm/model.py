"""A causal language model in memory: the noun that the engine's functions work on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.lm.prefix import PrefixCache
from harness.records import LoadedModel
from harness.types import ModelRef


@dataclass(eq=False)
class LanguageModel:
    """A causal language model in memory, with the prefix it keeps computed."""

    ref: ModelRef
    model: Any
    tokenizer: Any
    packed: bool
    """Whether packing passed its check for this model (see harness/lm/engine.py)."""
    prefix: PrefixCache = field(default_factory=PrefixCache)

    @property
    def context_tokens(self) -> int | None:
        """Longest sequence the model was made for, in tokens; None where its config is silent."""
        return getattr(self.model.config, "max_position_embeddings", None)

    def facts(self) -> LoadedModel:
        """Return what was loaded, read off the model itself."""
        return LoadedModel(
            name=self.ref.name,
            dtype=str(self.model.dtype).removeprefix("torch."),
            device=str(self.model.device),
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            scoring="packed" if self.packed else "plain",
        )
