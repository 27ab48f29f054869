"""Which weights a training keeps: those of its best step, or the mean of its last ones.

Late steps of a schedule that decays to zero lie in one basin, and their mean is flatter than any of
them (Izmailov et al. 2018, arXiv 1803.05407; for adapters 2405.03425). The mean is of the trained
weights themselves. Of a low-rank adapter that is not the mean of the products B·A, but along one
run, at its end, nearly so: the tests hold the difference. Knows nothing of losses and rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

DIVERGED = 2.0
"""Times the best validation loss above which a training is lost: a choice of ours."""

NO_LOSS = 0.1
"""Nats below which a loss is as good as none: few rows are soon told apart without any."""


class Kept:
    """The weights with the lowest validation loss so far, and the sum of the last ones."""

    def __init__(self, weights: Sequence[Tensor], state: Mapping[str, Any] | None = None):
        """Begin with nothing kept, or go on from a `state`."""
        given = state or {}
        self._weights = weights
        self.loss: float | None = given.get("loss")
        self.step: int | None = given.get("step")
        self.last: float | None = given.get("last")
        """The loss that was offered last."""
        self.evaluations_since: int = given.get("evaluations_since", 0)
        """Offers since the best one."""
        self.summed: int = given.get("summed", 0)
        """Offers in the sum."""
        self._copies: list[Tensor] = list(given.get("copies", ()))
        self._sums: list[Tensor] = list(given.get("sums", ()))

    def offer(self, step: int, loss: float) -> None:
        """Copy the weights if no loss was lower; of equals the later ones are at the lower rate."""
        self.last = loss
        if self.loss is None or loss < self.loss:
            self.evaluations_since = 0
        else:
            self.evaluations_since += 1
        if self.loss is None or loss <= self.loss:
            self.loss, self.step = loss, step
            self._copies = [weight.detach().clone() for weight in self._weights]

    def add(self) -> None:
        """Add the weights as they are to the sum."""
        import torch

        with torch.no_grad():
            if not self._sums:
                self._sums = [torch.zeros_like(weight) for weight in self._weights]
            for total, weight in zip(self._sums, self._weights, strict=True):
                total.add_(weight)
        self.summed += 1

    def should_stop(self, patience: int | None) -> bool:
        """Tell whether training is lost, or has not gained for too long.

        Args:
            patience: evaluations without a better loss; None: any number.
        """
        if self.loss is None or self.last is None:
            return False
        tired = patience is not None and self.evaluations_since >= patience
        return tired or self.last > DIVERGED * max(self.loss, NO_LOSS)

    def put_mean(self) -> None:
        """Give the weights their mean; the sum is given up."""
        for weight, total in zip(self._weights, self._sums, strict=True):
            weight.data.copy_(total / self.summed)
        self._sums = []

    def put_best(self) -> None:
        """Put the best weights back; where none were offered, leave the last ones."""
        for weight, copy in zip(self._weights, self._copies, strict=False):
            weight.data.copy_(copy)

    def state(self) -> dict[str, Any]:
        """Return what a new one takes to go on from here."""
        return {
            "loss": self.loss,
            "step": self.step,
            "last": self.last,
            "evaluations_since": self.evaluations_since,
            "copies": self._copies,
            "summed": self.summed,
            "sums": self._sums,
        }
