"""A causal language model in memory: the noun that the engine's functions work on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.errors import ModelError
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

    def check_room(self, number: int, tokens: int) -> None:
        """Check that a prompt fits the model's context together with its answer.

        Args:
            number: the prompt's place in its call, for the error.
            tokens: of the prompt and the longest answer it may get.

        Raises:
            ModelError: it does not fit.
        """
        limit = self.context_tokens
        if limit is not None and tokens > limit:
            raise ModelError(
                f"prompt {number} needs {tokens} tokens with its answer;"
                f" '{self.ref.name}' takes at most {limit} → use fewer shots or shorter inputs"
            )

    def facts(self) -> LoadedModel:
        """Return what was loaded, read off the model itself."""
        return LoadedModel(
            name=self.ref.name,
            dtype=str(self.model.dtype).removeprefix("torch."),
            device=str(self.model.device),
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            scoring="packed" if self.packed else "plain",
        )
