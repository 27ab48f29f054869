"""Which model is loaded or asked: where it lies, how it is asked, and what it charges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.types.prediction import Prediction


@dataclass(frozen=True)
class Endpoint:
    """How a hosted model is asked and what it charges. Its key is in no record, only its place."""

    provider: str
    """Whose protocol it speaks: "openai"."""
    key_env: str | None = "OPENAI_API_KEY"
    """Environment variable that holds the key; None: the server wants none."""
    concurrency: int = 8
    """Requests in flight at once, at most."""
    timeout_s: float = 60.0
    """Longest silence of the server within one attempt."""
    max_retries: int = 5
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of each request's body."""
    usd_per_million_input_tokens: float | None = None
    usd_per_million_output_tokens: float | None = None
    usd_per_million_cached_tokens: float | None = None
    """For prompt tokens that the server had kept."""

    @property
    def has_prices(self) -> bool:
        """Whether any price is given."""
        prices = (
            self.usd_per_million_input_tokens,
            self.usd_per_million_output_tokens,
            self.usd_per_million_cached_tokens,
        )
        return any(price is not None for price in prices)

    def charge_usd(self, answer: Prediction) -> float | None:
        """Return what an answer costs at these prices, or None where a price or count is missing.

        A server that says nothing of kept tokens charges all of the prompt alike.
        """
        if answer.prompt_tokens is None or answer.output_tokens is None:
            return None
        cached = answer.cached_tokens or 0
        parts = (
            (answer.prompt_tokens - cached, self.usd_per_million_input_tokens),
            (cached, self.usd_per_million_cached_tokens),
            (answer.output_tokens, self.usd_per_million_output_tokens),
        )
        total = 0.0
        for tokens, price in parts:
            if tokens and price is None:
                return None
            total += tokens * (price or 0.0) / 1e6
        return total


THOUGHT_SWITCHES = ("enable_thinking", "thinking")
"""Names by which chat templates take whether a model thinks first: Qwen's, GLM's and Gemma's; and
DeepSeek's, Granite's and Kimi's."""
EFFORT = "reasoning_effort"
"""How gpt-oss's template takes how long it thinks."""


@dataclass(frozen=True)
class ChatSettings:
    """What the task adds to every prompt of a model."""

    system: str | None = None
    """Text of a system turn."""
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Variables of the chat template."""
    date: str | None = None
    """The day that a template prints as today's, ISO 8601; None: the day on which it is printed."""

    @property
    def asks_thoughts(self) -> bool:
        """Whether the model is asked to think before it answers."""
        given = [self.template_kwargs.get(name) for name in (*THOUGHT_SWITCHES, EFFORT)]
        return any(given) and False not in given

    def without_thoughts(self) -> ChatSettings:
        """Return the same without what asks for thoughts."""
        switches = (*THOUGHT_SWITCHES, EFFORT)
        kept = {key: value for key, value in self.template_kwargs.items() if key not in switches}
        return replace(self, template_kwargs=kept)

    def decides(self) -> dict[str, Any]:
        """Return what makes a prompt another one; empty where nothing is set.

        The date does not: a run folder has one, and keeps it.
        """
        given = {"system": self.system, "template_kwargs": dict(self.template_kwargs)}
        return {key: value for key, value in given.items() if value}


@dataclass(frozen=True)
class ModelRef:
    """Which model to load or ask, as the parent resolved it."""

    name: str
    """As the task file names it."""
    location: str
    """A folder, a GGUF file or a hub id that transformers can open; a hosted model's address."""
    revision: str | None = None
    sha256: str | None = None
    """Hash of the weights on disk; None for a hub id, whose revision pins it."""
    origin: str = ""
    """In words, for the report: where the weights come from and what was done to them."""
    hosted: Endpoint | None = None
    """How to ask it, where it runs on somebody's server."""
    licence: str | None = None
    """What its own metadata, or of a hosted one the task file, says; None: nothing."""
    chat: ChatSettings = ChatSettings()
    """What the task adds to every prompt of it."""


def model_name(model: str | Mapping[str, Any]) -> str:
    """Return what a model is called in the record: its name as given, a hosted one's with where.

    Args:
        model: as a task file writes it.
    """
    if isinstance(model, str):
        return model
    return f"{model.get('model')} at {str(model.get('base_url')).rstrip('/')}"
