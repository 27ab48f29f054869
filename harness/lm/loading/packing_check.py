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

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import is_out_of_memory
from harness.lm.inference.attention import tree_inputs, windows
from harness.lm.inference.batching import plan_rows
from harness.lm.inference.prefix_cache import SHORTEST, PrefixCache
from harness.lm.inference.token_tree import TokenTree
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
FEWEST_LAYERS = 2
"""Checked even of a model with one kind of layer: the second reads what the first has written."""

Read = Callable[..., "Tensor"]
"""Runs a model on keyword inputs; returns one vector for each of n positions, [n, width]."""


@dataclass(frozen=True)
class Verdict:
    """Whether a model's rows are packed, and what that rests on."""

    packs: bool
    checked: str
    """In words: what was compared."""
    final: bool = True
    """False if memory ran out: another time it may be found otherwise."""


class _CannotRunAloneError(Exception):
    """The first layers of a model cannot be run without the others."""


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
                with _first_layers_alone(model) as (read, checked):
                    return _compared(model, sequences, read, checked)
            except _CannotRunAloneError as reason:
                checked = f"the whole model in float32; its first layers alone: {reason}"
            with _float32(model.modules(), model.parameters()):
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
        _CannotRunAloneError: a plain pass fails, and memory did not run out.
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
            raise _CannotRunAloneError(f"a plain pass fails: {_first_line(problem)}") from problem
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


# The first layers alone, in float32.


@contextmanager
def _first_layers_alone(model: Any) -> Iterator[tuple[Read, str]]:
    """Take off all layers but the first of every kind, and read what the head is given.

    Yields:
        What runs them, and what is checked so, in words.

    Raises:
        _CannotRunAloneError: the model's parts are not where they are looked for.
    """
    import torch

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder, head = base.get_decoder(), base.get_output_embeddings()
    if not hasattr(decoder, "config"):  # ModernBERT's decoder calls its head so
        decoder = base.base_model
    if decoder is base or head is None:
        raise _CannotRunAloneError("the decoder or the head is not named")
    with ExitStack() as undone:
        checked = undone.enter_context(_shortened(decoder))
        # A table of embeddings may be the largest tensor of all, and looking up in it is exact: it
        # stays as it is, and what is found in it is cast.
        tables = [part for part in decoder.modules() if isinstance(part, torch.nn.Embedding)]
        for table in tables:
            hook = table.register_forward_hook(lambda _, __, found: found.float())
            undone.callback(hook.remove)
        kept = {id(weight) for part in (head, *tables) for weight in part.parameters()}
        others = [weight for weight in decoder.parameters() if id(weight) not in kept]
        undone.enter_context(_float32(decoder.modules(), others))
        yield undone.enter_context(_head_inputs(model, head)), checked


@contextmanager
def _shortened(decoder: Any) -> Iterator[str]:
    """Leave a decoder the shortest beginning of its layers that holds every kind of them.

    Yields:
        How many these are, in words.
    """
    import torch

    number = decoder.config.get_text_config(decoder=True).num_hidden_layers
    for holder in decoder.modules():
        for name, layers in holder.named_children():
            if isinstance(layers, torch.nn.ModuleList) and len(layers) == number:
                kinds = [_kind(decoder.config, place, layer) for place, layer in enumerate(layers)]
                enough = 1 + max(kinds.index(kind) for kind in kinds)
                kept = min(number, max(FEWEST_LAYERS, enough))
                setattr(holder, name, torch.nn.ModuleList(layers[:kept]))
                try:
                    yield f"the first {kept} of {number} layers in float32"
                finally:
                    setattr(holder, name, layers)
                return
    raise _CannotRunAloneError("they are in no list of their own")


def _kind(config: Any, place: int, layer: Any) -> Any:
    """Return what tells a layer's kind: its type in the config, its parts and their settings.

    Settings are what the parts keep as truth values, whole numbers and words, but for the layer's
    own number. Experts beside a dense layer, a layer without positions and one that reads another's
    keys are told from the rest by them.
    """
    types = getattr(config.get_text_config(decoder=True), "layer_types", None)
    parts = tuple(
        (
            name,
            type(part).__name__,
            tuple(
                (key, value)
                for key, value in sorted(vars(part).items())
                if isinstance(value, bool | int | str) and "layer" not in key and "idx" not in key
            ),
        )
        for name, part in layer.named_modules()
    )
    return (types[place] if types else None, parts)


@contextmanager
def _head_inputs(model: Any, head: Any) -> Iterator[Read]:
    """Read what a model's head is given, while it computes the logits of one position alone.

    Yields:
        What runs the model; it raises IndexError if the head is never reached.
    """
    given: list[Tensor] = []

    def catch(_: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        given.append(inputs[0][0])  # [1, n, width] → [n, width]
        return (inputs[0][:, :1].to(model.dtype), *inputs[1:])

    def read(**words: Any) -> Tensor:
        given.clear()
        model(**words)
        return given[-1]

    hook = head.register_forward_pre_hook(catch)
    try:
        yield read
    finally:
        hook.remove()


# What is changed for a while.


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


@contextmanager
def _float32(modules: Iterable[Any], weights: Iterable[Any]) -> Iterator[None]:
    """Let modules and weights in half precision compute in float32 for a while."""
    import torch

    halves = (torch.float16, torch.bfloat16)
    kept = [(weight, weight.data) for weight in weights if weight.dtype in halves]
    quantised = [part for part in modules if getattr(part, "compute_dtype", None) in halves]
    computed = [part.compute_dtype for part in quantised]
    try:
        for weight, half in kept:
            weight.data = half.float()
        for part in quantised:
            part.compute_dtype = torch.float32
        yield
    finally:
        for weight, half in kept:
            weight.data = half
        for part, dtype in zip(quantised, computed, strict=True):
            part.compute_dtype = dtype


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n")[0] or type(problem).__name__
