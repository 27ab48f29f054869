"""One thin loop that tunes whatever weights are trainable, on completions alone.

A batch is packed as token trees: no padding is computed, and a prefix that its examples share
(the chat template's opening) is computed once, with the gradients of all of them flowing through
it. Early stopping watches the validation loss and the best weights are put back at the end.
Knows nothing of tasks or of which method made the weights trainable.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from harness.errors import ModelError
from harness.lm.engine import PACK_TOKENS, tree_inputs
from harness.lm.model import LanguageModel
from harness.lm.tree import TokenTree

Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of its completion."""


@dataclass(frozen=True)
class TuneSettings:
    """How long and how fast to learn."""

    learning_rate: float
    epochs: int
    batch_size: int
    """Examples behind one optimiser step."""
    warmup_share: float
    """Share of all steps over which the learning rate rises linearly; it then falls linearly."""
    weight_decay: float
    evaluations_per_epoch: int
    patience: int
    """Evaluations without a better validation loss after which training stops."""


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
    seed: int,
    log: Callable[..., None],
) -> TuneResult:
    """Minimise the mean negative log-likelihood of the completions' tokens.

    Args:
        lm: the model; its parameters with `requires_grad` are trained, in place.
        train: prompt and completion of each example.
        validation: likewise; may be empty, then the last weights are kept.
        settings: how long and how fast.
        seed: for the order of examples.
        log: receives step, epoch, learning_rate, train_loss and, when evaluated, validation_loss.

    Raises:
        ModelError: the loss is not a number.
    """
    import torch

    weights = [weight for weight in lm.model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(
        weights, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    steps_per_epoch = -(-len(train) // settings.batch_size)
    total = steps_per_epoch * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _linear(total, settings.warmup_share))
    evaluate_every = max(1, steps_per_epoch // settings.evaluations_per_epoch)
    best = _Best(weights)

    step = 0
    lm.model.train()
    for step, batch in enumerate(_batches(train, settings, seed), start=1):
        rate = schedule.get_last_lr()[0]
        train_loss = _step(lm, batch, optimiser, weights)
        schedule.step()
        row = {"step": step, "epoch": step / steps_per_epoch, "learning_rate": rate}
        row["train_loss"] = train_loss
        if validation and (step % evaluate_every == 0 or step == total):
            row["validation_loss"] = mean_loss(lm, validation)
            best.offer(step, row["validation_loss"])
        log(**row)
        if best.evaluations_since >= settings.patience:
            break
    best.restore()
    lm.model.eval()
    return TuneResult(step, best.step or step, best.loss, stopped_early=step < total)


def mean_loss(lm: LanguageModel, pairs: Sequence[Pair]) -> float:
    """Return the mean negative log-likelihood per completion token, without dropout."""
    import torch

    was_training = lm.model.training
    lm.model.eval()
    with torch.inference_mode():
        losses = [(float(loss), n) for loss, n in _losses(lm, pairs)]
    lm.model.train(was_training)
    return sum(loss for loss, _ in losses) / sum(n for _, n in losses)


def _step(lm: LanguageModel, batch: Sequence[Pair], optimiser: Any, weights: list[Any]) -> float:
    import torch

    tokens = sum(len(completion) for _, completion in batch)
    total = 0.0
    for loss, _ in _losses(lm, batch):
        (loss / tokens).backward()
        total += float(loss.detach())
    if isnan(total):
        raise ModelError(f"the training loss is not a number in {lm.model.dtype} → dtype: float32")
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimiser.step()
    optimiser.zero_grad()
    return total / tokens


def _losses(lm: LanguageModel, pairs: Sequence[Pair]) -> Iterator[tuple[Any, int]]:
    """Yield the summed loss of one packed row after another, with its number of tokens."""
    row: list[Pair] = []
    size = 0
    for pair in pairs:
        length = len(pair[0]) + len(pair[1])
        if row and (size + length > PACK_TOKENS or not lm.packed):
            yield _row_loss(lm, row)
            row, size = [], 0
        row.append(pair)
        size += length
    if row:
        yield _row_loss(lm, row)


def _row_loss(lm: LanguageModel, pairs: Sequence[Pair]) -> tuple[Any, int]:
    import torch

    tree = TokenTree()
    wanted: list[tuple[int, int]] = []
    for prompt, completion in pairs:
        path = tree.add([*prompt, *completion[:-1]])
        wanted += zip(path[len(prompt) - 1 :], completion, strict=True)
    device = lm.model.device
    nodes = torch.tensor([node for node, _ in wanted], device=device)
    targets = torch.tensor([token for _, token in wanted], device=device)
    if lm.packed:
        inputs = tree_inputs(lm.model, tree, past=0)
    else:
        inputs = {"input_ids": torch.tensor([tree.tokens], device=device)}
    logits = lm.model(**inputs, use_cache=False, logits_to_keep=nodes).logits[0]
    loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
    return loss, len(wanted)


def _batches(train: Sequence[Pair], settings: TuneSettings, seed: int) -> Iterator[list[Pair]]:
    order = random.Random(seed)
    for _ in range(settings.epochs):
        shuffled = list(train)
        order.shuffle(shuffled)
        for start in range(0, len(shuffled), settings.batch_size):
            yield shuffled[start : start + settings.batch_size]


def _linear(total: int, warmup_share: float) -> Callable[[int], float]:
    warmup = max(1, round(total * warmup_share))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (total - step) / max(1, total - warmup))

    return factor


class _Best:
    """The weights with the lowest validation loss so far."""

    def __init__(self, weights: list[Any]):
        self.loss: float | None = None
        self.step: int | None = None
        self.evaluations_since = 0
        self._weights = weights
        self._copies: list[Any] = []

    def offer(self, step: int, loss: float) -> None:
        if self.loss is None or loss < self.loss:
            self.loss, self.step, self.evaluations_since = loss, step, 0
            self._copies = [weight.detach().clone() for weight in self._weights]
        else:
            self.evaluations_since += 1

    def restore(self) -> None:
        for weight, copy in zip(self._weights, self._copies, strict=False):
            weight.data.copy_(copy)
