"""A language model in memory: the noun that the engine's functions work on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from harness.errors import ModelError
from harness.lm.budget import MOST_TOKENS, Note, RowLimit
from harness.lm.prefix import PrefixCache
from harness.records import LoadedModel
from harness.types import ModelRef

Path = Literal["packed", "plain", "encoder_decoder"]
"""How a model computes: token trees, one sequence at a time, or prompts and answers apart."""


@dataclass(eq=False)
class LanguageModel:
    """A language model in memory, with the prefix it keeps computed."""

    ref: ModelRef
    model: Any
    tokenizer: Any
    path: Path = "plain"
    """Chosen when loading (see harness/lm/proof.py), never by the caller's wish."""
    prefix: PrefixCache = field(default_factory=PrefixCache)
    rows: RowLimit = field(default_factory=lambda: RowLimit(MOST_TOKENS["cpu"]))
    """How many tokens are computed at once when scoring and generating."""
    budget_bytes: int | None = None
    """Memory that this process may use; None: what the machine has."""
    note: Note = lambda kind, text: None
    """Receives remarks for the record: what turned out otherwise than asked for."""

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Tokens after which an answer is over."""
        from harness.lm.chat import end_of_turn

        return tuple(dict.fromkeys((end_of_turn(self.tokenizer), self.tokenizer.eos_token_id)))

    @property
    def context_tokens(self) -> int | None:
        """Longest sequence the model was made for, in tokens; None where its config is silent."""
        return getattr(self.model.config, "max_position_embeddings", None)

    def check_room(self, number: int, prompt_tokens: int, answer_tokens: int) -> None:
        """Check that a prompt fits the model's context together with its answer.

        Args:
            number: the prompt's place in its call, for the error.
            prompt_tokens: of the prompt.
            answer_tokens: of the longest answer it may get.

        Raises:
            ModelError: it does not fit.
        """
        limit = self.context_tokens
        together = self.path != "encoder_decoder"
        needed = prompt_tokens + answer_tokens if together else max(prompt_tokens, answer_tokens)
        if limit is not None and needed > limit:
            raise ModelError(
                f"prompt {number} needs {prompt_tokens} tokens and {answer_tokens} for its answer;"
                f" '{self.ref.name}' takes at most {limit} → use fewer shots or shorter inputs"
            )

    def facts(self) -> LoadedModel:
        """Return what was loaded, read off the model itself."""
        return LoadedModel(
            name=self.ref.name,
            dtype=str(self.model.dtype).removeprefix("torch."),
            device=str(self.model.device),
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            scoring=self.path,
        )
