"""Keeps the computation of the prefix that requests share (instruction, demonstrations).

Sharing is found from the tokens: a call's prompts among each other and with the calls before.
The first request computes everything, the second finds what it has in common with the first and
keeps it, later ones reuse it. One prefix is kept, and it only shrinks or grows to what is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.lm.tree import common_prefix_length

SHORTEST = 16
"""Tokens below which a prefix is not worth a forward pass of its own."""


class PrefixCache:
    """The one kept prefix of a model: its tokens and their keys and values."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._tokens: list[int] = []
        self._keys_values: Any = None
        self._last_prompt: list[int] | None = None

    def take(self, model: Any, prompts: Sequence[list[int]]) -> tuple[int, int, Any]:
        """Return what these prompts can skip.

        Args:
            model: a transformers causal model.
            prompts: token ids of all prompts of a call.

        Returns:
            The number of leading tokens that all prompts may leave out (never a whole prompt);
            how many of those were kept from earlier calls; and their keys and values, to be
            handed back by `restore` after every forward pass.
        """
        shared = min(common_prefix_length(prompts), min(len(prompt) for prompt in prompts) - 1)
        reusable = min(shared, common_prefix_length([prompts[0], self._tokens]))
        if len(prompts) == 1:
            # A lone prompt shares with its predecessor, not with itself.
            last = self._last_prompt
            before = common_prefix_length([prompts[0], last]) if last is not None else 0
            shared = max(reusable, min(shared, before))
        self._last_prompt = prompts[0]
        if self._tokens and reusable < SHORTEST:
            self._tokens, self._keys_values, reusable = [], None, 0
        elif reusable < len(self._tokens):
            self._keep(prompts[0][:reusable])
        if shared - reusable >= SHORTEST:
            self._extend(model, prompts[0][:shared])
        return len(self._tokens), reusable, self._keys_values

    def restore(self) -> None:
        """Cut the keys and values back to the prefix after a forward pass appended to them."""
        if self._keys_values is None:
            return
        surplus = self._keys_values.get_seq_length() - len(self._tokens)
        if surplus > 0:
            self._keys_values.crop(-surplus)  # a negative number is how many to take off

    def _keep(self, tokens: list[int]) -> None:
        self._tokens = tokens
        self.restore()

    def _extend(self, model: Any, tokens: list[int]) -> None:
        import torch
        from transformers import DynamicCache

        if self._keys_values is None:
            self._keys_values = DynamicCache(config=model.config)
        new = torch.tensor([tokens[len(self._tokens) :]], device=model.device)
        with torch.inference_mode():
            model(
                input_ids=new, past_key_values=self._keys_values, use_cache=True, logits_to_keep=1
            )
        self._tokens = tokens
