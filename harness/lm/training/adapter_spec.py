"""What a method trains of a model, as data: an `AdapterSpec` for each method.

A method's own file writes its spec. Training, forecasts, parameter counts, saving and loading read
it, so none of them knows a method by name. Knows nothing of tasks, and imports PEFT nowhere: a spec
names PEFT's class, and the class is looked up when there is a model to put it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.lm.sizing.footprint import adapter_bytes_per_token

if TYPE_CHECKING:
    from harness.lm.local_model import LanguageModel

Linear = Sequence[tuple[int, int]]
"""(inputs, outputs) of every linear layer but the head."""


def no_bytes_per_token(linear: Linear, itemsize: int, heap: bool) -> int:
    """Return 0: what is trained keeps nothing for the backward pass that the model does not."""
    return 0


@dataclass(frozen=True)
class Lighter:
    """An arm that takes less memory: what a forecast proposes where an arm does not fit."""

    arm: str
    """Its name as a strategy."""
    adapter: AdapterSpec | None = None
    """What it trains; None: the same."""
    four_bits: bool = False
    """Over weights of 4 bits."""


@dataclass(frozen=True)
class AdapterSpec:
    """What one method trains of a model, and what follows from that.

    What its reader may rely on: `add_adapter` leaves exactly these weights trainable; PEFT counts
    them, on a model with or without weights (`count_trained`); `save_trained` and `open_trained`
    keep and bring back what was learnt.
    """

    name: str
    """In words, for errors and forecasts: "LoRA"."""
    peft_config: str | None
    """Name of the class in `peft` that configures the method. None: there is no adapter; all of the
    model's own weights are trained, in float32, and the whole model is the artifact."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What that class is given. The kind of model and the layout of its weights are filled in."""
    merges: bool = True
    """What was learnt becomes part of the model's weights for serving, unless those have 4 bits."""
    upper_share: float = 1.0
    """Of the model's layers, counted from the last one down, those that get an adapter; one at the
    least."""
    soft_tokens: int = 0
    """Learnt vectors, or keys and values, that stand before every input."""
    starts_as: Callable[[LanguageModel, list[int]], None] | None = None
    """Sets a soft prompt to what the model makes of `soft_tokens` tokens; None: it starts at
    random."""
    recomputable: bool = True
    """Whether activations may be computed again in the backward pass (checkpointing)."""
    activation_bytes_per_token: Callable[[Linear, int, bool], int] = adapter_bytes_per_token
    """What training keeps of a token beside the model's own activations, from the linear layers,
    the bytes of the model's numbers, and whether memory is a CPU's heap. The default counts as for
    LoRA: an addition to the output of every linear layer."""
    lighter: tuple[Lighter, ...] = ()
    """Arms to propose where this one does not fit, the nearest first."""

    @property
    def trains_all(self) -> bool:
        """Whether the model's own weights are trained, in float32, without an adapter."""
        return self.peft_config is None
