"""Greedy generation for many prompts at once, as one growing token tree.

All rows live in one packed sequence over one set of keys and values. A shared prefix stands there
once, whatever the number of rows; no padding is computed; and a row that has ended adds no more
nodes. Models that cannot be packed go through transformers' own `generate`. Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError
from harness.lm.inference import plain
from harness.lm.inference.attention import masks, tree_inputs, windows
from harness.lm.inference.batching import groups
from harness.lm.inference.grammar import Grammar, GrammarState
from harness.lm.inference.soft_prompt import underneath
from harness.lm.inference.token_tree import TokenTree
from harness.lm.sizing.footprint import generation_bytes_per_token, scoring_bytes_per_token, shape

if TYPE_CHECKING:
    from torch import Tensor

    from harness.lm.local_model import LanguageModel

MOST_GROUP_TOKENS = {"cpu": 4096, "cuda": 16384}
"""What a group's tree may grow to. Every new token attends to all of it, and its mask grows with
the square."""


@dataclass(frozen=True)
class Ending:
    """When a row is over, besides its end token."""

    max_new_tokens: int
    stop: Sequence[str] = ()
    """A row ends once its text holds one of these."""
    grammars: Sequence[Grammar | None] = ()
    """For each row: only what it allows is written, and the row ends when nothing more may follow.
    Empty: anything may be written."""

    def of(self, rows: Sequence[int]) -> Ending:
        """Return the same for some of the rows."""
        return replace(self, grammars=[self.grammars[row] for row in rows if self.grammars])

    def states(self) -> list[GrammarState | None]:
        """Return where each row stands before its first token; none where there are no grammars."""
        return [None if grammar is None else grammar.start() for grammar in self.grammars]


class Written(list[int]):
    """The tokens that a row was continued with, and how likely the model found each."""

    def __init__(self, tokens: Sequence[int] = (), logprobs: Sequence[float] = ()):
        """Begin with what was written already.

        Args:
            tokens: without the one that ended the row.
            logprobs: natural logarithm of each one's probability among those that were allowed,
                and of the end's behind them.
        """
        super().__init__(tokens)
        self.logprobs = list(logprobs)


def generate_tokens(
    lm: LanguageModel,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    stop: Sequence[str] = (),
    grammars: Sequence[Grammar | None] = (),
) -> tuple[list[Written], int]:
    """Continue each prompt with its most likely tokens.

    Args:
        lm: the model.
        prompts: token ids; at least one each.
        max_new_tokens: after so many a row ends at the latest.
        stop: a row ends once its text holds one of these.
        grammars: what each row may write; none, or None for a row: anything.

    Returns:
        The new tokens of each row, without the token that ended it; and how many prompt tokens
        were kept from earlier calls.

    Raises:
        ModelError: a prompt with its answer does not fit the model's context, or a logit is NaN.
    """
    for number, prompt in enumerate(prompts):
        lm.check_room(number, len(prompt), max_new_tokens)
    if not prompts:
        return [], 0
    return lm.route.generate(lm, prompts, Ending(max_new_tokens, stop, grammars))


def generate_packed(
    lm: LanguageModel, prompts: Sequence[list[int]], ending: Ending
) -> tuple[list[Written], int]:
    """Return what `generate_tokens` does, from packed rows, unchecked."""
    outputs: dict[int, Written] = {}
    reused = lm.rows.run(partial(lm.prefix.begin, lm.model, prompts), lm.prefix.clear)
    base = prompts[0][: len(lm.prefix)]
    lm.rows.run(partial(_packed, lm, prompts, base, ending, outputs), lm.prefix.clear)
    return [outputs[row] for row in range(len(prompts))], reused


def generate_plain(
    lm: LanguageModel, prompts: Sequence[list[int]], ending: Ending
) -> tuple[list[Written], int]:
    """Return what `generate_tokens` does, through transformers' own `generate`, unchecked."""
    outputs: dict[int, Written] = {}
    lm.rows.run(partial(_plain, lm, prompts, ending, outputs))
    return [outputs[row] for row in range(len(prompts))], 0


def _packed(
    lm: LanguageModel,
    prompts: Sequence[list[int]],
    base: list[int],
    ending: Ending,
    outputs: dict[int, Written],
    at_once: int,
) -> None:
    """Answer the prompts that have no output yet, group by group."""
    lm.prefix.become(lm.model, base, at_once)
    left = [row for row in range(len(prompts)) if row not in outputs]
    grown = {row: len(prompts[row]) - len(base) + ending.max_new_tokens for row in left}
    for rows in groups(grown, _group_tokens(lm, at_once)):
        group = _Group(lm, [prompts[row] for row in rows], ending.of(rows))
        outputs.update(zip(rows, group.run(), strict=True))
        lm.prefix.restore()


def _group_tokens(lm: LanguageModel, at_once: int) -> int:
    """Return what a group may grow to in the memory that so many scored tokens would take."""
    sizes, itemsize = shape(lm.model.config), lm.model.dtype.itemsize
    scored = scoring_bytes_per_token(sizes, itemsize)
    fitting = at_once * scored // generation_bytes_per_token(sizes, itemsize)
    return int(min(MOST_GROUP_TOKENS[lm.model.device.type], fitting))


class _Keys:
    """The keys of all rows in one sequence: the past, the prompts' nodes, then the new tokens."""

    def __init__(self, tree: TokenTree, paths: Sequence[list[int]], past: int, most: int):
        """Lay out what is there before the first new token.

        Args:
            tree: of the prompts behind the past.
            paths: each row's nodes in it.
            past: positions before the tree, which every row attends to.
            most: new tokens that each row may add.
        """
        import torch

        # Room for the longest answers is made at once: tensors that grow are copied at each step.
        self.size = past + len(tree)
        self.seen = torch.zeros(len(paths), self.size + len(paths) * most, dtype=torch.bool)
        """[rows, keys], whether a row's next token attends to a key."""
        self.seen[:, :past] = True
        for row, path in enumerate(paths):
            self.seen[row, torch.tensor(path) + past] = True

        # Keys lie in the order of their computation; windows are measured in a row's own sequence.
        self.positions = torch.zeros(self.seen.shape[1], dtype=torch.int64)
        """[keys], where each stands in its own sequence."""
        depths = [*range(past), *(past + depth for depth in tree.depths)]
        self.positions[: self.size] = torch.tensor(depths)

    def add(self, row: int, position: int) -> None:
        """Add a row's new token, which no other row attends to."""
        self.seen[row, self.size] = True
        self.positions[self.size] = position
        self.size += 1


class _Group:
    """Rows that grow together in one packed sequence behind the kept prefix."""

    def __init__(self, lm: LanguageModel, prompts: Sequence[list[int]], ending: Ending):
        from transformers import DynamicCache

        self.lm = lm
        self.prompts = prompts
        self.ending = ending
        self.kept = len(lm.prefix)
        self.past = lm.prefix.past
        kept = lm.prefix.keys_values
        self.keys_values = DynamicCache() if kept is None else kept
        self.windows = windows(lm.model.config) or {}
        self.new = [Written() for _ in prompts]
        """Tokens written so far, one list a row."""
        self.states = ending.states()

    def run(self) -> list[Written]:
        """Grow every row to its end and return the new tokens of each."""
        import torch

        # The first pass reads all prompts; every later one reads one new token of each active row.
        tree = TokenTree()
        paths = [tree.add(prompt[self.kept :]) for prompt in self.prompts]
        keys = _Keys(tree, paths, self.past, self.ending.max_new_tokens)
        inputs = tree_inputs(self.lm.model, tree, self.past)
        wanted = torch.tensor([path[-1] for path in paths], device=self.lm.model.device)  # [rows]
        active = list(range(len(paths)))
        for step in range(self.ending.max_new_tokens):
            for row, (token, logprob) in zip(
                active, self._next(inputs, wanted, active), strict=True
            ):
                self.new[row].append(token)
                self.new[row].logprobs.append(logprob)
            active = [row for row in active if not self._has_ended(row)]
            if not active or step == self.ending.max_new_tokens - 1:
                break  # the last tokens predict nothing that is wanted
            for row in active:
                behind = len(self.prompts[row]) - self.kept + len(self.new[row]) - 1
                keys.add(row, self.past + behind)
            inputs = self._grown(active, keys)
            wanted = torch.arange(len(active), device=self.lm.model.device)  # [active]
        return self.new

    def _next(
        self, inputs: dict[str, Any], wanted: Tensor, active: Sequence[int]
    ) -> list[tuple[int, float]]:
        """Return the most likely allowed token after each wanted node, one an active row.

        With each goes the natural logarithm of its probability among those that are allowed.

        Args:
            inputs: what the model is handed.
            wanted: [active], the nodes whose logits are computed.
            active: the rows that go on.

        Raises:
            ModelError: a logit is NaN, or the grammar allows no token.
        """
        import torch

        with torch.inference_mode():
            logits = underneath(self.lm.model)(
                **inputs, past_key_values=self.keys_values, use_cache=True, logits_to_keep=wanted
            ).logits[0]  # [active, vocabulary]
            if bool(logits.isnan().any()):
                raise ModelError(f"'{self.lm.ref.name}' gave NaN in {self.lm.model.dtype}")
            for place, row in enumerate(active):
                if (state := self._state(row)) is not None:
                    state.forbid(logits[place])
            logprobs, tokens = logits.float().log_softmax(dim=-1).max(dim=-1)  # [active] each
        return list(zip(tokens.tolist(), logprobs.tolist(), strict=True))

    def _grown(self, active: Sequence[int], keys: _Keys) -> dict[str, Any]:
        """Return the model's inputs for one new node of each active row.

        Args:
            active: the rows, in the order of their new nodes, which are the last keys.
            keys: of all rows.
        """
        import torch

        model = self.lm.model
        seen = keys.seen[active, : keys.size]  # [active, keys]
        positions = keys.positions[: keys.size]  # [keys]
        new = positions[-len(active) :]  # [active]
        near = {  # each kind of layer's [active, keys]
            kind: seen if window is None else seen & (new[:, None] - positions < window)
            for kind, window in self.windows.items()
        }
        return {
            "input_ids": torch.tensor([[self.new[r][-1] for r in active]], device=model.device),
            "position_ids": new[None].to(model.device),
            "attention_mask": masks(model, near),
        }

    def _state(self, row: int) -> GrammarState | None:
        return self.states[row] if self.states else None

    def _has_ended(self, row: int) -> bool:
        """Tell whether a row's last token ended it; the end itself is taken off."""
        new = self.new[row]
        if new[-1] in self.lm.ends:
            new.pop()
            return True
        if (state := self._state(row)) is not None:
            state.accept(new[-1])
            if state.complete:
                return True
        # Stop words are looked for in the whole text: a word may be spread over several tokens.
        stop = self.ending.stop
        return bool(stop) and any(word in self.lm.tokenizer.decode(new) for word in stop)


def _plain(
    lm: LanguageModel,
    prompts: Sequence[list[int]],
    ending: Ending,
    outputs: dict[int, Written],
    at_once: int,
) -> None:
    """Answer the prompts that have no output yet, in batches of one length each.

    Padding on the left would shift positions, so there is none: prompts of other lengths wait.
    """
    by_length: dict[int, list[int]] = {}
    for row, prompt in enumerate(prompts):
        if row not in outputs:
            by_length.setdefault(len(prompt), []).append(row)
    for length, rows in by_length.items():
        width = max(1, at_once // (length + ending.max_new_tokens))
        for start in range(0, len(rows), width):
            part = rows[start : start + width]
            new = plain.generate(lm, [prompts[row] for row in part], ending.of(part))
            written = [Written(*one) for one in new]
            outputs.update(zip(part, written, strict=True))
