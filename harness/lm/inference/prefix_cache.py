"""Keeps the computation of a prefix that requests share (instruction, demonstrations, a passage).

Sharing is found from the tokens: a call's prompts among each other and with the calls before. One
path of tokens is kept with its keys and values. It is cut back and grown as the work moves through
the tree of a call's prompts, so a prefix stays just as long as it is useful. Knows nothing of what
is computed behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.lm.inference.soft_prompt import opening, soft_tokens, underneath
from harness.lm.inference.token_tree import common_prefix_length

SHORTEST = 16
"""Tokens below which a prefix is not worth a forward pass of its own."""


class PrefixCache:
    """The one kept prefix of a model: its tokens and their keys and values."""

    def __init__(self) -> None:
        self.clear()

    def __len__(self) -> int:
        """Return the number of tokens that are kept."""
        return len(self._tokens)

    def clear(self) -> None:
        """Forget everything."""
        self._tokens: list[int] = []
        self._last_prompt: list[int] | None = None
        """The first of the last call: what the next lone prompt shares with it is worth keeping."""
        self._learnt = 0
        """Vectors of a soft prompt, which stand before the tokens."""
        self.keys_values: Any = None
        """For the model's `past_key_values`; None while nothing is kept."""

    @property
    def past(self) -> int:
        """Number of positions before what is computed next: the kept tokens and a soft prompt."""
        return self._learnt + len(self._tokens)

    def begin(self, model: Any, prompts: Sequence[list[int]], at_once: int) -> int:
        """Keep what all prompts of a call share, computing what is new of it.

        Args:
            model: a transformers causal model.
            prompts: token ids of all prompts of the call; of a lone one, what it shares with the
                one before is kept: it shares nothing with itself.
            at_once: most tokens to compute in one pass.

        Returns:
            How many tokens were there already from earlier calls.
        """
        # Never a whole prompt: its last token has to be computed, for what follows it.
        shared = min(common_prefix_length(prompts), min(len(prompt) for prompt in prompts) - 1)
        reusable = min(shared, common_prefix_length([prompts[0], self._tokens]))

        # A lone prompt shares all of itself with itself. What it shares with the one before is what
        # the next one is likely to share with it.
        if len(prompts) == 1:
            last = self._last_prompt
            before = common_prefix_length([prompts[0], last]) if last is not None else 0
            shared = max(reusable, min(shared, before))
        self._last_prompt = prompts[0]

        # Short pieces are not worth a pass of their own; they are computed with the row.
        if reusable < SHORTEST:
            reusable = 0
        grown = shared if shared - reusable >= SHORTEST else reusable
        self.become(model, prompts[0][:grown], at_once)
        return reusable

    def become(self, model: Any, tokens: list[int], at_once: int) -> None:
        """Keep exactly these tokens, computing those that are not there yet.

        Args:
            model: a transformers causal model.
            tokens: token ids from the beginning of a sequence.
            at_once: most tokens to compute in one pass.
        """
        import torch

        # Cut back first: whatever fails below, tokens and keys still belong together.
        common = common_prefix_length([tokens, self._tokens])
        self._tokens = tokens[:common]
        self.restore()

        # With nothing to keep the model is run without a cache, which is faster. A soft prompt has
        # keys and values even then.
        learnt = soft_tokens(model)
        if not tokens and not learnt:
            self.keys_values = None
        elif self.keys_values is None:
            with torch.inference_mode():
                self.keys_values, self._learnt = opening(model), learnt

        # In pieces that fit the memory. The pass appends to the cache; its logits are not wanted,
        # and one position is the fewest that transformers can be asked for.
        for start in range(common, len(tokens), at_once):
            part = tokens[start : start + at_once]
            with torch.inference_mode():
                underneath(model)(
                    input_ids=torch.tensor([part], device=model.device),  # [1, tokens]
                    past_key_values=self.keys_values,
                    use_cache=True,
                    logits_to_keep=1,
                )
            self._tokens = tokens[: start + len(part)]

    def restore(self) -> None:
        """Cut the keys and values back to the kept tokens after a forward pass appended to them."""
        if self.keys_values is None:
            return
        surplus = self.keys_values.get_seq_length() - self.past
        if surplus > 0:
            self.keys_values.crop(-surplus)  # a negative number is how many to take off
