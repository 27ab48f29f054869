"""How a model computes: one object a route, and the only place that tells routes apart.

Loading chooses (see harness/lm/loading/packing_check.py), never the caller's wish. A route that
packs computes token trees, which cost a shared beginning once; the others are slower and take any
model. Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.lm.inference import encoder_decoder, last_states, plain
from harness.lm.inference.generation import Ending, Written, generate_packed, generate_plain
from harness.lm.inference.scoring import Options, score_packed

if TYPE_CHECKING:
    from harness.lm.local_model import LanguageModel

Scores = tuple[list[list[float]], int]
"""One list of log-likelihoods a prompt; prompt tokens that were kept from earlier calls."""
Outputs = tuple[list[Written], int]
"""New tokens of each prompt; prompt tokens that were kept from earlier calls."""
Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of its completion."""


class Route(Protocol):
    """One way of computing."""

    @property
    def name(self) -> Literal["packed", "plain", "encoder_decoder"]:
        """As the record says it."""

    @property
    def packs(self) -> bool:
        """Whether rows are token trees behind a kept prefix."""

    @property
    def has_encoder(self) -> bool:
        """Whether the prompt is read by an encoder, and the answer has a decoder of its own."""

    def score(
        self, lm: LanguageModel, prompts: Sequence[list[int]], options: Sequence[Options]
    ) -> Scores:
        """Return log p(option | prompt) of each option of each prompt; at least one prompt."""

    def generate(self, lm: LanguageModel, prompts: Sequence[list[int]], ending: Ending) -> Outputs:
        """Continue each prompt with its most likely tokens; at least one prompt."""

    def padded_likelihoods(self, lm: LanguageModel, pairs: Sequence[Pair]) -> Any:
        """Return each completion's log-likelihood from one padded batch.

        [pairs], in float32, with gradients.
        """

    def last_states(self, lm: LanguageModel, prompts: Sequence[list[int]]) -> Any:
        """Run a batch of prompts for what its last tokens hand to the head.

        Returns:
            [prompts, hidden], with gradients.
        """


class Packed:
    """Token trees behind a kept prefix: causal models whose packing was checked."""

    name: Literal["packed"] = "packed"
    packs, has_encoder = True, False
    score = staticmethod(score_packed)
    generate = staticmethod(generate_packed)
    padded_likelihoods = staticmethod(plain.padded_likelihoods)
    last_states = staticmethod(last_states.of_tree)


class Plain:
    """One sequence at a time: causal models that cannot be packed."""

    name: Literal["plain"] = "plain"
    packs, has_encoder = False, False
    generate = staticmethod(generate_plain)
    padded_likelihoods = staticmethod(plain.padded_likelihoods)
    last_states = staticmethod(last_states.padded)

    def score(
        self, lm: LanguageModel, prompts: Sequence[list[int]], options: Sequence[Options]
    ) -> Scores:
        """Return log p(option | prompt), one pass a sequence."""
        return _one_by_one(plain.score, lm, prompts, options)


class EncoderDecoder:
    """Prompts encoded once, answers decoded behind them."""

    name: Literal["encoder_decoder"] = "encoder_decoder"
    packs, has_encoder = False, True
    generate = staticmethod(generate_plain)
    padded_likelihoods = staticmethod(encoder_decoder.padded_likelihoods)
    last_states = staticmethod(last_states.of_decoder)

    def score(
        self, lm: LanguageModel, prompts: Sequence[list[int]], options: Sequence[Options]
    ) -> Scores:
        """Return log p(option | prompt), one encoding a prompt."""
        return _one_by_one(encoder_decoder.score, lm, prompts, options)


PACKED, PLAIN, ENCODER_DECODER = Packed(), Plain(), EncoderDecoder()


def _one_by_one(
    score: Callable[[LanguageModel, list[int], Options, int], list[float]],
    lm: LanguageModel,
    prompts: Sequence[list[int]],
    options: Sequence[Options],
) -> Scores:
    """Score each prompt by itself; nothing is kept between them."""
    scores = [
        lm.rows.run(partial(score, lm, prompt, choices))
        for prompt, choices in zip(prompts, options, strict=True)
    ]
    return scores, 0
