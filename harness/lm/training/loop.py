"""One thin loop that trains whatever weights are trainable, on completions alone.

A step accumulates its gradients over pieces that fit the memory. Early stopping watches the
validation loss, and the best weights are put back at the end. An interrupted training goes on from
its last checkpoint and ends with the same weights. Knows nothing of tasks, and no method by name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError
from harness.files.hashing import sha256_of
from harness.lm.inference.routes import PLAIN
from harness.lm.inference.soft_prompt import soft_tokens
from harness.lm.local_model import LanguageModel
from harness.lm.sizing.budget import RowLimit, row_limit
from harness.lm.sizing.footprint import FLOAT32_BYTES, shape, training_bytes_per_token
from harness.lm.training.checkpoint import Checkpoint
from harness.lm.training.loss import Pair, losses, mean_loss
from harness.lm.training.optimiser import CLIP_NORM, adamw, linear_schedule

if TYPE_CHECKING:
    from torch import Tensor


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
    patience: int
    """Evaluations without a better validation loss after which training stops."""
    seed: int = 0
    """For the order of the pairs."""
    checkpointing: bool | None = None
    """Whether activations are computed again in the backward pass, which saves memory and costs a
    third more time; None: only if the longest pair would not fit the budget otherwise."""


@dataclass(frozen=True)
class TuneResult:
    """What training came to."""

    steps: int
    best_step: int
    best_validation_loss: float | None
    stopped_early: bool


def tune(
    lm: LanguageModel,
    train: Sequence[Pair],
    validation: Sequence[Pair],
    settings: TuneSettings,
    log: Callable[..., None],
    scratch: Path | None = None,
) -> TuneResult:
    """Minimise the mean negative log-likelihood of the completions' tokens.

    Args:
        lm: the model; its parameters with `requires_grad` are trained, in place.
        train: pairs to train on.
        validation: pairs to stop on; without any the last weights are kept.
        settings: how long and how fast.
        log: receives step, epoch, learning_rate, train_loss and, when evaluated, validation_loss.
        scratch: a folder that outlives an interruption, for checkpoints; None: none are kept.

    Returns:
        How many steps were taken, and which step's weights the model has now.

    Raises:
        ModelError: there is nothing to train on, a pair does not fit the model's context, or the
            loss is not a number.
    """
    # Faults in the data are found before the first step, which may come hours before the last.
    if not train:
        raise ModelError("there are no examples to tune on → give the task training rows")
    for number, (prompt, completion) in enumerate([*train, *validation]):
        lm.check_room(number, len(prompt), len(completion))

    training = _Training(lm, len(train), settings)
    training.limit = _limit(lm, [*train, *validation], training.weights, settings.checkpointing)

    # The key holds all that decides the result, so another training's checkpoint is left alone.
    key = _key(lm, train, validation, settings)
    checkpoint = Checkpoint(scratch)
    training.restore(checkpoint.read(key))
    if training.step:
        lm.note("resumed", f"at step {training.step}, after {checkpoint.earlier_s:.0f} s of work")

    lm.prefix.clear()  # it belongs to weights that are about to change
    lm.model.train()
    try:
        for step, batch in enumerate(batches(train, settings), start=1):
            # Steps before the checkpoint are dealt out again, so that the shuffling goes on from
            # the same state, but not taken.
            if step <= training.step:
                continue
            if training.best.evaluations_since >= settings.patience:
                break
            row = training.take_step(step, batch)
            if validation and (step % training.evaluate_every == 0 or step == training.total):
                row["validation_loss"] = _number(mean_loss(lm, validation), "validation", lm)
                training.best.offer(step, row["validation_loss"])
            log(**row)
            checkpoint.write_when_due(key, training.state)
        training.best.restore()
    finally:
        lm.model.eval()  # an interrupted model must still serve without dropout
    best, stopped = training.best, training.step < training.total
    return TuneResult(training.step, best.step or training.step, best.loss, stopped)


class _Training:
    """The weights being trained, and all that changes with them from step to step."""

    def __init__(self, lm: LanguageModel, pairs: int, settings: TuneSettings):
        from torch.optim.lr_scheduler import LambdaLR

        self.lm = lm
        self.weights = [weight for weight in lm.model.parameters() if weight.requires_grad]
        if not self.weights:
            raise ModelError("no weight of the model is trainable → add an adapter first")
        self.optimiser = adamw(self.weights, settings.learning_rate, settings.weight_decay)
        self.per_epoch = -(-pairs // settings.batch_size)  # rounded up
        self.total = self.per_epoch * settings.epochs
        self.schedule = LambdaLR(self.optimiser, linear_schedule(self.total, settings.warmup_share))
        self.evaluate_every = max(1, self.per_epoch // settings.evaluations_per_epoch)
        self.best = _Best(self.weights)
        self.limit = RowLimit(0)
        self.step = 0

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
        # Divided by the batch's tokens, not the piece's: however it is cut, the sum is the same.
        tokens = sum(len(completion) for _, completion in batch)
        total = 0.0
        for loss, _ in losses(self.lm, batch, at_once):
            (loss / tokens).backward()
            total += float(loss.detach())
        return total / tokens

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs."""
        return {
            "step": self.step,
            "at_once": self.limit.tokens,
            "weights": [weight.detach() for weight in self.weights],
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "best": self.best.state(),
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
        self.best = _Best(self.weights, **state["best"])


class _Best:
    """The weights with the lowest validation loss so far."""

    def __init__(
        self,
        weights: list[Tensor],
        loss: float | None = None,
        step: int | None = None,
        evaluations_since: int = 0,
        copies: Sequence[Tensor] = (),
    ):
        self._weights = weights
        self.loss = loss
        self.step = step
        self.evaluations_since = evaluations_since
        self._copies = list(copies)

    def offer(self, step: int, loss: float) -> None:
        """Copy the weights if their loss is the lowest so far."""
        if self.loss is None or loss < self.loss:
            self.loss, self.step, self.evaluations_since = loss, step, 0
            self._copies = [weight.detach().clone() for weight in self._weights]
        else:
            self.evaluations_since += 1

    def restore(self) -> None:
        """Put the best weights back; where none were offered, leave the last ones."""
        for weight, copy in zip(self._weights, self._copies, strict=False):
            weight.data.copy_(copy)

    def state(self) -> dict[str, Any]:
        """Return what a new `_Best` takes to go on from here."""
        return {
            "loss": self.loss,
            "step": self.step,
            "evaluations_since": self.evaluations_since,
            "copies": self._copies,
        }


def _limit(
    lm: LanguageModel, pairs: Sequence[Pair], weights: Sequence[Tensor], checkpointing: bool | None
) -> RowLimit:
    """Find how many tokens a piece may have, and turn checkpointing on where it is needed."""
    model = lm.model
    # Gradients, AdamW's two moments and the copy of the best weights come on top.
    reserved = sum(weight.numel() for weight in weights) * 4 * FLOAT32_BYTES
    longest = max(len(prompt) + len(completion) for prompt, completion in pairs)

    def find(again: bool) -> RowLimit:
        per_token = training_bytes_per_token(shape(model.config), model.dtype.itemsize, again)
        return row_limit(str(model.device), per_token, lm.budget_bytes, lm.note, reserved)

    # What a method would lose must be refused: training would run and learn nothing.
    recomputable = lm.adapter is None or lm.adapter.recomputable
    if checkpointing and not recomputable:
        what = lm.adapter.name if lm.adapter else "this method"
        raise ModelError(f"checkpointing would lose what {what} learns → leave `checkpointing` out")

    # Pieces are cut between pairs, so a pair that is too long alone leaves no other way.
    limit = find(again=bool(checkpointing))
    possible = recomputable and bool(getattr(model, "supports_gradient_checkpointing", False))
    if checkpointing is None and limit.fitting < longest and possible:
        checkpointing = True
        limit = find(again=True)
        lm.note("memory", "activations are computed again in the backward pass (checkpointing)")

    if checkpointing:
        model.activation_checkpointing_enable()
        # Layers that are computed again keep nothing for others to look at: no packed rows.
        if soft_tokens(model) and lm.packs:
            lm.route = PLAIN
            lm.note("engine", "with checkpointing a soft prompt is learnt from padded rows")
    return limit


def _key(
    lm: LanguageModel, train: Sequence[Pair], validation: Sequence[Pair], settings: TuneSettings
) -> str:
    """Return a hash of all that decides what a training comes to, for its checkpoints."""
    shapes = [list(w.shape) for w in lm.model.parameters() if w.requires_grad]
    return sha256_of([asdict(settings), list(train), list(validation), shapes, lm.ref.name])


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
