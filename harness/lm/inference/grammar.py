"""Which tokens may come next, so that a text stays within a grammar: constrained decoding.

llguidance (https://github.com/guidance-ai/llguidance) reads a grammar and computes the masks. This
module puts its errors into words and holds where a row stands. Which grammars there are stands in
`json_grammar.py` and `span_grammar.py`.

Knows nothing of models, prompts, schemas or how a token is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from harness.errors import ModelError

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from torch import Tensor

_tokenizers: WeakKeyDictionary[Any, dict[tuple[int, int, int], LLTokenizer]] = WeakKeyDictionary()
"""Each live tokenizer's form for llguidance by width, own size and end: it is slow to make."""


class Grammar:
    """All texts that a grammar allows, as tokens of one tokenizer; compiled once."""

    what = "answer"
    """What its texts are, in messages."""
    asks = "the grammar"
    """Who wants these texts, in messages."""

    def __init__(self, tokenizer: Any, vocabulary_size: int, written: str, end: int):
        """Compile a grammar.

        Args:
            tokenizer: a fast tokenizer of transformers.
            vocabulary_size: width of the model's logits, in tokens; may differ from the
                tokenizer's.
            written: the grammar in llguidance's own notation (its docs/syntax.md).
            end: the token that ends a turn; no other end is allowed.

        Raises:
            ModelError: the grammar is unsupported or allows nothing, or the tokenizer has no fast
                form.
        """
        from llguidance import LLMatcher, LLParserLimits

        self.vocabulary_size = vocabulary_size
        self.end = end
        self._matcher = LLMatcher(
            _tokenizer(tokenizer, vocabulary_size, end, self.what),
            written,
            log_level=0,
            limits=LLParserLimits(verbose_errors=False),
        )
        if self._matcher.is_error():
            raise self._unusable(self._matcher.get_error())

    def start(self) -> GrammarState:
        """Return where a row stands before its first token."""
        return GrammarState(self._matcher.deep_copy(), self)

    def _unusable(self, fault: str) -> ModelError:
        """Return the error of a grammar that llguidance does not take."""
        return ModelError(f"{self.asks} of the {self.what} cannot be followed: {one_line(fault)}")


class GrammarState:
    """Where one row of text stands in a grammar."""

    def __init__(self, matcher: LLMatcher, grammar: Grammar):
        self._matcher = matcher
        self._grammar = grammar

    @property
    def complete(self) -> bool:
        """Whether only the end may follow."""
        return bool(self._matcher.is_stopped())

    def forbid(self, logits: Tensor) -> None:
        """Set to -inf what the grammar does not allow next.

        Args:
            logits: [vocabulary_size] of any float dtype on any device; changed in place.

        Raises:
            ModelError: nothing is allowed, or the grammar became too large to follow.
        """
        import numpy as np
        import torch

        # One bit a token of llguidance's vocabulary, which may be wider than the logits.
        grammar = self._grammar
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check("nothing can follow")
        allowed = np.unpackbits(packed, bitorder="little")[: grammar.vocabulary_size].astype(bool)

        # The end is ours to allow: it may come once the text is complete, and not before.
        allowed[grammar.end] = self._matcher.is_accepting()
        if not allowed.any():
            raise ModelError(
                f"no token of the model continues the {grammar.what}: its vocabulary lacks a"
                f" character that {grammar.asks} asks for → change {grammar.asks} or the model"
            )
        logits.masked_fill_(torch.from_numpy(~allowed).to(logits.device), float("-inf"))

    def accept(self, token: int) -> None:
        """Move past a token that was chosen among the allowed ones; the end moves nowhere.

        Raises:
            ModelError: the token was not allowed, or the grammar became too large to follow.
        """
        if token == self._grammar.end:
            if not self._matcher.is_accepting():
                what = self._grammar.what
                raise ModelError(f"token {token} ends a {what} that is not complete")
            return
        self._matcher.consume_token(token)
        self._check(f"token {token} cannot follow")

    def _check(self, trouble: str) -> None:
        if self._matcher.is_error():
            fault = one_line(self._matcher.get_error())
            raise ModelError(f"{trouble} in the {self._grammar.what}: {fault}")


def one_line(text: str) -> str:
    """Return llguidance's words on one line, without the sign that it kept its state to itself."""
    return " ".join(text.replace("<non-verbose/>", "").split())


def _tokenizer(tokenizer: Any, vocabulary_size: int, end: int, what: str) -> LLTokenizer:
    """Return llguidance's form of a tokenizer, at least as wide as the model's logits."""
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"a {what} needs a fast tokenizer and {type(tokenizer).__name__} is none"
            " → convert it to a tokenizer.json, or take a model that has one"
        )
    forms = _tokenizers.setdefault(tokenizer, {})
    key = (vocabulary_size, len(tokenizer), end)
    if key not in forms:
        from llguidance.hf import from_tokenizer

        # A model's logits may be wider than its tokenizer (padded tables) or narrower (added
        # tokens that it was never trained on).
        width = max(vocabulary_size, 1 + max(tokenizer.get_vocab().values()))
        try:
            forms[key] = from_tokenizer(tokenizer, n_vocab=width, eos_token=end)
        except ValueError as error:
            raise ModelError(
                f"{type(tokenizer).__name__} cannot be used for a {what}:"
                f" {one_line(str(error))} → take another model"
            ) from error
    return forms[key]
