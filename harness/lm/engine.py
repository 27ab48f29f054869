"""Runs a causal model over packed token trees: log-likelihoods of options, exactly.

Every prompt with its options is a tree; trees are packed into rows with a mask that lets a token
see its ancestors alone, so what is shared is computed once and no padding is computed at all.
Models whose attention does not take such a mask (a sliding window, recurrent layers) are found by
`packing_is_exact` when they are loaded and take the plain path: one sequence at a time.
Knows nothing of tasks, labels' meaning or metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any

from harness.errors import ModelError
from harness.lm.model import LanguageModel
from harness.lm.tree import TokenTree

PACK_TOKENS = 512
"""Tokens in a packed row: enough to fill two CPU cores, few enough to keep the mask small."""
HALF_PRECISION_STEP = 0.25
"""Two roundings of a logit between 16 and 32 in bfloat16, which has 8 bits: 2 × 2⁴ / 2⁷."""
LOGIT_ROWS = 256
"""Rows of logits computed at once (a row of 50,000 words is 200 kB in float32)."""


def score_options(
    lm: LanguageModel, prompts: Sequence[list[int]], options: Sequence[Sequence[list[int]]]
) -> tuple[list[list[float]], int]:
    """Return log p(option | prompt) for each option of each prompt.

    Args:
        lm: the model.
        prompts: token ids of each prompt; at least one token each.
        options: for each prompt, the token ids of its options; at least one token each.

    Returns:
        One list of natural-log likelihoods a prompt, in the order of its options; and how many
        prompt tokens were kept from earlier calls.

    Raises:
        ModelError: a sequence is longer than the model's context, or a likelihood is NaN.
    """
    _check_lengths(lm, prompts, options)
    if not prompts:
        return [], 0
    if not lm.packed:
        return [_plain(lm, p, o) for p, o in zip(prompts, options, strict=True)], 0
    skip, reused, keys_values = lm.prefix.take(lm.model, prompts)
    scores: list[list[float]] = []
    for first, last in _rows(prompts, options, skip):
        scores += _packed(lm, prompts[first:last], options[first:last], skip, keys_values)
        lm.prefix.restore()
    return scores, reused


def packing_is_exact(lm: LanguageModel) -> bool:
    """Compare two packed branches with two plain passes, and so decide the path for this model.

    Windowed layers are not packed at all: a mask over the whole row would widen their window.
    """
    config = lm.model.config
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"} or getattr(config, "sliding_window", None):
        return False
    words = [token for token in range(5, 45) if token < config.vocab_size]
    prompts, options = [words[:24], words[:20] + words[30:36]], [[words[:3], words[1:5]]] * 2
    try:
        plain = [_plain(lm, p, o) for p, o in zip(prompts, options, strict=True)]
        packed = _packed(lm, prompts, options, 0, None)
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, ModelError):
        return False
    per_token = 1e-3 if str(lm.model.dtype) == "torch.float32" else HALF_PRECISION_STEP
    return all(
        abs(a - b) <= per_token * len(option)
        for plain_row, packed_row, row in zip(plain, packed, options, strict=True)
        for a, b, option in zip(plain_row, packed_row, row, strict=True)
    )


def tree_inputs(model: Any, tree: TokenTree, past: int) -> dict[str, Any]:
    """Return the tensors that make a model compute a packed row.

    Args:
        model: a transformers causal model.
        tree: n nodes.
        past: p tokens of kept prefix that all nodes see.

    Returns:
        input_ids [1, n], position_ids [1, n], attention_mask [1, 1, n, p + n] (0 or the lowest
        number of the model's dtype, which every attention implementation adds to its scores).
    """
    import torch

    visible = torch.from_numpy(tree.visible())
    mask = torch.full(visible.shape, torch.finfo(model.dtype).min, dtype=model.dtype)
    mask.masked_fill_(visible, 0.0)
    if past:
        mask = torch.cat([torch.zeros(len(tree), past, dtype=model.dtype), mask], dim=1)
    return {
        "input_ids": torch.tensor([tree.tokens], device=model.device),
        "position_ids": torch.tensor([tree.depths], device=model.device) + past,
        "attention_mask": mask[None, None].to(model.device),
    }


def _rows(
    prompts: Sequence[list[int]], options: Sequence[Sequence[list[int]]], skip: int
) -> Iterator[tuple[int, int]]:
    """Cut the prompts into runs whose trees fit a packed row (a single one may exceed it)."""
    first, tokens = 0, 0
    for position, (prompt, choices) in enumerate(zip(prompts, options, strict=True)):
        size = len(prompt) - skip + sum(len(option) - 1 for option in choices)
        if tokens and tokens + size > PACK_TOKENS:
            yield first, position
            first, tokens = position, 0
        tokens += size
    yield first, len(prompts)


def _packed(
    lm: LanguageModel,
    prompts: Sequence[list[int]],
    options: Sequence[Sequence[list[int]]],
    skip: int,
    keys_values: Any,
) -> list[list[float]]:
    import torch

    tree = TokenTree()
    wanted: list[tuple[int, int]] = []  # (node whose logits predict, the token predicted)
    sizes: list[list[int]] = []
    for prompt, choices in zip(prompts, options, strict=True):
        end = tree.add(prompt[skip:])[-1]
        for option in choices:
            path = [end, *tree.add(option[:-1], after=end)]
            wanted += zip(path, option, strict=True)
        sizes.append([len(option) for option in choices])

    nodes = sorted({node for node, _ in wanted})
    row_of = {node: row for row, node in enumerate(nodes)}
    with torch.inference_mode():
        logits = lm.model(
            **tree_inputs(lm.model, tree, skip),
            past_key_values=keys_values,
            use_cache=keys_values is not None,
            logits_to_keep=torch.tensor(nodes, device=lm.model.device),
        ).logits[0]
        rows = torch.tensor([row_of[node] for node, _ in wanted], device=logits.device)
        tokens = torch.tensor([token for _, token in wanted], device=logits.device)
        normaliser = torch.cat(
            [part.float().logsumexp(dim=-1) for part in logits.split(LOGIT_ROWS)]
        )
        values = (logits[rows, tokens].float() - normaliser[rows]).tolist()
    return _summed(lm, values, sizes)


def _plain(lm: LanguageModel, prompt: list[int], options: Sequence[list[int]]) -> list[float]:
    import torch

    values: list[float] = []
    for option in options:
        ids = torch.tensor([prompt + option[:-1]], device=lm.model.device)
        with torch.inference_mode():
            logits = lm.model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 :]
            chosen = torch.tensor(option, device=logits.device)[:, None]
            values += logits.float().log_softmax(dim=-1).gather(1, chosen)[:, 0].tolist()
    return _summed(lm, values, [[len(option) for option in options]])[0]


def _summed(lm: LanguageModel, values: list[float], sizes: list[list[int]]) -> list[list[float]]:
    remaining = iter(values)
    sums = [[sum(next(remaining) for _ in range(size)) for size in row] for row in sizes]
    if any(isnan(value) for row in sums for value in row):
        raise ModelError(
            f"'{lm.ref.name}' gave NaN in {lm.model.dtype} → set `dtype: float32` in the task"
        )
    return sums


def _check_lengths(
    lm: LanguageModel, prompts: Sequence[list[int]], options: Sequence[Sequence[list[int]]]
) -> None:
    for number, (prompt, choices) in enumerate(zip(prompts, options, strict=True)):
        if not prompt or not choices or not all(choices):
            raise ModelError(f"prompt {number} or one of its options has no tokens")
        lm.check_room(number, len(prompt) + max(len(option) for option in choices))
