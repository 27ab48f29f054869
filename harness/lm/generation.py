"""Greedy generation for many prompts at once, as one growing token tree.

All rows live in one packed sequence over one set of keys and values: a shared prefix stands there
once, whatever the number of rows, no padding is computed, and a row that has ended simply adds no
more nodes. Models that cannot be packed go through transformers' own `generate`.
Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.errors import ModelError
from harness.lm.chat import end_of_turn
from harness.lm.engine import tree_inputs
from harness.lm.model import LanguageModel
from harness.lm.tree import TokenTree

TREE_TOKENS = 4096
"""Nodes that a group of rows may grow to: bounds the mask and the keys and values."""
PLAIN_BATCH = 8


def generate_tokens(
    lm: LanguageModel, prompts: Sequence[list[int]], max_new_tokens: int, stop: Sequence[str] = ()
) -> tuple[list[list[int]], int]:
    """Continue each prompt with its most likely tokens.

    Args:
        lm: the model.
        prompts: token ids; at least one each.
        max_new_tokens: after so many a row ends at the latest.
        stop: a row ends once its text holds one of these.

    Returns:
        The new tokens of each row, without the token that ended it; and how many prompt tokens
        were kept from earlier calls.

    Raises:
        ModelError: a prompt with its answer does not fit the model's context.
    """
    for number, prompt in enumerate(prompts):
        lm.check_room(number, len(prompt) + max_new_tokens)
    if not prompts:
        return [], 0
    if not lm.packed:
        return _plain(lm, prompts, max_new_tokens, stop), 0
    skip, reused, keys_values = lm.prefix.take(lm.model, prompts)
    outputs: dict[int, list[int]] = {}
    for rows in _groups(prompts, skip, max_new_tokens):
        group = _Group(lm, [prompts[row] for row in rows], skip, keys_values)
        outputs.update(zip(rows, group.run(max_new_tokens, stop), strict=True))
        lm.prefix.restore()
    return [outputs[row] for row in range(len(prompts))], reused


class _Group:
    """Rows that grow together in one packed sequence."""

    def __init__(
        self, lm: LanguageModel, prompts: Sequence[list[int]], skip: int, keys_values: Any
    ):
        from transformers import DynamicCache

        self.lm = lm
        self.prompts = prompts
        self.skip = skip
        self.keys_values = (
            DynamicCache(config=lm.model.config) if keys_values is None else keys_values
        )
        self.ends = {end_of_turn(lm.tokenizer), lm.tokenizer.eos_token_id}
        self.new: list[list[int]] = [[] for _ in prompts]

    def run(self, max_new_tokens: int, stop: Sequence[str]) -> list[list[int]]:
        """Grow every row to its end and return the new tokens of each."""
        import torch

        tree = TokenTree()
        paths = [tree.add(prompt[self.skip :]) for prompt in self.prompts]
        device = self.lm.model.device
        # seen[r, j]: row r attends to node j. Nodes of all rows stand side by side.
        seen = torch.zeros(len(paths), len(tree) + len(paths) * max_new_tokens, dtype=torch.bool)
        for row, path in enumerate(paths):
            seen[row, path] = True
        active = list(range(len(paths)))
        inputs, nodes = tree_inputs(self.lm.model, tree, self.skip), len(tree)
        wanted = torch.tensor([path[-1] for path in paths], device=device)
        for step in range(max_new_tokens):
            tokens = self._next(inputs, wanted)
            for row, token in zip(active, tokens, strict=True):
                self.new[row].append(token)
            active = [row for row in active if not self._has_ended(row, stop)]
            if not active or step == max_new_tokens - 1:
                break
            for place, row in enumerate(active):
                seen[row, nodes + place] = True
            nodes += len(active)
            inputs = self._grown(active, seen[active, :nodes])
            wanted = torch.arange(len(active), device=device)
        return self.new

    def _next(self, inputs: dict[str, Any], wanted: Any) -> list[int]:
        """Return the most likely token after each wanted node."""
        import torch

        with torch.inference_mode():
            logits = self.lm.model(
                **inputs,
                past_key_values=self.keys_values,
                use_cache=True,
                logits_to_keep=wanted,
            ).logits[0]
        if bool(logits.isnan().any()):
            raise ModelError(f"'{self.lm.ref.name}' gave NaN in {self.lm.model.dtype}")
        tokens: list[int] = logits.argmax(dim=-1).tolist()
        return tokens

    def _grown(self, active: Sequence[int], seen: Any) -> dict[str, Any]:
        """Return the model's inputs for one new node of each active row.

        Args:
            active: the rows, in the order of their new nodes.
            seen: [active, nodes] bool, which of all nodes each of them attends to.
        """
        import torch

        model = self.lm.model
        mask = torch.zeros(len(active), self.skip + seen.shape[1], dtype=model.dtype)
        mask[:, self.skip :].masked_fill_(~seen, torch.finfo(model.dtype).min)
        tokens = [self.new[row][-1] for row in active]
        positions = [len(self.prompts[row]) + len(self.new[row]) - 1 for row in active]
        return {
            "input_ids": torch.tensor([tokens], device=model.device),
            "position_ids": torch.tensor([positions], device=model.device),
            "attention_mask": mask[None, None].to(model.device),
        }

    def _has_ended(self, row: int, stop: Sequence[str]) -> bool:
        new = self.new[row]
        if new[-1] in self.ends:
            new.pop()
            return True
        return bool(stop) and any(word in self.lm.tokenizer.decode(new) for word in stop)


def _groups(prompts: Sequence[list[int]], skip: int, max_new_tokens: int) -> Iterator[list[int]]:
    """Cut the rows, shortest first, into groups whose trees stay within bounds."""
    group: list[int] = []
    size = 0
    for row in sorted(range(len(prompts)), key=lambda row: len(prompts[row])):
        grown = len(prompts[row]) - skip + max_new_tokens
        if group and size + grown > TREE_TOKENS:
            yield group
            group, size = [], 0
        group.append(row)
        size += grown
    yield group


def _plain(
    lm: LanguageModel, prompts: Sequence[list[int]], max_new_tokens: int, stop: Sequence[str]
) -> list[list[int]]:
    outputs: dict[int, list[int]] = {}
    order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
    for start in range(0, len(order), PLAIN_BATCH):
        rows = order[start : start + PLAIN_BATCH]
        new = _batch(lm, [prompts[row] for row in rows], max_new_tokens, stop)
        outputs.update(zip(rows, new, strict=True))
    return [outputs[row] for row in range(len(prompts))]


def _batch(
    lm: LanguageModel, batch: Sequence[list[int]], max_new_tokens: int, stop: Sequence[str]
) -> list[list[int]]:
    import torch

    width = max(map(len, batch))
    ends = [end_of_turn(lm.tokenizer), lm.tokenizer.eos_token_id]
    pad = lm.tokenizer.pad_token_id if lm.tokenizer.pad_token_id is not None else ends[0]
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in batch])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
    with torch.inference_mode():
        output = lm.model.generate(
            input_ids=ids.to(lm.model.device),
            attention_mask=mask.to(lm.model.device),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            eos_token_id=ends,
            pad_token_id=pad,
            **({"stop_strings": list(stop), "tokenizer": lm.tokenizer} if stop else {}),
        )
    new = []
    for row in output[:, width:].tolist():
        length = next((i for i, token in enumerate(row) if token in ends), len(row))
        new.append(row[:length])
    return new
