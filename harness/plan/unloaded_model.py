"""What is known of a model before it is loaded: its skeleton, and how it cuts texts into tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.lm import AdapterSpec, count_trained
from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.local_model import LanguageModel
from harness.plan.skeleton import Skeleton, skeleton, weightless
from harness.plan.tokens import CHARACTERS, StandIn
from harness.types import ModelRef, Prompt

Pair = tuple[list[int], list[int]]


@dataclass(eq=False)
class PlannedModel:
    """A model that is not loaded."""

    ref: ModelRef
    skeleton: Skeleton
    tokenizer: Any
    _prompts: dict[Prompt, list[int]] = field(default_factory=dict)
    _trained: dict[str, int] = field(default_factory=dict)

    @property
    def says(self) -> str | None:
        """What a reader of its forecasts should know."""
        if not isinstance(self.tokenizer, StandIn):
            return None
        return f"no tokenizer in {self.ref.location}: {CHARACTERS} characters counted as a token"

    @cached_property
    def _reader(self) -> LanguageModel:
        path = "encoder_decoder" if self.skeleton.encoder_decoder else "packed"
        return LanguageModel(self.ref, None, self.tokenizer, path)  # type: ignore[arg-type]

    def prompt(self, text: Prompt, room: int = 0) -> list[int]:
        """Return a prompt's tokens, cut to what the context leaves beside `room` tokens."""
        if text not in self._prompts:
            self._prompts[text] = prompt_tokens(self._reader, text)
        limit = self.skeleton.context_tokens
        longest = None if limit is None else max(1, limit - room)
        return self._prompts[text][:longest] or [0]

    def answer(self, text: str) -> list[int]:
        """Return an answer's tokens with the end of its turn."""
        return answer_tokens(self._reader, text)

    def pair(self, prompt: str, answer: str) -> Pair:
        """Return the tokens of a training row; without a prompt it is running text."""
        if not prompt:
            return [0], self.answer(answer)
        completion = self.answer(answer)
        return self.prompt(prompt, len(completion)), completion

    def trained_weights(self, adapter: AdapterSpec) -> int:
        """Return how many weights a method trains of this model, as PEFT counts them.

        Raises:
            ModelError: PEFT cannot put the method on this model.
        """
        key = repr(adapter)  # its settings are a mapping, which has no hash
        if key not in self._trained:
            model = weightless(self.ref.location)
            self._trained[key] = count_trained(adapter, model, self.ref.name)
        return self._trained[key]


def study(ref: ModelRef) -> PlannedModel:
    """Read what is there of a model but its weights.

    Args:
        ref: its location has a config.json at least.

    Raises:
        ModelError: its configuration cannot be read.
    """
    return PlannedModel(ref, skeleton(ref.location), tokenizer_in(Path(ref.location)))


def tokenizer_in(folder: Path) -> Any:
    """Return the tokenizer in a folder, or its stand-in."""
    from transformers import AutoTokenizer

    names = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.txt")
    if not any((folder / name).is_file() for name in names):
        return StandIn()
    try:
        return AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError, ImportError):
        return StandIn()
