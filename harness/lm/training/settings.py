"""How long and how fast to train, and what training came to.

Knows nothing of models, losses and rows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TuneSettings:
    """How long and how fast to train."""

    learning_rate: float
    epochs: int
    batch_size: int
    """Pairs behind one optimiser step, however many pieces they are computed in."""
    warmup_share: float
    """Share of all steps over which the learning rate rises linearly; it then falls linearly."""
    weight_decay: float
    evaluations_per_epoch: int
    patience: int | None
    """Evaluations without a better validation loss after which training stops; None: only one that
    diverges is stopped."""
    seed: int = 0
    """For the order of the pairs."""
    checkpointing: bool | None = None
    """Whether activations are computed again in the backward pass, which saves memory and costs a
    third more time; None: only if the longest pair would not fit the budget otherwise."""
    averaged: int = 0
    """Last evaluations whose weights are averaged; the mean is kept where validation agrees. Below
    two there is no mean."""

    def evaluated(self, pairs: int) -> list[int]:
        """Return the steps after which the validation loss is looked at.

        Args:
            pairs: that are trained on.
        """
        per_epoch = -(-pairs // self.batch_size)  # rounded up
        total = per_epoch * self.epochs
        every = max(1, per_epoch // self.evaluations_per_epoch)
        return [step for step in range(1, total + 1) if step % every == 0 or step == total]


@dataclass(frozen=True)
class TuneResult:
    """What training came to."""

    steps: int
    best_step: int
    """The step whose weights are kept; of a mean, its last one."""
    best_validation_loss: float | None
    stopped_early: bool
    averaged: int = 0
    """Evaluations whose weights' mean is kept; 0: one step's weights are."""
