"""The check that decides a model's route: does it compute packed rows as it computes plain ones?

An attention implementation may ignore a mask or bend it silently (a sliding window, positions
taken from the row instead of from the inputs, recurrent layers). So a model is packed only if a
packed row gives it the same numbers as one sequence at a time does.

Whether it does is a property of each kind of layer, not of each layer. So only the first layers
are checked: as many as hold one of every kind. They are cast to float32, since half precision would
hide a wrong mask behind its rounding, and what the model's head would read of them is compared.
The whole model is cast and its logits are compared only where the first layers cannot be run alone:
where transformers does not name the decoder or the head, where the layers are in no list of their
own, and where a plain pass fails because it mixes number formats. `Verdict.checked` says which.

Knows nothing of tasks, nor of where verdicts are kept (packing_verdict.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import is_out_of_memory
from harness.lm.inference.attention import tree_inputs, windows
from harness.lm.inference.batching import plan_rows
from harness.lm.inference.prefix_cache import SHORTEST, PrefixCache
from harness.lm.inference.token_tree import TokenTree
from harness.lm.loading.first_layers import CannotRunAloneError, Read, first_layers_alone, float32
from harness.lm.sizing.budget import FEWEST_TOKENS

if TYPE_CHECKING:
    from torch import Tensor

RELATIVE_ERROR = 1e-4
"""Largest distance between a token's two vectors that is rounding in float32, relative to their
length. Models that pack differ by 1e-6 or less, planted faults by 0.1 to 1."""
CHECKED_WINDOW = 8
"""What a sliding window is shrunk to for the check, in tokens."""
LONGEST_STEM = 1024
"""Tokens. A model that hides a window longer than this in its layers is not packed."""


@dataclass(frozen=True)
class Verdict:
    """Whether a model's rows are packed, and what that rests on."""

    packs: bool
    checked: str
    """In words: what was compared."""
    final: bool = True
    """False if memory ran out: another time it may be found otherwise."""


def check_packing(model: Any) -> Verdict:
    """Compare packed branches, longer than any window, with plain passes.

    Checked are both ways a row is computed: by itself, as in training, and behind a kept prefix.
    When this returns, the model is as it was before, to the bit.

    Args:
        model: a transformers causal model with its weights, in PEFT's hands or not.
    """
    config = model.config.get_text_config(decoder=True)
    stem = max([3 * SHORTEST, *(4 + size for size in _hidden_windows(config))])
    if windows(config) is None or stem > LONGEST_STEM:
        return Verdict(False, "its configuration, which has layers that no mask describes")
    sequences = _sequences(stem, config.vocab_size)
    try:
        with _short_windows(config):
            try:
                with first_layers_alone(model) as (read, checked):
                    return _compared(model, sequences, read, checked)
            except CannotRunAloneError as reason:
                checked = f"the whole model in float32; its first layers alone: {reason}"
            with float32(model.modules(), model.parameters()):
                return _compared(model, sequences, lambda **w: model(**w).logits[0], checked)
    except Exception as problem:  # whatever a model does not stand is a reason not to pack it
        if is_out_of_memory(problem):
            return Verdict(False, "nothing: memory ran out", final=False)
        return Verdict(False, f"a pass, which failed: {_first_line(problem)}")


def _hidden_windows(config: Any) -> list[int]:
    """Return the windows that a config names besides `sliding_window`, which we can mask."""
    return [
        value
        for name, value in config.to_dict().items()
        if ("window" in name or "chunk" in name)
        and name not in {"sliding_window", "max_window_layers"}
        and isinstance(value, int)
        and not isinstance(value, bool)
    ]


def _sequences(stem: int, words: int) -> list[list[int]]:
    """Return sequences of three stems, two with a long common beginning, with two ends each."""
    token = [5 + n % max(1, min(40, words - 5)) for n in range(2 * stem + 1)]
    # The second branch is long and comes first in the row: the first stands far from its stem.
    stems = [token[:stem], token[: stem - 6] + token[1 : 1 + stem], token[2:20]]
    return [stem + end for stem in stems for end in (token[:3], token[1:5])]


# Packed against plain.


def _compared(model: Any, sequences: Sequence[list[int]], read: Read, checked: str) -> Verdict:
    """Return whether packed passes read what plain ones do.

    Raises:
        CannotRunAloneError: a plain pass fails, and memory did not run out.
    """
    import torch

    with torch.inference_mode():
        try:
            plain = [
                read(input_ids=torch.tensor([ids], device=model.device), use_cache=False)
                for ids in sequences
            ]
        except Exception as problem:
            if is_out_of_memory(problem):
                raise
            raise CannotRunAloneError(f"a plain pass fails: {_first_line(problem)}") from problem
        at_once = sum(map(len, sequences)), FEWEST_TOKENS  # in one row, and in the smallest ones
        packs = all(
            _close(found, plain[number][first:])
            for limit in at_once
            for number, first, found in _packed(model, sequences, limit, read)
        )
    return Verdict(packs, checked)


def _packed(
    model: Any, sequences: Sequence[list[int]], limit: int, read: Read
) -> Iterator[tuple[int, int, Tensor]]:
    """Compute the sequences in packed rows of at most `limit` nodes, as scoring does.

    Yields:
        A sequence's number, its first position in the row, and what was read from there on,
        [positions, width].
    """
    import torch

    prefix = PrefixCache()
    for row in plan_rows(sequences, [0] * len(sequences), 0, limit):
        prefix.become(model, sequences[row.members[0]][: row.kept], limit)
        tree = TokenTree()
        paths = [tree.add(sequences[member][row.kept :]) for member in row.members]
        # Asked for in reverse: a model that leaves the order out of account is not packed.
        wanted = torch.arange(len(tree) - 1, -1, -1, device=model.device)  # [n]
        found = read(
            **tree_inputs(model, tree, prefix.past, torch.float32),
            past_key_values=prefix.keys_values,
            use_cache=prefix.keys_values is not None,
            logits_to_keep=wanted,
        ).flip(0)  # [n, width]
        prefix.restore()
        for member, path in zip(row.members, paths, strict=True):
            yield member, row.kept, found[path]


def _close(found: Tensor, expected: Tensor) -> bool:
    """Tell whether all vectors of two [n, width] are the same but for rounding; NaN never is."""
    distance = (found.float() - expected.float()).norm(dim=-1)  # [n]
    return bool((distance <= RELATIVE_ERROR * expected.float().norm(dim=-1)).all())


@contextmanager
def _short_windows(config: Any) -> Iterator[None]:
    """Shrink the sliding window, so that short branches are longer than it.

    Transformers reads it off the config at every pass, as we do; a real one of 4,096 tokens would
    cost minutes on a CPU.
    """
    window = getattr(config, "sliding_window", None)
    if window:
        config.sliding_window = CHECKED_WINDOW
    try:
        yield
    finally:
        if window:
            config.sliding_window = window


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n")[0] or type(problem).__name__
