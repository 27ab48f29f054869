"""A model before it is loaded: its size by its configuration, its texts by its tokenizer.

transformers builds it on PyTorch's `meta` device, where tensors have shapes and no memory, so any
architecture that can be loaded can be counted, of any size. Where its tokenizer is not there, four
characters stand for a token. Knows nothing of machines.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from zlib import crc32

from harness.errors import ModelError
from harness.lm import AdapterSpec, count_trained
from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.inference.routes import ENCODER_DECODER, PACKED
from harness.lm.loading.auto_class import auto_class
from harness.lm.loading.unloaded import tokenizer_of
from harness.lm.local_model import LanguageModel, form_for
from harness.lm.sizing.footprint import Shape, experts_of, of_layers, shape
from harness.lm.sizing.token_count import CHARACTERS
from harness.lm.training.left_out import left_out, text_part
from harness.types import ModelRef, Prompt, PromptForm

NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)
"""Bits that a weight takes in NF4 with double quantisation: 4, an 8-bit constant for each block of
64, and a 32-bit one for each 256 of those (Dettmers et al. 2023, arXiv 2305.14314, section 3)."""
VOCABULARY = 2**20
END = 0
Pair = tuple[list[int], list[int]]
"""Tokens of a prompt and of its completion."""
T = TypeVar("T")


@dataclass(eq=False)
class PlannedModel:
    """A model that is not loaded, with all that was found of the work it is to do."""

    ref: ModelRef
    skeleton: Skeleton
    tokenizer: Any
    _prompts: dict[Prompt, list[int]] = field(default_factory=dict)
    _trained: dict[str, int] = field(default_factory=dict)
    _answers: dict[tuple[str, Prompt], list[int]] = field(default_factory=dict)
    _found: dict[tuple[Hashable, ...], tuple[object, Any]] = field(default_factory=dict)

    @property
    def says(self) -> str | None:
        """What a reader of its forecasts should know."""
        if not isinstance(self.tokenizer, StandIn):
            return None
        return f"no tokenizer in {self.ref.location}: {CHARACTERS} characters counted as a token"

    @cached_property
    def _reader(self) -> LanguageModel:
        route = ENCODER_DECODER if self.skeleton.encoder_decoder else PACKED
        return LanguageModel(self.ref, None, self.tokenizer, route)

    @property
    def default_form(self) -> PromptForm:
        """How demonstrations are written for it, as the loaded model says it."""
        return form_for(self._reader, self.skeleton.weights)

    def prompt(self, text: Prompt, room: int = 0) -> list[int]:
        """Return a prompt's tokens, cut to what the context leaves beside `room` tokens."""
        if text not in self._prompts:
            self._prompts[text] = prompt_tokens(self._reader, text)
        limit = self.skeleton.context_tokens
        longest = None if limit is None else max(1, limit - room)
        return self._prompts[text][:longest] or [0]

    def answer(self, text: str, prompt: Prompt = "") -> list[int]:
        """Return an answer's tokens behind a prompt, with those that end it."""
        if (text, prompt) not in self._answers:
            self._answers[text, prompt] = answer_tokens(self._reader, text, prompt)
        return self._answers[text, prompt]

    def pair(self, prompt: str, answer: str) -> Pair:
        """Return the tokens of a training row; without a prompt it is running text."""
        if not prompt:
            return [0], self.answer(answer)
        completion = self.answer(answer)
        return self.prompt(prompt, len(completion)), completion

    def trained_weights(self, adapter: AdapterSpec) -> int:
        """Return how many weights a method trains of this model, as PEFT counts them.

        Raises:
            ModelError: PEFT cannot put the method on this model.
        """
        key = repr(adapter)  # its settings are a mapping, which has no hash
        if key not in self._trained:
            model = weightless(self.ref.location)
            self._trained[key] = count_trained(adapter, model, self.ref.name)
        return self._trained[key]

    def once(self, work: object, key: tuple[Hashable, ...], find: Callable[[], T]) -> T:
        """Return what `find` finds of a piece of work; for equal keys it is called once.

        A price file has many machines, and most of them cut the same work alike. So whatever takes
        long is found once for each distinct demand, not once for each machine.

        Args:
            work: the piece of work, which is known by its identity.
            key: all else that the result depends on.
            find: computes the result.
        """
        place = (id(work), *key)
        if place not in self._found:
            self._found[place] = (work, find())  # the work is kept: no other one may get its id
        return cast(T, self._found[place][1])


def study(ref: ModelRef) -> PlannedModel:
    """Read what is there of a model but its weights.

    Args:
        ref: its location has a config.json at least.

    Raises:
        ModelError: its configuration cannot be read.
    """
    return PlannedModel(ref, skeleton(ref.location), tokenizer_of(Path(ref.location)) or StandIn())


@dataclass(frozen=True)
class Skeleton:
    """The weights of a model, counted."""

    shape: Shape
    weights: int
    """All of them; tied ones once."""
    largest: int
    """Of the largest tensor: an embedding, most often."""
    computed: int
    """Those that a token is multiplied with, but for the head: of experts, those it visits."""
    linear: tuple[tuple[int, int], ...]
    """(inputs, outputs) of every linear layer but the head: what four bits hold."""
    adapted: tuple[tuple[int, int], ...]
    """Likewise, of those that adapters lie beside."""
    attention_width: int
    """Heads × width of a head."""
    encoder_decoder: bool
    packs: bool
    """Whether rows can be packed: masks can describe its attention (see attention.py)."""
    tied: bool
    """Whether the head is the embedding."""
    context_tokens: int | None
    stored_itemsize: int
    """Bytes of a weight in the file, as far as the configuration says."""

    def weights_bytes(self, itemsize: float, four_bits: bool = False) -> int:
        """Return what the weights take in memory, their linear layers in NF4 if `four_bits`."""
        packed = sum(i * o for i, o in self.linear) if four_bits else 0
        return int((self.weights - packed) * itemsize + packed * NF4_BITS / 8)

    def forward_operations(self, tokens: int, contexts: int, logit_rows: int) -> int:
        """Return the operations of a forward pass, as benchmarks/operations.py counts them.

        After Chowdhery et al. 2022 (PaLM, arXiv 2204.02311), appendix B: 2 a weight and token, and
        attention where a causal block needs it.

        Args:
            tokens: computed, the kept ones not counted.
            contexts: sum over tokens of those that each attends to.
            logit_rows: positions whose logits are taken.
        """
        return 2 * self.computed * tokens + self.fixed_operations(contexts, logit_rows)

    def fixed_operations(self, contexts: int, logit_rows: int) -> int:
        """Return the operations of attention and head alone."""
        attention = 4 * self.shape.layers * self.attention_width * contexts
        return attention + 2 * self.shape.hidden * self.shape.vocabulary * logit_rows


def skeleton(location: str) -> Skeleton:
    """Count a model from its configuration.

    Args:
        location: a folder with a config.json; weights and tokenizer need not be there.

    Raises:
        ModelError: the configuration is of no language model that transformers knows.
    """
    try:
        return count(weightless(location))
    except (OSError, ValueError, LookupError, AttributeError, TypeError, ImportError) as problem:
        reason = str(problem).strip().split("\n")[0]
        raise ModelError(f"the configuration in {location} cannot be read: {reason}") from problem


def weightless(location: str) -> Any:
    """Build a model from its configuration, with shapes and without weights.

    Args:
        location: as for `skeleton`.
    """
    import torch
    from transformers import AutoConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(location, trust_remote_code=False)
    with torch.device("meta"):
        return auto_class(config).from_config(config, trust_remote_code=False)


def count(model: Any) -> Skeleton:
    """Count a transformers language model, wherever its weights are."""
    from transformers.pytorch_utils import Conv1D

    from harness.lm.inference.attention import windows

    config = model.config.get_text_config(decoder=True)
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    outside = {id(part.weight) for part in (embedding, head) if part is not None}
    visited, experts = experts_of(config)
    active = visited / experts
    text = text_part(model)
    read = model.modules() if text is None else text  # no text reaches a tower for images
    held = {id(w): w for module in read for w in module.parameters(recurse=False)}
    computed = sum(
        w.numel() * (active if w.dim() == 3 else 1)  # fused experts: [experts, outputs, inputs]
        for w in held.values()
        if id(w) not in outside
    )
    linear, adapted, without = [], [], set(left_out(model))
    for name, module in model.named_modules():
        if module is head or not _is_linear(module, Conv1D):
            continue
        rows, columns = module.weight.shape
        linear.append((rows, columns) if isinstance(module, Conv1D) else (columns, rows))
        if name not in without:
            adapted.append(linear[-1])
    sizes = [weight.numel() for weight in model.parameters()]
    stored: Any = getattr(config, "dtype", None) or getattr(model.config, "dtype", None)
    return Skeleton(
        shape=shape(model.config),
        weights=sum(sizes),
        largest=max(sizes),
        computed=int(computed),
        linear=tuple(linear),
        adapted=tuple(adapted),
        attention_width=_attention_width(config),
        encoder_decoder=bool(model.config.is_encoder_decoder),
        packs=not model.config.is_encoder_decoder and windows(model.config) is not None,
        tied=head is not None and embedding is not None and head.weight is embedding.weight,
        context_tokens=getattr(config, "max_position_embeddings", None),
        stored_itemsize=stored.itemsize if hasattr(stored, "itemsize") else 4,
    )


def _attention_width(config: Any) -> int:
    """Return heads × width of a head, on average over layers that differ."""
    heads = of_layers(config, "num_attention_heads")
    widths = of_layers(config, "head_dim")
    if not any(widths):
        widths = [config.hidden_size // number if number else 0 for number in heads]
    longest = max(len(heads), len(widths))
    pairs = zip(heads * (longest // len(heads)), widths * (longest // len(widths)), strict=True)
    return sum(number * width for number, width in pairs) // longest


def _is_linear(module: Any, conv1d: type) -> bool:
    import torch

    return isinstance(module, torch.nn.Linear | conv1d)


class StandIn:
    """Cuts texts into pieces as transformers' tokenizers are asked to; it has no chat template."""

    chat_template = None
    bos_token_id = None
    eos_token_id = END

    def __call__(self, text: str = "", text_target: str | None = None, **_: Any) -> Any:
        """Return an object with `input_ids`."""
        text = text if text_target is None else text_target
        pieces = [text[i : i + CHARACTERS] for i in range(0, len(text), CHARACTERS)]
        ids = [1 + crc32(piece.encode("utf-8", "replace")) % VOCABULARY for piece in pieces]
        return SimpleNamespace(input_ids=ids)
