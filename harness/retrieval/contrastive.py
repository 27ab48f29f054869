"""Tunes an embedding model on pairs of texts, so that those of one class come to lie together.

SetFit's first step (Tunstall et al. 2022, arXiv 2209.11055): of few rows there are many pairs. The
squared difference of a pair's cosine from 1 (same class) or 0 is made small, and as many pairs of
the one kind are drawn as of the other. Knows nothing of the classifier that follows.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.retrieval.embedder import Embedder
from harness.retrieval.tune_embedder import CLIP_NORM, Rows, sentence_vectors, with_decay

LOG_EVERY = 25
"""Steps between two rows of the log."""
Pair = tuple[str, str, float]
"""Two texts, and 1 if they are of one class, else 0."""


@dataclass(frozen=True)
class ContrastiveSettings:
    """How long and how fast to learn."""

    learning_rate: float
    batch_size: int
    """Pairs at once."""
    most_steps: int
    """Without a limit one epoch over all pairs grows with the square of the rows."""
    warmup_share: float
    seed: int


def tune_on_pairs(
    embedder: Embedder,
    train: Rows,
    settings: ContrastiveSettings,
    log: Callable[..., None],
) -> int:
    """Train all weights of an embedding model on pairs, in place.

    Args:
        embedder: the model.
        train: (text, class) of each example; at least two classes.
        settings: how.
        log: receives step, learning_rate and train_loss now and then.

    Returns:
        The steps that were made.
    """
    import torch
    from torch.nn.functional import cosine_similarity, mse_loss

    torch.manual_seed(settings.seed)
    model = embedder.model
    steps = steps_of(train, settings.batch_size, settings.most_steps)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, fused=True)
    schedule = with_decay(optimiser, steps, settings.warmup_share)
    drawn = pairs(train, settings.seed)
    model.train()
    total, counted = 0.0, 0
    for step in range(1, steps + 1):
        batch = [next(drawn) for _ in range(settings.batch_size)]
        vectors = sentence_vectors(model, [text for pair in batch for text in pair[:2]])
        cosines = cosine_similarity(vectors[0::2], vectors[1::2])  # [pairs]
        wanted = torch.tensor([same for _, _, same in batch], device=cosines.device)
        loss = mse_loss(cosines, wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        total, counted = total + loss.item(), counted + 1
        if step % LOG_EVERY == 0 or step == steps:
            rate = schedule.get_last_lr()[0]
            log(step=step, learning_rate=rate, train_loss=total / counted)
            total, counted = 0.0, 0
    model.eval()
    return steps


def steps_of(train: Rows, batch_size: int, most: int) -> int:
    """Return the steps of one epoch over the pairs, the rarer kind drawn again: SetFit's default.

    Args:
        train: (text, class) of each example.
        batch_size: pairs at once.
        most: the limit.
    """
    sizes = [len(texts) for texts in _by_class(train)]
    same = sum(size * (size - 1) // 2 for size in sizes)
    other = len(train) * (len(train) - 1) // 2 - same
    return max(1, min(most, -(-2 * max(same, other) // batch_size)))


def pairs(train: Rows, seed: int) -> Iterator[Pair]:
    """Yield pairs without end: of one class and of two by turns, each pair of a kind as likely.

    Where no class has two rows, a row stands beside itself: dropout makes two texts of it
    (Gao et al. 2021, arXiv 2104.08821).
    """
    draw = random.Random(seed)
    classes = _by_class(train)
    several = [texts for texts in classes if len(texts) > 1]
    weights = [len(texts) * (len(texts) - 1) for texts in several]
    everything = [(text, number) for number, texts in enumerate(classes) for text in texts]
    while True:
        if several:
            (texts,) = draw.choices(several, weights)
            first, second = draw.sample(texts, 2)
        else:
            first = second = draw.choice(everything)[0]
        yield first, second, 1.0
        (one, of), (other, also) = draw.choice(everything), draw.choice(everything)
        while of == also:
            (one, of), (other, also) = draw.choice(everything), draw.choice(everything)
        yield one, other, 0.0


def _by_class(train: Rows) -> list[Sequence[str]]:
    """Return the texts of each class."""
    found: dict[str, list[str]] = defaultdict(list)
    for text, label in train:
        found[label].append(text)
    return [found[label] for label in sorted(found)]
