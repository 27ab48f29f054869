"""The loss of completions, from packed rows or padded batches, in pieces that fit the memory.

Packed rows are token trees: no padding is computed, and a prefix that pairs share (the chat
template's opening) is computed once, with the gradients of all of them flowing through it. Knows
nothing of steps and learning rates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from harness.lm.inference.attention import tree_inputs
from harness.lm.inference.scoring import score_packed
from harness.lm.inference.soft_prompt import opening, soft_tokens, underneath
from harness.lm.inference.token_tree import TokenTree
from harness.lm.local_model import LanguageModel

if TYPE_CHECKING:
    from torch import Tensor

Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of its completion."""


def losses(lm: LanguageModel, pairs: Sequence[Pair], at_once: int) -> Iterator[tuple[Tensor, int]]:
    """Compute the completions' loss piece by piece.

    Args:
        lm: the model.
        pairs: prompts and completions; at least one token each.
        at_once: tokens that a piece may have; a single longer pair makes a piece of its own.

    Yields:
        The summed negative log-likelihood of a piece (a scalar tensor), and its number of
        completion tokens.
    """
    for piece in pieces(pairs, at_once, padded=not lm.packs):
        yield _packed_loss(lm, piece) if lm.packs else lm.route.padded_loss(lm, piece)


def mean_loss(lm: LanguageModel, pairs: Sequence[Pair]) -> float:
    """Return the mean negative log-likelihood per completion token, in nats, without dropout."""
    was_training = lm.model.training
    lm.model.eval()
    try:
        # Without gradients a packed model scores whole splits at once, prefixes kept.
        if lm.packs:
            total = -_log_likelihood(lm, pairs)
        else:
            total = lm.rows.run(partial(_summed_loss, lm, pairs))
    finally:
        lm.model.train(was_training)
    return total / sum(len(completion) for _, completion in pairs)


def _summed_loss(lm: LanguageModel, pairs: Sequence[Pair], at_once: int) -> float:
    import torch

    with torch.inference_mode():
        return sum(float(loss) for loss, _ in losses(lm, pairs, at_once))


def _log_likelihood(lm: LanguageModel, pairs: Sequence[Pair]) -> float:
    """Return the completions' summed log-likelihood, sharing prefixes over all pairs."""
    lm.prefix.clear()  # what was kept belongs to weights that may have changed since
    try:
        scores, _ = score_packed(lm, [p for p, _ in pairs], [[c] for _, c in pairs])
    finally:
        lm.prefix.clear()
    return sum(score for [score] in scores)


def pieces(pairs: Sequence[Pair], at_once: int, padded: bool) -> Iterator[list[Pair]]:
    """Cut pairs, in their order, into pieces of so many tokens, padding counted if `padded`."""
    piece: list[Pair] = []
    size = longest = 0
    for pair in pairs:
        length = len(pair[0]) + len(pair[1])
        grown = max(longest, length) * (len(piece) + 1) if padded else size + length
        if piece and grown > at_once:
            yield piece
            piece, longest, grown = [], 0, length
        piece.append(pair)
        size, longest = grown, max(longest, length)
    if piece:
        yield piece


def _packed_loss(lm: LanguageModel, pairs: Sequence[Pair]) -> tuple[Tensor, int]:
    """Return the summed loss of pairs as one packed row, and its number of completion tokens."""
    import torch

    # A completion's first token is predicted at the prompt's last, and its last token predicts
    # nothing, so it is no node of the tree.
    tree = TokenTree()
    wanted: list[tuple[int, int]] = []  # (node whose logits predict, the token predicted)
    for prompt, completion in pairs:
        path = tree.add([*prompt, *completion[:-1]])
        wanted += zip(path[len(prompt) - 1 :], completion, strict=True)
    device = lm.model.device
    nodes = torch.tensor([node for node, _ in wanted], device=device)  # [wanted]
    targets = torch.tensor([token for _, token in wanted], device=device)  # [wanted]

    # Behind a soft prompt the row stands as behind a kept prefix, whose gradients are wanted.
    past = soft_tokens(lm.model)
    kept = {"past_key_values": opening(lm.model)} if past else {}
    logits = underneath(lm.model)(
        **tree_inputs(lm.model, tree, past), **kept, use_cache=bool(past), logits_to_keep=nodes
    ).logits[0]  # [wanted, vocabulary]: the head is not computed elsewhere

    # In float32, and summed: who calls divides by the tokens of all its pieces.
    loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
    return loss, len(wanted)
