"""The packed loop follows an unpacked textbook loop, stops early and keeps the best weights."""

from __future__ import annotations

import random

import pytest
from tiny_models import WORDS, build

from harness.errors import ModelError
from harness.lm import TuneSettings, add_lora, mean_loss, tune


def settings(**changed):
    given = {
        "learning_rate": 1e-2,
        "epochs": 3,
        "batch_size": 4,
        "warmup_share": 0.1,
        "weight_decay": 0.01,
        "evaluations_per_epoch": 1,
        "patience": 99,
    }
    return TuneSettings(**(given | changed))


def pairs(seed, n=12):
    draw = random.Random(seed)
    words = lambda k: [draw.randrange(WORDS) for _ in range(k)]  # noqa: E731
    opening = words(10)
    return [(opening + words(draw.randint(1, 9)), words(draw.randint(1, 4))) for _ in range(n)]


def textbook_losses(lm, train, given, seed):
    """One sequence at a time, all logits, torch's own scheduler: nothing of the packed loop."""
    import torch

    weights = [w for w in lm.model.parameters() if w.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=given.learning_rate, weight_decay=given.weight_decay)
    per_epoch = -(-len(train) // given.batch_size)
    total, order, losses, step = per_epoch * given.epochs, random.Random(seed), [], 0
    warmup = max(1, round(total * given.warmup_share))
    lm.model.train()
    for _ in range(given.epochs):
        rows = list(train)
        order.shuffle(rows)
        for start in range(0, len(rows), given.batch_size):
            batch = rows[start : start + given.batch_size]
            rising, falling = (step + 1) / warmup, (total - step) / (total - warmup)
            optimiser.param_groups[0]["lr"] = given.learning_rate * min(rising, falling, 1.0)
            total_loss = 0.0
            for prompt, completion in batch:
                ids = torch.tensor([prompt + completion])
                labels = torch.tensor([[-100] * len(prompt) + completion])
                logits = lm.model(ids, use_cache=False).logits[0, :-1]
                total_loss = total_loss + torch.nn.functional.cross_entropy(
                    logits, labels[0, 1:], reduction="sum", ignore_index=-100
                )
            loss = total_loss / sum(len(c) for _, c in batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(float(loss.detach()))
            step += 1
    return losses


@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral-window"])
def test_the_loss_follows_a_textbook_loop(name):
    import torch

    given, logged = settings(), []
    models = []
    for _ in range(2):
        lm = build(name)
        torch.manual_seed(1)
        add_lora(lm, 4, 8, 0.0)
        models.append(lm)
    tune(models[0], pairs(1), [], given, 7, lambda **row: logged.append(row["train_loss"]))
    assert logged == pytest.approx(textbook_losses(models[1], pairs(1), given, 7), rel=1e-3)
    assert logged[-1] < logged[0]


def test_the_validation_loss_is_the_mean_over_completion_tokens():
    import torch

    lm, rows = build("llama"), pairs(2)
    total = tokens = 0
    with torch.inference_mode():
        for prompt, completion in rows:
            logits = lm.model(torch.tensor([prompt + completion])).logits[0]
            probabilities = logits.log_softmax(-1)[len(prompt) - 1 : -1]
            total -= float(probabilities[range(len(completion)), completion].sum())
            tokens += len(completion)
    assert mean_loss(lm, rows) == pytest.approx(total / tokens, rel=1e-4)


def test_training_stops_early_and_keeps_the_best_weights():
    import torch

    lm = build("llama")
    torch.manual_seed(0)
    add_lora(lm, 4, 8, 0.0)
    validation, rows = pairs(4), []
    given = settings(learning_rate=0.05, epochs=40, patience=2)
    result = tune(lm, pairs(3), validation, given, 0, lambda **row: rows.append(row))
    seen = [row["validation_loss"] for row in rows if "validation_loss" in row]
    assert result.stopped_early
    assert len(rows) < 3 * 40
    assert result.best_validation_loss == min(seen)
    assert mean_loss(lm, validation) == pytest.approx(min(seen), rel=1e-5)
    assert mean_loss(lm, validation) < seen[-1]


def test_the_same_seed_learns_the_same():
    import torch

    runs = []
    for _ in range(2):
        lm = build("llama")
        torch.manual_seed(0)
        add_lora(lm, 4, 8, 0.1)
        logged = []
        tune(lm, pairs(5), [], settings(epochs=1), 3, lambda **row: logged.append(row))  # noqa: B023
        runs.append(logged)
    assert runs[0] == runs[1]


def test_a_loss_that_is_no_number_stops_with_the_dtype():
    import torch

    lm = build("llama")
    add_lora(lm, 4, 8, 0.0)
    with torch.no_grad():
        next(w for w in lm.model.parameters() if w.requires_grad).fill_(float("nan"))
    with pytest.raises(ModelError, match=r"not a number in torch.float32"):
        tune(lm, pairs(6), [], settings(), 0, lambda **row: None)
