"""The loop follows an unpacked textbook loop, stops early, keeps the best weights, and resumes."""

from __future__ import annotations

import random

import pytest
from adapters import add_lora
from tiny_models import build
from tuning_rows import pairs, settings

from harness.errors import ModelError
from harness.lm import mean_loss, score_options, tune
from harness.lm.sizing.budget import MOST_TOKENS
from harness.lm.training import checkpoint
from harness.types import RESUMED_S


def textbook_loss(lm, prompt, completion):
    import torch

    if lm.has_encoder:
        given = {"input_ids": torch.tensor([prompt]), "labels": torch.tensor([completion])}
        return lm.model(**given, use_cache=False).loss * len(completion)
    logits = lm.model(torch.tensor([prompt + completion]), use_cache=False).logits[0, :-1]
    return torch.nn.functional.cross_entropy(
        logits[len(prompt) - 1 :], torch.tensor(completion), reduction="sum"
    )


def textbook_losses(lm, train, given):
    """One sequence at a time, all logits, torch's own scheduler: nothing of the packed loop."""
    import torch

    weights = [w for w in lm.model.parameters() if w.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=given.learning_rate, weight_decay=given.weight_decay)
    per_epoch = -(-len(train) // given.batch_size)
    total, order, losses, step = per_epoch * given.epochs, random.Random(given.seed), [], 0
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
                total_loss = total_loss + textbook_loss(lm, prompt, completion)
            loss = total_loss / sum(len(c) for _, c in batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(float(loss.detach()))
            step += 1
    return losses


def trainable(dropout=0.0):
    """A tiny Llama with LoRA on it, the same every time."""
    import torch

    lm = build("llama")
    torch.manual_seed(1)
    add_lora(lm, 4, 8, dropout)
    return lm


def refuse_rows_over(lm, tokens):
    """Let a model run out of memory above so many tokens, as an allocator would."""
    base = lm.model.base_model.model
    forward = base.forward

    def limited(*args, **given):
        if given["input_ids"].numel() > tokens:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(*args, **given)

    base.forward = limited


@pytest.mark.filterwarnings("ignore:The following (rank|alpha)_pattern keys")  # PEFT about experts
@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral-window", "mixtral", "bloom", "t5"])
def test_the_first_fifty_steps_follow_a_textbook_loop(name):
    """Packed, padded or with an encoder: the loss of each step, to 1e-3 relative."""
    import torch

    # A random encoder-decoder is chaotic at the others' rate: rounding grows into differences.
    rate = 3e-4 if name == "t5" else 1e-2
    given, logged = settings(epochs=25, batch_size=6, learning_rate=rate), []
    models = []
    for _ in range(2):
        lm = build(name)
        torch.manual_seed(1)
        add_lora(lm, 4, 8, 0.0)
        models.append(lm)
    tune(models[0], pairs(1), [], given, lambda **row: logged.append(row["train_loss"]))
    assert len(logged) == 50
    assert logged == pytest.approx(textbook_losses(models[1], pairs(1), given), rel=1e-3)
    assert sum(logged[-2:]) < sum(logged[:2])  # an epoch is two steps


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("at_once", [32, 64])
def test_pieces_and_checkpointing_change_no_loss(checkpointing, at_once, monkeypatch):
    """Gradients accumulated over pieces are those of the whole batch."""
    runs = []
    for limit, again in ((512, False), (at_once, checkpointing)):
        monkeypatch.setitem(MOST_TOKENS, "cpu", limit)
        lm = trainable()
        logged = []
        given = settings(checkpointing=again)
        tune(lm, pairs(7), [], given, lambda **row: logged.append(row["train_loss"]))  # noqa: B023
        runs.append(logged)
    assert runs[1] == pytest.approx(runs[0], rel=1e-4)


def test_too_little_memory_for_an_example_turns_checkpointing_on_and_says_so():
    lm, notes = trainable(), []
    lm.note = lambda *words: notes.append(words)
    lm.budget_bytes = 1
    tune(lm, [([1] * 40, [2, 3])], [], settings(), lambda **_: None)
    assert ("memory", "32 tokens at once fit the memory budget") in notes
    assert any("computed again" in text for _, text in notes)


def test_running_out_of_memory_repeats_the_step_in_smaller_pieces():
    """What was accumulated before memory ran out is not counted twice."""
    runs = []
    for small in (False, True):
        lm, logged = trainable(), []
        if small:
            refuse_rows_over(lm, 40)
        tune(lm, pairs(8), [], settings(), lambda **row: logged.append(row["train_loss"]))  # noqa: B023
        runs.append(logged)
    assert runs[1] == pytest.approx(runs[0], rel=1e-4)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_an_interrupted_training_ends_with_the_same_weights(dropout, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    given = settings(epochs=4, evaluations_per_epoch=2)
    whole, logged = trainable(dropout), []
    result = tune(whole, pairs(9), pairs(10), given, lambda **row: logged.append(row))

    def interrupted(**row):
        if row["step"] == 6:
            raise KeyboardInterrupt

    lm = trainable(dropout)
    with pytest.raises(KeyboardInterrupt):
        tune(lm, pairs(9), pairs(10), given, interrupted, tmp_path / "scratch")
    again, rest, notes = trainable(dropout), [], []
    again.note = lambda *words: notes.append(words)
    torch.manual_seed(99)  # another process knows nothing of the first one's random numbers
    resumed = tune(
        again, pairs(9), pairs(10), given, lambda **row: rest.append(row), tmp_path / "scratch"
    )
    assert resumed == result
    assert rest == logged[5:]
    assert "at step 5" in notes[-1][1]
    [seconds] = (tmp_path / "scratch" / RESUMED_S).read_text().split()
    assert float(seconds) > 0
    for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_another_training_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    tune(trainable(), pairs(11), [], settings(), lambda **_: None, tmp_path)
    for data, given in ((pairs(11), settings(seed=5)), (pairs(13), settings())):
        rows = []
        tune(trainable(), data, [], given, lambda **row: rows.append(row), tmp_path)  # noqa: B023
        assert rows[0]["step"] == 1


def test_short_trainings_keep_no_checkpoint(tmp_path):
    tune(trainable(), pairs(12), [], settings(), lambda **_: None, tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()


def test_a_prefix_kept_before_tuning_is_not_served_after_it():
    lm = trainable()
    prompts, options = [[9] * 40 + [n] for n in range(4)], [[[1, 2], [3]]] * 4
    score_options(lm, prompts, options)
    tune(lm, pairs(14), [], settings(learning_rate=0.05), lambda **_: None)
    after, _ = score_options(lm, prompts, options)
    lm.prefix.clear()
    assert after == score_options(lm, prompts, options)[0]


def test_an_example_longer_than_the_context_is_named():
    with pytest.raises(ModelError, match="prompt 1 needs 600 tokens and 2 for its answer"):
        tune(trainable(), [([1], [2]), ([1] * 600, [2, 3])], [], settings(), lambda **_: None)


def test_a_long_example_alone_turns_no_checkpointing_on(monkeypatch):
    monkeypatch.setitem(MOST_TOKENS, "cpu", 64)
    lm, notes = trainable(), []
    lm.note = lambda *words: notes.append(words)
    tune(lm, [([1] * 200, [2, 3])] * 2, [], settings(epochs=1), lambda **_: None)
    assert notes == []


def test_a_failed_training_leaves_the_model_serving():
    lm = trainable()

    def interrupted(**_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(lm, pairs(15), [], settings(), interrupted)
    assert not lm.model.training


def test_nothing_to_learn_from_and_nothing_to_train_are_errors():
    lm = build("llama")
    with pytest.raises(ModelError, match="no examples"):
        tune(lm, [], [], settings(), lambda **_: None)
    lm.model.requires_grad_(False)
    with pytest.raises(ModelError, match="add an adapter"):
        tune(lm, pairs(1), [], settings(), lambda **_: None)


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
    result = tune(lm, pairs(3), validation, given, lambda **row: rows.append(row))
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
        tune(lm, pairs(5), [], settings(epochs=1), lambda **row: logged.append(row))  # noqa: B023
        runs.append(logged)
    assert runs[0] == runs[1]


def test_a_loss_that_is_no_number_stops_with_the_dtype():
    import torch

    lm = build("llama")
    add_lora(lm, 4, 8, 0.0)
    with torch.no_grad():
        next(w for w in lm.model.parameters() if w.requires_grad).fill_(float("nan"))
    with pytest.raises(ModelError, match=r"not a number in torch.float32"):
        tune(lm, pairs(6), [], settings(), lambda **row: None)
