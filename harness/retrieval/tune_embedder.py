"""Tunes an embedding model so that its vectors separate classes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from harness.retrieval.embedder import Embedder

SCALE = 20.0
"""Factor of the products of vectors of length one before the softmax, as in the losses of
sentence-transformers: without it, no class can get a probability near 1."""
HEAD_FASTER = 100.0
"""The head is new, so it learns so many times as fast as the encoder. Our choice."""
CLIP_NORM = 1.0

Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class EncoderSettings:
    """How long and how fast to learn."""

    learning_rate: float
    epochs: int
    batch_size: int
    patience: int
    """Epochs without a lower validation loss after which training stops."""
    seed: int
    warmup_share: float = 0.1
    """Share of all steps in which the learning rate rises; it falls to 0 in the others."""


def tune_encoder(
    embedder: Embedder,
    train: Rows,
    validation: Rows,
    settings: EncoderSettings,
    log: Callable[..., None],
) -> tuple[int, int]:
    """Train all weights of an embedding model under a softmax over classes, in place.

    Args:
        embedder: the model; at the end it has the weights of the best epoch.
        train: (text, class) of each example.
        validation: likewise; without any row, the weights of the last epoch are kept.
        settings: how.
        log: receives step, epoch, train_loss and validation_loss, once an epoch.

    Returns:
        The epoch that was kept, and the number of epochs.
    """
    import torch

    torch.manual_seed(settings.seed)
    model = embedder.model
    classes = sorted({label for _, label in train})
    head = torch.nn.Linear(embedder.dimensions, len(classes), device=model.device)
    known = [row for row in validation if row[1] in classes]
    weights = [*model.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {"params": list(model.parameters()), "lr": settings.learning_rate},
            {"params": list(head.parameters()), "lr": settings.learning_rate * HEAD_FASTER},
        ],
        fused=True,
    )
    steps = settings.epochs * -(-len(train) // settings.batch_size)
    schedule = with_decay(optimiser, steps, settings.warmup_share)
    order = random.Random(settings.seed)
    best, kept, step, epoch = None, (float("inf"), 0), 0, 0
    for epoch in range(1, settings.epochs + 1):
        model.train()
        total = 0.0
        for batch in _batches(train, settings.batch_size, order):
            loss = _loss(model, head, batch, classes)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, CLIP_NORM)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            total += loss.item() * len(batch)
            step += 1
        numbers = {"train_loss": total / len(train)}
        if known:
            numbers["validation_loss"] = _mean_loss(model, head, known, classes, settings)
        log(step=step, epoch=epoch, learning_rate=schedule.get_last_lr()[0], **numbers)
        if known and numbers["validation_loss"] < kept[0]:
            kept = (numbers["validation_loss"], epoch)
            best = deepcopy(model.state_dict())
        if known and epoch - kept[1] >= settings.patience:
            break
    if best is not None:
        model.load_state_dict(best)
    model.eval()
    return kept[1] or epoch, epoch


def with_decay(optimiser: Any, steps: int, warmup_share: float) -> Any:
    """Return the schedule of transformers that rises linearly and then falls to 0.

    Args:
        optimiser: whose rates it sets; its `step` is called once a step of training.
        steps: of the whole training.
        warmup_share: of them, in which the rate rises.
    """
    from transformers import get_linear_schedule_with_warmup

    return get_linear_schedule_with_warmup(optimiser, round(warmup_share * steps), steps)


def sentence_vectors(model: Any, texts: Sequence[str]) -> Any:
    """Return a model's vectors of texts with their gradients, [texts, dimensions]."""
    inputs = {
        key: value.to(model.device) if hasattr(value, "to") else value
        for key, value in model.preprocess(list(texts)).items()
    }
    return model(inputs)["sentence_embedding"]


def _batches(rows: Rows, size: int, order: random.Random | None = None) -> list[Rows]:
    """Return rows in batches: shuffled for training, by length otherwise."""
    rows = list(rows)
    if order is not None:
        order.shuffle(rows)
    else:
        rows.sort(key=lambda row: len(row[0]))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _loss(model: Any, head: Any, rows: Rows, classes: list[str]) -> Any:
    import torch
    from torch.nn.functional import cross_entropy, normalize

    vectors = normalize(sentence_vectors(model, [text for text, _ in rows]))
    right = torch.tensor([classes.index(label) for _, label in rows], device=model.device)
    return cross_entropy(SCALE * head(vectors), right)


def _mean_loss(
    model: Any, head: Any, rows: Rows, classes: list[str], settings: EncoderSettings
) -> float:
    import torch

    model.eval()
    with torch.inference_mode():
        batches = _batches(rows, settings.batch_size)
        total = sum(_loss(model, head, b, classes).item() * len(b) for b in batches)
    return float(total / len(rows))
