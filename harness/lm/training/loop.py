"""One thin loop that trains whatever weights are trainable, towards whatever objective it is given.

A step accumulates its gradients over pieces that fit the memory. The schedule runs to its end; what
is kept then (kept.py) the validation rows decide. An interrupted training goes on from its last
checkpoint and ends with the same weights. Knows nothing of tasks, and no method by name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.files.hashing import sha256_of
from harness.lm.local_model import LanguageModel
from harness.lm.sizing.budget import RowLimit
from harness.lm.training.checkpoint import Checkpoint
from harness.lm.training.kept import Kept
from harness.lm.training.loss import Pair, pieces
from harness.lm.training.lower_states import LowerStates
from harness.lm.training.objective import HEAD_RATE, Objective, TokenLoss
from harness.lm.training.optimiser import CLIP_NORM, adamw, linear_schedule
from harness.lm.training.piece_limit import COPIES, piece_limit
from harness.lm.training.settings import TuneResult, TuneSettings


def tune(  # noqa: PLR0913, PLR0917
    lm: LanguageModel,
    train: Sequence[Pair],
    validation: Sequence[Pair],
    settings: TuneSettings,
    log: Callable[..., None],
    scratch: Path | None = None,
    objective: Objective | None = None,
) -> TuneResult:
    """Minimise an objective of pairs.

    Args:
        lm: the model; its parameters with `requires_grad` are trained, in place.
        train: pairs to train on.
        validation: pairs to choose on what is kept; without any the last weights are.
        settings: how long and how fast.
        log: receives step, epoch, learning_rate, train_loss and, when evaluated, validation_loss.
        scratch: a folder that outlives an interruption, for checkpoints; None: none are kept.
        objective: what is minimised, and what is watched; None: the loss of all tokens.

    Returns:
        How many steps were taken, and which weights the model has now.

    Raises:
        ModelError: there is nothing to train on, a pair does not fit the model's context, or the
            loss is not a number.
    """
    # Faults in the data are found before the first step, which may come hours before the last.
    if not train:
        raise ModelError("there are no examples to tune on → give the task training rows")
    for number, (prompt, completion) in enumerate([*train, *validation]):
        lm.check_room(number, len(prompt), len(completion))

    training = _Training(lm, len(train), settings, objective or TokenLoss())
    training.find_limit([*train, *validation])

    # The key holds all that decides the result, so another training's checkpoint is left alone.
    key = training.key(train, validation)
    checkpoint = Checkpoint(scratch)
    training.restore(checkpoint.read(key))
    if training.step:
        lm.note("resumed", f"at step {training.step}, after {checkpoint.earlier_s:.0f} s of work")

    lm.prefix.clear()  # it belongs to weights that are about to change
    lm.lower = LowerStates.of(lm)
    lm.model.train()
    try:
        for step, batch in enumerate(batches(train, settings), start=1):
            # Steps before the checkpoint are dealt out again, so that the shuffling goes on from
            # the same state, but not taken.
            if step <= training.step:
                continue
            if training.kept.should_stop(settings.patience):
                break
            row = training.take_step(step, batch)
            if validation and step in training.looks:
                row["validation_loss"] = training.look(step, validation)
            log(**row)
            checkpoint.write_when_due(key, training.state)
        return training.finish(validation)
    finally:
        lm.lower = None
        lm.model.eval()  # an interrupted model must still serve without dropout


class _Training:
    """The weights being trained, and all that changes with them from step to step."""

    def __init__(self, lm: LanguageModel, pairs: int, settings: TuneSettings, objective: Objective):
        from torch.optim.lr_scheduler import LambdaLR

        self.lm, self.settings, self.objective = lm, settings, objective
        own = [weight for weight in lm.model.parameters() if weight.requires_grad]
        if not own:
            raise ModelError("no weight of the model is trainable → add an adapter first")
        new = objective.trained()
        self.weights = [*own, *new]
        self.optimiser = adamw(
            [(own, settings.learning_rate), (new, HEAD_RATE * settings.learning_rate)],
            settings.weight_decay,
            few_bytes=lm.adapter is not None and lm.adapter.trains_all,
        )
        looks = settings.evaluated(pairs)
        self.per_epoch = -(-pairs // settings.batch_size)  # rounded up
        self.total = looks[-1]
        self.schedule = LambdaLR(self.optimiser, linear_schedule(self.total, settings.warmup_share))
        self.looks = set(looks)
        self.averaged = set(looks[-settings.averaged :]) if settings.averaged > 1 else set()
        self.kept = Kept(self.weights)
        self.limit = RowLimit(0)
        self.step = 0

    def find_limit(self, pairs: Sequence[Pair]) -> None:
        """Find how many tokens a piece may have."""
        behind = max((len(text) for text in self.objective.texts), default=0)
        longest = max(len(prompt) + max(behind, len(text)) for prompt, text in pairs)
        trained = sum(weight.numel() for weight in self.weights)
        copies = COPIES + bool(self.averaged)
        again = self.settings.checkpointing
        self.limit = piece_limit(self.lm, longest, trained, copies, again)

    def key(self, train: Sequence[Pair], validation: Sequence[Pair]) -> str:
        """Return a hash of all that decides what a training comes to, for its checkpoints."""
        shapes = [list(weight.shape) for weight in self.weights]
        towards = {name: value for name, value in vars(self.objective).items() if name != "head"}
        settings = [asdict(self.settings), towards]
        return sha256_of([*settings, list(train), list(validation), shapes, self.lm.ref.name])

    def take_step(self, step: int, batch: Sequence[Pair]) -> dict[str, float]:
        """Follow the batch's gradient and return the row to log."""
        import torch

        rate = self.schedule.get_last_lr()[0]
        # Where memory runs out, the limit is halved and the whole batch computed again.
        loss = _number(self.limit.run(partial(self._gradients, batch)), "training", self.lm)
        # A gradient that is no number would spoil every weight without a trace in this step's loss.
        length = torch.nn.utils.clip_grad_norm_(self.weights, CLIP_NORM)
        _number(float(length), "gradient of the training", self.lm)
        self.optimiser.step()
        self.schedule.step()
        self.step = step
        epoch = step / self.per_epoch
        return {"step": step, "epoch": epoch, "learning_rate": rate, "train_loss": loss}

    def _gradients(self, batch: Sequence[Pair], at_once: int) -> float:
        """Accumulate the gradients of a batch's mean loss, and return it."""
        self.optimiser.zero_grad()  # also what an attempt left that ran out of memory
        # Divided by the batch's share, not the piece's: however it is cut, the sum is the same.
        share, total = self.objective.share(batch), 0.0
        texts, padded = self.objective.texts, not self.lm.packs
        for piece in pieces(batch, at_once, padded, texts):
            loss = self.objective.loss(self.lm, piece) / share
            loss.backward()
            total += float(loss.detach())
        return total

    def look(self, step: int, validation: Sequence[Pair]) -> float:
        """Return what is watched of the validation rows, and note what may be kept."""
        loss = self._watched(validation)
        self.kept.offer(step, loss)
        if step in self.averaged:
            self.kept.add()
        return loss

    def finish(self, validation: Sequence[Pair]) -> TuneResult:
        """Put the weights in place that are kept: the best step's, or a mean that is no worse."""
        kept, stopped = self.kept, self.step < self.total
        if kept.loss is None:
            return TuneResult(self.step, self.step, None, stopped)
        if kept.summed > 1 and not stopped:
            kept.put_mean()
            loss = self._watched(validation)
            if loss <= kept.loss:
                return TuneResult(self.step, self.step, loss, stopped, kept.summed)
        kept.put_best()
        return TuneResult(self.step, kept.step or self.step, kept.loss, stopped)

    def _watched(self, validation: Sequence[Pair]) -> float:
        was_training = self.lm.model.training
        self.lm.model.eval()
        try:
            return _number(self.objective.watched(self.lm, validation), "validation", self.lm)
        finally:
            self.lm.model.train(was_training)

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs."""
        return {
            "step": self.step,
            "at_once": self.limit.tokens,
            "weights": [weight.detach() for weight in self.weights],
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "kept": self.kept.state(),
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go back to where `state` was taken; None: stay at the beginning."""
        if state is None:
            return
        self.step = state["step"]
        self.limit.tokens = state["at_once"]  # the same pieces: sums and dropout as before
        # In place: the optimiser holds these very tensors.
        for weight, kept in zip(self.weights, state["weights"], strict=True):
            weight.data.copy_(kept)
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.kept = Kept(self.weights, state["kept"])


def _number(value: float, of_what: str, lm: LanguageModel) -> float:
    """Return a loss, or stop the trial if it is none."""
    if isfinite(value):
        return value
    raise ModelError(f"the {of_what} loss is not a number in {lm.model.dtype} → dtype: float32")


def batches(train: Sequence[Pair], settings: TuneSettings) -> Iterator[list[Pair]]:
    """Yield the pairs of each step, shuffled anew in every epoch."""
    order = random.Random(settings.seed)
    for _ in range(settings.epochs):
        shuffled = list(train)
        order.shuffle(shuffled)
        for start in range(0, len(shuffled), settings.batch_size):
            yield shuffled[start : start + settings.batch_size]
