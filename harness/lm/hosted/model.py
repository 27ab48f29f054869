"""A hosted model as a `Model`: it generates, and has nothing that needs its weights or tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.lm.hosted.client import answers
from harness.lm.hosted.server import Server, connect
from harness.lm.model import Ability, Generation, OptionScores, cannot
from harness.store.records import LoadedModel
from harness.types import Context, ModelRef, Prediction, Prompt, PromptForm


@dataclass(eq=False)
class HostedModel:
    """A model on somebody's server."""

    ref: ModelRef
    server: Server

    @property
    def abilities(self) -> frozenset[Ability]:
        """None: the protocol of chat completions gives text alone."""
        return frozenset()

    @property
    def context_tokens(self) -> int | None:
        """None: the server knows, and refuses what is too long."""
        return None

    @property
    def has_turns(self) -> bool:
        """Always: it is asked in messages."""
        return True

    @property
    def default_form(self) -> PromptForm:
        """Turns: chats are all that it knows."""
        return "turns"

    def has_room(self, prompt_tokens: int, answer_tokens: int) -> bool:
        """Return true: the server counts for itself."""
        return True

    def count_tokens(self, prompt: Prompt) -> int:
        """Raise `ModelError`."""
        raise cannot(self.ref, "is hosted, and its server counts no tokens before it answers")

    def count_answer_tokens(self, text: str, prompt: Prompt = "") -> int:
        """Raise `ModelError`."""
        return self.count_tokens(text)

    def generate(self, prompts: Sequence[Prompt], settings: Generation) -> list[Prediction]:
        """Answer each prompt with text of the server; see `client.answers`."""
        return answers(self.server, prompts, settings)

    def score_options(
        self, prompts: Sequence[Prompt], options: Sequence[str]
    ) -> list[OptionScores]:
        """Raise `ModelError`."""
        raise cannot(self.ref, "is hosted, and its server scores no options")

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Raise `ModelError`."""
        raise cannot(self.ref, "is hosted, and its server scores no given text")

    def loaded(self) -> LoadedModel:
        """Return what is asked, where, and how much so far."""
        return self.server.loaded()


def open_hosted(context: Context) -> HostedModel:
    """Return a model that asks the server named in a strategy's context. Asks nothing yet.

    Raises:
        EndpointError: the environment does not hold the key.
    """
    server = connect(context)
    return HostedModel(server.ref, server)
