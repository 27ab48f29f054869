"""A language model in memory: the noun that the engine's functions work on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from harness.errors import ModelError
from harness.lm.inference.grammar import JsonGrammar
from harness.lm.inference.prefix_cache import PrefixCache
from harness.lm.inference.soft_prompt import soft_tokens
from harness.lm.sizing.budget import MOST_TOKENS, Note, RowLimit
from harness.store.records import LoadedModel
from harness.types import ModelRef

ADDED = ("lora_", "ia3_", "prompt_encoder")
"""What the names of parameters hold that PEFT adds to a model."""
Route = Literal["packed", "plain", "encoder_decoder"]
"""How a model computes: token trees, one sequence at a time, or prompts and answers apart."""


@dataclass(eq=False)
class LanguageModel:
    """A language model in memory, with the prefix it keeps computed."""

    ref: ModelRef
    model: Any
    tokenizer: Any
    path: Route = "plain"
    """Chosen when loading (see harness/lm/loading/packing_check.py), never by the caller's wish."""
    prefix: PrefixCache = field(default_factory=PrefixCache)
    rows: RowLimit = field(default_factory=lambda: RowLimit(MOST_TOKENS["cpu"]))
    """How many tokens are computed at once when scoring and generating."""
    budget_bytes: int | None = None
    """Main memory that this process may use; None: what the machine has. On a GPU its own free
    memory counts."""
    note: Note = lambda kind, text: None
    """Receives remarks for the record: what turned out otherwise than asked for."""
    grammars: dict[str, JsonGrammar] = field(default_factory=dict)
    """Compiled so far, by their schemas as JSON."""

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Tokens after which an answer is over."""
        from harness.lm.chat import end_of_turn

        generation = getattr(self.model, "generation_config", None)
        own = getattr(generation, "eos_token_id", None)
        ends = [end_of_turn(self.tokenizer), self.tokenizer.eos_token_id]
        ends += own if isinstance(own, list) else [own]
        return tuple(dict.fromkeys(end for end in ends if end is not None))

    @property
    def context_tokens(self) -> int | None:
        """Longest sequence the model was made for, in tokens; None where its config is silent."""
        config = self.model.config.get_text_config(decoder=True)
        return getattr(config, "max_position_embeddings", None)

    def has_room(self, prompt_tokens: int, answer_tokens: int) -> bool:
        """Tell whether a prompt fits the model's context together with an answer."""
        together = self.path != "encoder_decoder"
        needed = prompt_tokens + answer_tokens if together else max(prompt_tokens, answer_tokens)
        needed += soft_tokens(self.model)
        return self.context_tokens is None or needed <= self.context_tokens

    def check_room(self, number: int, prompt_tokens: int, answer_tokens: int) -> None:
        """Check that a prompt fits the model's context together with its answer.

        Args:
            number: the prompt's place in its call, for the error.
            prompt_tokens: of the prompt.
            answer_tokens: of the longest answer it may get.

        Raises:
            ModelError: it does not fit, or there is nothing of it.
        """
        if not prompt_tokens:
            raise ModelError(f"prompt {number} has no tokens")
        if not self.has_room(prompt_tokens, answer_tokens):
            raise ModelError(
                f"prompt {number} needs {prompt_tokens} tokens and {answer_tokens} for its answer;"
                f" '{self.ref.name}' takes at most {self.context_tokens}"
                " → use fewer shots or shorter inputs"
            )

    def loaded(self) -> LoadedModel:
        """Return what was loaded, read off the model itself."""
        dtype = str(self.model.dtype).removeprefix("torch.")
        packed = bool(getattr(self.model, "is_quantized", False))
        return LoadedModel(
            name=self.ref.name,
            dtype=f"4 bits, computed in {dtype}" if packed else dtype,
            device=str(self.model.device),
            parameters=sum(
                # Two weights of 4 bits stand in a byte; what PEFT adds is not the model's.
                parameter.numel() * (2 if parameter.dtype.itemsize == 1 else 1)
                for name, parameter in self.model.named_parameters()
                if not any(marker in name for marker in ADDED)
            ),
            weights_bytes=self.model.get_memory_footprint(),
            scoring=self.path,
        )
