"""What a training makes smaller, and what is watched on validation rows meanwhile.

`TokenLoss` is a completion's negative log-likelihood; for choices `LabelSoftmax` is the
cross-entropy of the labels' scores, and `HeadLoss` that of a linear head. All take the same pairs:
a choice's completion is one of the options. Watched is what an arm is judged by: for a choice the
cross-entropy of the labels as they will be scored, at its best temperature. Knows nothing of steps,
adapters and tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.lm.inference.label_head import LabelHead, score_labels
from harness.lm.inference.last_states import of_tree
from harness.lm.inference.scoring import score_options
from harness.lm.local_model import LanguageModel
from harness.lm.training.label_loss import fitted_cross_entropy, smoothed_cross_entropy
from harness.lm.training.loss import Pair, likelihoods, mean_loss, pieces

if TYPE_CHECKING:
    from torch import Tensor

TOKEN_SHARE = 0.3
"""Of the right label's loss per token beside the softmax over labels, which alone would leave the
probability of saying any label free: a choice of ours."""
LOOK_TOKENS = 512
"""Of a piece of validation rows that is scored above kept states."""
HEAD_RATE = 10.0
"""Learning rate of a new head, as a multiple of the adapter's: it starts from nothing."""


class Objective(Protocol):
    """A loss of pairs that adds up over pieces, and what is watched."""

    @property
    def name(self) -> str:
        """As the record says it."""

    @property
    def texts(self) -> Sequence[list[int]]:
        """What stands behind every prompt when it is computed; none: its completion alone."""

    def trained(self) -> list[Tensor]:
        """Return the weights that it brings with it, in float32."""

    def loss(self, lm: LanguageModel, piece: Sequence[Pair]) -> Tensor:
        """Return a piece's summed loss, a scalar tensor with gradients."""

    def share(self, pairs: Sequence[Pair]) -> float:
        """Return what a batch's summed loss is divided by."""

    def watched(self, lm: LanguageModel, pairs: Sequence[Pair]) -> float:
        """Return what is to be low on validation rows; the model is in no training mode."""


@dataclass(frozen=True)
class TokenLoss:
    """The mean negative log-likelihood of the completions' tokens."""

    options: Sequence[list[int]] = ()
    """Of a choice, for what is watched."""
    name: str = "label_text"

    @property
    def texts(self) -> Sequence[list[int]]:
        """Nothing but the completion."""
        return ()

    def trained(self) -> list[Tensor]:
        """Nothing."""
        return []

    def loss(self, lm: LanguageModel, piece: Sequence[Pair]) -> Tensor:
        """Sum over all tokens."""
        return -likelihoods(lm, [(prompt, [completion]) for prompt, completion in piece]).sum()

    def share(self, pairs: Sequence[Pair]) -> float:
        """Return the batch's tokens: however it is cut into pieces, the sum is the same."""
        return sum(len(completion) for _, completion in pairs)

    def watched(self, lm: LanguageModel, pairs: Sequence[Pair]) -> float:
        """Return the labels' cross-entropy, or without labels the loss itself."""
        if self.options:
            return label_cross_entropy(lm, pairs, self.options)
        return mean_loss(lm, pairs)


@dataclass(frozen=True)
class LabelSoftmax:
    """The cross-entropy of the labels' scores, all labels of a row computed in one pass.

    In training a label is read up to the first token that tells it from all others, since what
    follows is certain once the row's own label is learnt to its end (which `TOKEN_SHARE` sees to).
    So a row costs hardly more than its own label would; whole labels cost half as much again on the
    shipped ticket_triage. What is watched are whole labels, as they are served.
    """

    options: Sequence[list[int]]
    weights: Sequence[float]
    """Of each option's rows."""
    smoothing: float = 0.0
    name: str = "label_softmax"
    begun: Sequence[list[int]] = field(init=False)
    """Each option up to where it is told from the others."""

    def __post_init__(self) -> None:
        """Cut the options."""
        object.__setattr__(self, "begun", told_apart(self.options))

    @property
    def texts(self) -> Sequence[list[int]]:
        """All beginnings, and the longest option for the right one."""
        return [*self.begun, max(self.options, key=len)]

    def trained(self) -> list[Tensor]:
        """Nothing."""
        return []

    def loss(self, lm: LanguageModel, piece: Sequence[Pair]) -> Tensor:
        """Sum over rows: all labels against each other, and the right one's own tokens."""
        import torch

        rows = [(prompt, [*self.begun, completion]) for prompt, completion in piece]
        found = likelihoods(lm, rows).view(len(piece), len(self.options) + 1)
        right = _places(piece, self.options)
        among = smoothed_cross_entropy(found[:, :-1], right, self.smoothing, self.weights)
        tokens = torch.tensor([len(completion) for _, completion in piece], device=found.device)
        return among - TOKEN_SHARE * (found[:, -1] / tokens).sum()

    def share(self, pairs: Sequence[Pair]) -> float:
        """Return the number of rows."""
        return len(pairs)

    def watched(self, lm: LanguageModel, pairs: Sequence[Pair]) -> float:
        """Return the whole labels' cross-entropy."""
        return label_cross_entropy(lm, pairs, self.options)


@dataclass(frozen=True)
class HeadLoss:
    """The cross-entropy of a linear head on the prompt's last state."""

    head: LabelHead
    options: Sequence[list[int]]
    """The labels' tokens, by which a pair's label is known; none of them is computed."""
    weights: Sequence[float]
    smoothing: float = 0.0
    name: str = "head"

    @property
    def texts(self) -> Sequence[list[int]]:
        """Nothing: one token stands for what is not computed."""
        return [[0]]

    def trained(self) -> list[Tensor]:
        """Return the head's weights."""
        found: Any = self.head.linear.parameters()
        return list(found)

    def loss(self, lm: LanguageModel, piece: Sequence[Pair]) -> Tensor:
        """Sum over rows."""
        prompts = [prompt for prompt, _ in piece]
        states = of_tree(lm, prompts) if lm.packs else lm.route.last_states(lm, prompts)
        right = _places(piece, self.options)
        return smoothed_cross_entropy(self.head.scores(states), right, self.smoothing, self.weights)

    def share(self, pairs: Sequence[Pair]) -> float:
        """Return the number of rows."""
        return len(pairs)

    def watched(self, lm: LanguageModel, pairs: Sequence[Pair]) -> float:
        """Return the head's cross-entropy."""
        lm.prefix.clear()  # what was kept belongs to weights that may have changed since
        try:
            scores, _ = score_labels(lm, self.head, [prompt for prompt, _ in pairs])
        finally:
            lm.prefix.clear()
        return fitted_cross_entropy(scores, _places(pairs, self.options))


def label_cross_entropy(
    lm: LanguageModel, pairs: Sequence[Pair], options: Sequence[list[int]]
) -> float:
    """Return the cross-entropy of whole options as they are scored, at its best temperature."""
    places = _places(pairs, options)
    if lm.lower is not None:
        return fitted_cross_entropy(_scored_above(lm, pairs, options), places)
    lm.prefix.clear()
    try:
        scores, _ = score_options(lm, [prompt for prompt, _ in pairs], [options] * len(pairs))
    finally:
        lm.prefix.clear()
    return fitted_cross_entropy(scores, places)


def _scored_above(
    lm: LanguageModel, pairs: Sequence[Pair], options: Sequence[list[int]]
) -> list[list[float]]:
    """Score options where the lower layers' states are kept: each look reads the same rows."""
    import torch

    scores: list[list[float]] = []
    with torch.no_grad():
        for piece in pieces(pairs, LOOK_TOKENS, padded=False, texts=options):
            found = likelihoods(lm, [(prompt, options) for prompt, _ in piece])
            scores += found.view(len(piece), len(options)).tolist()
    return scores


def told_apart(options: Sequence[list[int]]) -> list[list[int]]:
    """Return each option up to the first token that no other option shares so far.

    An option that another one goes on from is taken whole.
    """
    counts: dict[tuple[int, ...], int] = {}
    for option in options:
        for end in range(1, len(option) + 1):
            begin = tuple(option[:end])
            counts[begin] = counts.get(begin, 0) + 1
    cut = []
    for option in options:
        alone = (end for end in range(1, len(option) + 1) if counts[tuple(option[:end])] == 1)
        cut.append(option[: next(alone, len(option))])
    return cut


def _places(pairs: Sequence[Pair], options: Sequence[list[int]]) -> list[int]:
    """Return which option each pair's completion is."""
    place_of = {tuple(option): place for place, option in enumerate(options)}
    return [place_of[tuple(completion)] for _, completion in pairs]
