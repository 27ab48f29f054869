"""What a model's last layer makes of a prompt's last token: the state that its head reads.

Taken where the output embeddings are called, so that it is the same place in every architecture,
behind the last normalisation. Knows nothing of what is made of the states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.lm.inference import encoder_decoder, plain
from harness.lm.inference.attention import tree_inputs
from harness.lm.inference.soft_prompt import opening, soft_tokens, underneath
from harness.lm.inference.token_tree import TokenTree

if TYPE_CHECKING:
    from torch import Tensor

    from harness.lm.local_model import LanguageModel


def of_tree(
    lm: LanguageModel, prompts: Sequence[list[int]], past: int | None = None, kept: Any = None
) -> Tensor:
    """Return the states from one packed row, [prompts, hidden], with gradients.

    Args:
        lm: a model that packs.
        prompts: token ids of each behind what is kept; at least one.
        past: positions that stand before the row, computed earlier; None: a soft prompt's alone,
            which is computed anew, with its gradients.
        kept: their keys and values.
    """
    import torch

    if past is None:
        past = soft_tokens(lm.model)
        kept = opening(lm.model) if past else None
    tree = TokenTree()
    ends = [tree.add(prompt)[-1] for prompt in prompts]
    nodes = sorted(set(ends))
    place_of = {node: place for place, node in enumerate(nodes)}
    given = {
        **tree_inputs(lm.model, tree, past),
        "past_key_values": kept,
        "use_cache": kept is not None,
        "logits_to_keep": torch.tensor(nodes, device=lm.model.device),
    }
    found = _seen_by_head(lm, lambda: lm.tree_logits(given, tree))[0]  # [nodes, hidden]
    return found[torch.tensor([place_of[end] for end in ends], device=found.device)]


def padded(lm: LanguageModel, prompts: Sequence[list[int]]) -> Tensor:
    """Return the states from one padded batch, [prompts, hidden], with gradients."""
    import torch

    width = max(map(len, prompts))
    tail = width - min(map(len, prompts)) + 1
    found = _seen_by_head(lm, lambda: plain.padded_logits(lm, prompts, tail))[:, -tail:]
    ends = [len(prompt) - 1 - (width - tail) for prompt in prompts]
    rows = torch.arange(len(prompts), device=found.device)
    return found[rows, torch.tensor(ends, device=found.device)]


def of_decoder(lm: LanguageModel, prompts: Sequence[list[int]]) -> Tensor:
    """Return the states of the decoder's first token, [prompts, hidden], with gradients."""
    import torch

    start = encoder_decoder.decoder_start(lm.model)
    ids = torch.full((len(prompts), 1), start, device=lm.model.device)
    return _seen_by_head(lm, lambda: encoder_decoder.padded_logits(lm, prompts, ids))[:, -1]


def _seen_by_head(lm: LanguageModel, run: Callable[[], Any]) -> Tensor:
    """Return what a pass hands to the output embeddings."""
    seen: list[Tensor] = []
    head = underneath(lm.model).get_output_embeddings()
    handle = head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        run()
    finally:
        handle.remove()
    return seen[-1]
