"""`Model`: what a strategy may ask of a language model, wherever it runs. Text in, text out.

Weights in this process (`local_model.py`) and servers that speak the OpenAI protocol (`hosted/`)
are models; a vLLM or llama.cpp server would be the next. `harness.lm.testing.check_model` is the
contract as a test. Knows nothing of tasks, tokens' numbers or weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from harness.errors import ModelError
from harness.store.records import LoadedModel
from harness.types import ModelRef, Prediction, Prompt, PromptForm

Ability = Literal["score_options", "log_likelihood", "count_tokens", "running_text"]
"""What a model may lack; every model generates. running_text: such a prompt is gone on with as it
stands; a model that knows chats alone gets it as one turn."""


@dataclass(frozen=True)
class Spans:
    """What an answer is copied from, word for word."""

    texts: tuple[str, ...]
    """It is a run of words within a line of one of these, each run of blanks as one space."""
    or_exactly: tuple[str, ...] = ()
    """Or it is one of these, whole."""


@dataclass(frozen=True)
class Generation:
    """How an answer is generated: greedily, and until when."""

    max_new_tokens: int
    """An answer is cut after so many tokens."""
    stop: tuple[str, ...] = ()
    """Strings that end an answer and are left out of it."""
    schema: Mapping[str, Any] | None = None
    """JSON schema that an answer is held to, as far as the model can."""
    spans: tuple[Spans | None, ...] = ()
    """What the answer to each prompt is held to, as far as the model can; None: to nothing. Empty:
    none is. Only without a schema."""


@dataclass(frozen=True)
class OptionScores:
    """How likely a model finds each of several answers to one prompt."""

    log_likelihoods: tuple[float, ...]
    """Natural logarithms, one an option: of its text and the end of the turn."""
    option_tokens: tuple[int, ...]
    """Number of tokens of each option, the end of the turn included."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens whose computation was kept from an earlier request."""


class Model(Protocol):
    """A language model that answers prompts.

    An implementer guarantees:

    - Prompts go in as they stand, as text or turns; the model applies its chat template, once, and
      to running text none.
    - Results come one a prompt, in the order of the prompts, whatever their number.
    - Decoding is greedy: the same prompt gets the same answer, whatever its neighbours, as far as
      the machine that computes it is exact.
    - A method that `abilities` does not name raises `ModelError` with the reason. No caller has to
      know which class it holds.
    """

    ref: ModelRef

    @property
    def abilities(self) -> frozenset[Ability]:
        """Which of the optional methods work."""

    @property
    def context_tokens(self) -> int | None:
        """Longest sequence in tokens; None: not known here, and whoever computes will tell."""

    @property
    def has_turns(self) -> bool:
        """Whether it knows turns of a chat: one without goes on to write the next input itself."""

    @property
    def default_form(self) -> PromptForm:
        """How demonstrations are written for it, unless its user says otherwise."""

    def has_room(self, prompt_tokens: int, answer_tokens: int) -> bool:
        """Tell whether a prompt and its answer fit the context; true where that is not known."""

    def count_tokens(self, prompt: Prompt) -> int:
        """Return a prompt's tokens up to where the answer begins.

        Raises:
            ModelError: the model counts no tokens.
        """

    def count_answer_tokens(self, text: str, prompt: Prompt = "") -> int:
        """Return an answer's tokens behind a prompt, with those that end it.

        Raises:
            ModelError: the model counts no tokens.
        """

    def generate(self, prompts: Sequence[Prompt], settings: Generation) -> list[Prediction]:
        """Answer each prompt with generated text.

        Args:
            prompts: as they stand.
            settings: how long an answer may be, and what ends it.

        Returns:
            One prediction a prompt, in order, with the tokens as far as they are known. A request
            that failed by itself is a prediction with `error`.

        Raises:
            ModelError: a prompt does not fit, or nothing can be computed.
            EndpointError: a server that no other request would reach either.
        """

    def score_options(
        self, prompts: Sequence[Prompt], options: Sequence[str]
    ) -> list[OptionScores]:
        """Return how likely each option is as the whole answer to each prompt.

        Args:
            prompts: as they stand.
            options: the answers, no two alike; the same for all prompts.

        Raises:
            ModelError: the model scores no options, or they cannot be scored.
        """

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion's text after its prompt.

        The end of the turn is not counted: it is none of the text's bytes.

        Args:
            prompts: as they stand.
            completions: one for each prompt.

        Raises:
            ModelError: the model scores no given text.
        """

    def loaded(self) -> LoadedModel:
        """Return what was loaded or asked, for the record."""


def cannot(model: ModelRef, what: str) -> ModelError:
    """Return the error of a model that lacks an ability.

    Args:
        model: which.
        what: what it is and does not do, e.g. "is hosted, and its server counts no tokens".
    """
    return ModelError(f"'{model.name}' {what}")
