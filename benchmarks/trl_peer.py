"""TRL's SFTTrainer at the work of the training benchmark.

It gets rows as tokens with a mask of their completions, in a fixed order, and the learning rate
of each step, so that the two sides learn from the same numbers. Runs only inside a side.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from benchmarks.lora_setup import (
    ALPHA,
    BATCH,
    RANK,
    RATE,
    SEED,
    Pair,
    adapted,
    start_size,
    warm_up,
)
from benchmarks.measure import Measurement, measured
from benchmarks.models import plain_model


def peer(
    dtype: str,
    train: list[Pair],
    held_out: list[Pair],
    rates: list[float],
    setting: dict[str, bool],
    device: str,
) -> tuple[Measurement, Any]:
    """Train with TRL and ask the trained weights the held-out rows, with our code."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    from harness.lm import mean_loss

    model, tokenizer = _adapted(dtype, device)
    start = start_size(model)
    trainer, losses, _ = _trainer(model, tokenizer, train, rates, setting)
    _, measurement = measured(trainer.train)
    lm = adapted(dtype, device)
    left = set_peft_model_state_dict(lm.model, get_peft_model_state_dict(trainer.model))
    assert not left.unexpected_keys, left.unexpected_keys
    return measurement, {
        "losses": [float(loss) for loss in losses],
        "start": start,
        "optim": str(getattr(trainer.args.optim, "value", trainer.args.optim)),
        "final_loss": mean_loss(lm, held_out),
    }


def trials(
    dtype: str,
    train: list[Pair],
    rates: list[float],
    settings: list[dict[str, bool]],
    device: str,
) -> tuple[Measurement, Any]:
    """Time each setting on the same batches; return pairs of a setting and its seconds a step."""

    def work() -> list[tuple[dict[str, bool], float]]:
        found = []
        for setting in settings:
            trainer, _, ends = _trainer(*_adapted(dtype, device), train, rates, setting)
            trainer.train()
            found.append((setting, (ends[-1] - ends[0]) / (len(ends) - 1)))
        return found

    found, measurement = measured(work)
    return measurement, found


def _adapted(dtype: str, device: str) -> tuple[Any, Any]:
    """Load the model with transformers and put PEFT's adapters on it, as TRL's users do."""
    import torch
    from peft import LoraConfig, get_peft_model

    model, tokenizer = plain_model(device, dtype)
    torch.manual_seed(SEED)
    config = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, config)
    warm_up(model)
    return model, tokenizer


def _trainer(
    model: Any,
    tokenizer: Any,
    train: Sequence[Pair],
    rates: Sequence[float],
    setting: dict[str, bool],
) -> tuple[Any, list[Any], list[float]]:
    """Return a trainer, and lists that it fills with each step's loss and moment of ending."""
    import torch
    from datasets import Dataset
    from trl import SFTTrainer

    losses: list[Any] = []
    ends: list[float] = []

    class Recorded(SFTTrainer):  # type: ignore[misc]
        def training_step(self, *words: Any, **named: Any) -> Any:
            loss = super().training_step(*words, **named)
            losses.append(loss.detach())
            ends.append(perf_counter())
            return loss

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer,
                lambda step: rates[min(step, len(rates) - 1)] / RATE,
            )
            return self.lr_scheduler

    rows = [
        {
            "input_ids": prompt + completion,
            "completion_mask": [0] * len(prompt) + [1] * len(completion),
        }
        for prompt, completion in train
    ]
    trainer = Recorded(
        model=model,
        args=_config(model.device.type, setting),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    return trainer, losses, ends


def _config(device: str, setting: dict[str, bool]) -> Any:
    from trl import SFTConfig

    return SFTConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        learning_rate=RATE,
        weight_decay=0.0,
        max_grad_norm=1.0,
        gradient_checkpointing=False,
        completion_only_loss=True,
        max_length=None,
        padding_free=setting["padding_free"],
        bf16=setting["autocast"],
        use_cpu=device == "cpu",
        train_sampling_strategy="sequential",
        dataloader_num_workers=0,
        dataloader_pin_memory=device != "cpu",
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=SEED,
    )
