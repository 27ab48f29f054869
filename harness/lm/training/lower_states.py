"""What the lower layers of a model make of tokens, where only the layers above them are trained.

A node of a token tree sees its ancestors alone, so its state behind any layer follows from the path
that leads to it. Layers that never change are run once for each path, and every later step of every
epoch begins above them. Knows nothing of losses, and no method: which layers are trained it reads
off the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.lm.inference.soft_prompt import soft_tokens
from harness.lm.inference.token_tree import TokenTree
from harness.lm.loading.first_layers import layer_list
from harness.lm.sizing.budget import Note

if TYPE_CHECKING:
    from torch import Tensor

    from harness.lm.local_model import LanguageModel

MOST_BYTES = 2 * 1024**3
"""Of states that are kept: a row with paths that do not fit is computed in every epoch."""
FIRST_ROWS = 4096
"""Room for so many states to begin with; it is doubled when it is full."""
CLOSE = 1e-3
"""By which logits that begin above the lower layers may differ from those of the whole model,
relative to their largest: float32 sums in another order."""


class _ReachedError(Exception):
    """Ends a pass at the layer whose input was wanted."""


@dataclass(eq=False)
class LowerStates:
    """The states that the first trained layer is given, as far as they are known."""

    model: Any
    layers: list[Any]
    """All layers of the decoder."""
    first: int
    """The lowest layer that is trained."""
    note: Note
    """Receives a remark where states of lower layers are of no use."""
    most_bytes: int = MOST_BYTES
    places: dict[tuple[int, int], int] = field(default_factory=dict)
    """(place of the path before, token) to the path's own place; -1 is before all."""
    known: Tensor | None = None
    """[rows, width], as wide as what the layers hand on; its first `filled` rows are known."""
    agrees: bool | None = None
    """Whether logits are the same from there; None: not known yet."""
    filled: int = 0
    """Places whose states are known: they are filled in their order."""

    @classmethod
    def of(cls, lm: LanguageModel) -> LowerStates | None:
        """Return a store for a model whose lower layers are not trained; None: it has no use.

        It has none either where rows are no trees, or something stands before them that is trained.
        """
        if not lm.packs or soft_tokens(lm.model) or _checkpoints(lm.model):
            return None
        base = lm.model.get_base_model() if hasattr(lm.model, "get_base_model") else lm.model
        listed = layer_list(base)
        layers = [] if listed is None else list(listed[2])
        trained = {id(weight) for weight in base.parameters() if weight.requires_grad}
        held = [{id(weight) for weight in layer.parameters()} & trained for layer in layers]
        # What is trained outside the layers may change what they are given.
        if not trained or set().union(*held) != trained:
            return None
        first = next(place for place, weights in enumerate(held) if weights)
        return cls(base, layers, first, lm.note) if first else None

    def logits(self, given: Mapping[str, Any], tree: TokenTree) -> Tensor | None:
        """Return a pass's logits, begun above the lower layers, [wanted, vocabulary].

        The first pass is computed in both ways and compared.

        Args:
            given: what the model is handed for the tree.
            tree: n nodes.

        Returns:
            With gradients; None where it makes a difference to begin there.
        """
        if self.agrees is None:
            self.agrees = self._compared(given, tree)
            if not self.agrees:
                self.note("engine", "every step computes all layers: they share more than states")
        return self._above(given, tree) if self.agrees else None

    def _above(self, given: Mapping[str, Any], tree: TokenTree) -> Tensor:
        states = self.states(given, tree)
        with _passed_by(self.layers[: self.first]), _handed(self.layers[self.first], states):
            found: Tensor = self.model(**given).logits[0]
        return found

    def _compared(self, given: Mapping[str, Any], tree: TokenTree) -> bool:
        """Tell whether a tree's logits are the same from above the lower layers.

        They are not where layers hand on more than their output, as some architectures' do.
        """
        import torch

        with _without_dropout(self.model), torch.no_grad():
            whole = self.model(**given).logits[0].float()
            try:
                above = self._above(given, tree)
            except Exception:  # whatever an architecture makes of a layer that only hands on
                return False
        return bool((above.float() - whole).abs().max() <= CLOSE * whole.abs().max())

    def states(self, given: Mapping[str, Any], tree: TokenTree) -> Tensor:
        """Return the states of a tree's nodes, [1, n, width]; those not known are computed."""
        import torch

        places: list[int] = []
        for token, parent in zip(tree.tokens, tree.parents, strict=True):
            key = (places[parent] if parent >= 0 else -1, token)
            places.append(self.places.setdefault(key, len(self.places)))
        at = torch.tensor(places, device=self.model.device)
        if len(self.places) > self.filled:
            computed = self._computed(given)  # [1, n, width]
            if not self._make_room(computed[0]):
                self._forget()
                return computed
            self.known[at] = computed[0]  # type: ignore[index]
            self.filled = len(self.places)
        return self.known[at][None]  # type: ignore[index]

    def _computed(self, given: Mapping[str, Any]) -> Tensor:
        """Run the lower layers, as they are without dropout, and return what they hand on."""
        import torch

        caught: list[Tensor] = []

        def catch(_: Any, words: tuple[Any, ...], named: dict[str, Any]) -> None:
            caught.append(words[0] if words else named["hidden_states"])
            raise _ReachedError

        hook = self.layers[self.first].register_forward_pre_hook(catch, with_kwargs=True)
        try:
            with _without_dropout(self.model), torch.no_grad(), suppress(_ReachedError):
                self.model(**given)
        finally:
            hook.remove()
        return caught[0]

    def _make_room(self, like: Tensor) -> bool:
        """Have a row for every place; return whether they fit."""
        import torch

        rows = 0 if self.known is None else len(self.known)
        if len(self.places) <= rows:
            return True
        wanted = max(len(self.places), 2 * rows, FIRST_ROWS)
        row_bytes = like.shape[-1] * like.element_size()
        if wanted * row_bytes > self.most_bytes:
            wanted = self.most_bytes // row_bytes
        if wanted < len(self.places):
            return False
        grown = torch.empty(wanted, like.shape[-1], dtype=like.dtype, device=like.device)
        if self.known is not None:
            grown[:rows] = self.known
        self.known = grown
        return True

    def _forget(self) -> None:
        """Take back the places that got no state."""
        self.places = {key: place for key, place in self.places.items() if place < self.filled}


def _checkpoints(model: Any) -> bool:
    """Tell whether activations are computed again: a layer is then run where no hook reaches."""
    return bool(getattr(model, "is_gradient_checkpointing", False))


@contextmanager
def _without_dropout(model: Any) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


@contextmanager
def _passed_by(layers: list[Any]) -> Iterator[None]:
    """Let layers hand on what they are given, and compute nothing."""
    for layer in layers:
        layer.forward = _hand_on
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _hand_on(hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
    return hidden_states


@contextmanager
def _handed(layer: Any, states: Tensor) -> Iterator[None]:
    """Give a layer some states in the place of its input."""

    def instead(
        _: Any, words: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if words:
            return (states, *words[1:]), named
        return (), named | {"hidden_states": states}

    hook = layer.register_forward_pre_hook(instead, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
