"""Likelihoods of completions with their gradients, from packed rows or padded batches.

Packed rows are token trees: no padding is computed, and a prefix that pairs share (the chat
template's opening, an instruction) is computed once, with the gradients of all of them flowing
through it. Knows nothing of steps and learning rates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from harness.lm.inference.attention import tree_inputs
from harness.lm.inference.scoring import score_packed
from harness.lm.inference.soft_prompt import opening, soft_tokens
from harness.lm.inference.token_tree import TokenTree, common_prefix_length
from harness.lm.local_model import LanguageModel

if TYPE_CHECKING:
    from torch import Tensor

Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of its completion."""
Choice = tuple[list[int], Sequence[list[int]]]
"""Token ids of a prompt and of each text that may follow it."""


def likelihoods(lm: LanguageModel, rows: Sequence[Choice]) -> Tensor:
    """Return the log-likelihood of every text after its prompt, with gradients.

    Args:
        lm: the model.
        rows: prompts with their texts; at least one token each.

    Returns:
        [texts of all rows], in their order, in float32.
    """
    if lm.packs:
        return _packed(lm, rows)
    flat = [(prompt, text) for prompt, texts in rows for text in texts]
    return lm.route.padded_likelihoods(lm, flat)


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
        return -sum(
            float(likelihoods(lm, [(prompt, [text]) for prompt, text in piece]).sum())
            for piece in pieces(pairs, at_once, padded=True)
        )


def _log_likelihood(lm: LanguageModel, pairs: Sequence[Pair]) -> float:
    """Return the completions' summed log-likelihood, sharing prefixes over all pairs."""
    lm.prefix.clear()  # what was kept belongs to weights that may have changed since
    try:
        scores, _ = score_packed(lm, [p for p, _ in pairs], [[c] for _, c in pairs])
    finally:
        lm.prefix.clear()
    return sum(score for [score] in scores)


def pieces(
    pairs: Sequence[Pair], at_once: int, padded: bool, texts: Sequence[list[int]] = ()
) -> Iterator[list[Pair]]:
    """Cut pairs, in their order, into pieces of so many tokens.

    Args:
        pairs: prompts and completions.
        at_once: tokens that a piece may have; a single longer pair makes a piece of its own.
        padded: count padding; else what the pairs' prompts share is counted once.
        texts: all that stand behind every prompt; none: its completion.
    """
    tree = TokenTree()
    for text in texts:
        tree.add(text[:-1])  # its last token predicts nothing
    below, times = len(tree), 1
    if texts and padded:
        below, times = max(map(len, texts)), len(texts)
    piece: list[Pair] = []
    size = longest = 0
    for pair in pairs:
        length = len(pair[0]) + (below if texts else len(pair[1]))
        shared = common_prefix_length([pair[0], piece[0][0]]) if piece and not padded else 0
        wide = max(longest, length) * (len(piece) + 1) * times
        grown = wide if padded else size + length - shared
        if piece and grown > at_once:
            yield piece
            piece, longest, grown = [], 0, length * times if padded else length
        piece.append(pair)
        size, longest = grown, max(longest, length)
    if piece:
        yield piece


def forward(lm: LanguageModel, tree: TokenTree, nodes: Sequence[int]) -> Tensor:
    """Return a packed row's logits where they are wanted, [nodes, vocabulary], with gradients.

    Args:
        lm: a model that packs.
        tree: the row.
        nodes: whose logits are wanted, each once; the head is computed nowhere else.
    """
    import torch

    # Behind a soft prompt the row stands as behind a kept prefix, whose gradients are wanted.
    past = soft_tokens(lm.model)
    kept = {"past_key_values": opening(lm.model)} if past else {}
    given = {
        **tree_inputs(lm.model, tree, past),
        **kept,
        "use_cache": bool(past),
        "logits_to_keep": torch.tensor(nodes, device=lm.model.device),
    }
    return lm.tree_logits(given, tree)


def _packed(lm: LanguageModel, rows: Sequence[Choice]) -> Tensor:
    """Return each text's log-likelihood from one packed row, [texts]."""
    import torch

    # A text's first token is predicted at the prompt's last, and its last token predicts nothing,
    # so it is no node of the tree.
    tree = TokenTree()
    wanted: list[tuple[int, int]] = []  # (node whose logits predict, the token predicted)
    owners: list[int] = []  # of each of these, the text that it belongs to
    texts = 0
    for prompt, following in rows:
        end = tree.add(prompt)[-1]
        for text in following:
            wanted += zip([end, *tree.add(text[:-1], after=end)], text, strict=True)
            owners += [texts] * len(text)
            texts += 1

    # One node may predict the first tokens of many texts, and its logits are computed once.
    nodes = sorted({node for node, _ in wanted})
    place_of = {node: place for place, node in enumerate(nodes)}
    logprobs = forward(lm, tree, nodes).float().log_softmax(dim=-1)  # [nodes, vocabulary]
    device = logprobs.device
    places = torch.tensor([place_of[node] for node, _ in wanted], device=device)
    tokens = torch.tensor([token for _, token in wanted], device=device)  # [wanted]
    of = torch.tensor(owners, device=device)  # [wanted]
    return torch.zeros(texts, device=device).index_add(0, of, logprobs[places, tokens])
