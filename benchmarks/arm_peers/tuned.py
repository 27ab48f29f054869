"""Peers that tune: PEFT's classification head, and TRL's supervised trainer.

What TRL tuned is served by our engine, which comes to the same figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.arm_peers.cut import SEED, Answers, Cut, Row, target
from benchmarks.models import MODEL

RATES = (1e-4, 3e-4, 1e-3)
EPOCHS, BATCH = 8, 16


def peft_classification(cut: Cut) -> Answers:
    """A classification head with LoRA (PEFT's own example), the best of three learning rates.

    Rank 16, alpha 32, dropout 0.05 on all linear layers, linear decay; the rate is chosen by
    accuracy on validation rows.
    """
    tried = {rate: _classifier(cut, rate) for rate in RATES}
    best = max(tried, key=lambda rate: tried[rate][0])
    return tried[best][1], f"learning rate {best:g} of {RATES}"


def _classifier(cut: Cut, rate: float) -> tuple[float, list[str]]:
    """Train one classifier; return its accuracy on validation rows and its answers."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from harness.lm.loading.resolve import resolve

    torch.manual_seed(SEED)
    place = resolve(MODEL, Path()).location
    tokenizer = AutoTokenizer.from_pretrained(place)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    body = AutoModelForSequenceClassification.from_pretrained(
        place, num_labels=len(cut.labels), dtype=torch.float32
    )
    body.config.pad_token_id = tokenizer.pad_token_id
    config = LoraConfig(
        r=16, lora_alpha=32, lora_dropout=0.05, target_modules="all-linear", task_type="SEQ_CLS"
    )
    model = get_peft_model(body, config).to(cut.device)

    def read(rows: Sequence[Row]) -> Any:
        texts = [row["input"] for row in rows]
        return tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(cut.device)

    def logits(rows: Sequence[Row]) -> list[str]:
        model.eval()
        found: list[str] = []
        with torch.inference_mode():
            for start in range(0, len(rows), 32):
                best = model(**read(rows[start : start + 32])).logits.argmax(-1)
                found += [cut.labels[place] for place in best.tolist()]
        return found

    number = {label: place for place, label in enumerate(cut.labels)}
    steps = EPOCHS * -(-len(cut.train) // BATCH)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    order = torch.Generator().manual_seed(SEED)
    for _ in range(EPOCHS):
        model.train()
        shuffled = torch.randperm(len(cut.train), generator=order).tolist()
        for start in range(0, len(shuffled), BATCH):
            rows = [cut.train[place] for place in shuffled[start : start + BATCH]]
            wanted = torch.tensor([number[target(row)] for row in rows], device=cut.device)
            loss = torch.nn.functional.cross_entropy(model(**read(rows)).logits, wanted)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    right = [
        a == target(row) for a, row in zip(logits(cut.validation), cut.validation, strict=True)
    ]
    return sum(right) / len(right), logits(cut.test)


def trl(cut: Cut) -> Answers:
    """TRL's SFTTrainer with its documented LoRA: rank 16, alpha 32, dropout 0.05, rate 2e-4."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from benchmarks.models import plain_model
    from harness.lm import Generation, load
    from harness.lm.loading.resolve import resolve
    from harness.machine.device import device_and_dtype

    torch.manual_seed(SEED)
    model, tokenizer = plain_model(cut.device, "float32")
    rows = [
        {
            "prompt": [{"role": "user", "content": row["input"]}],
            "completion": [{"role": "assistant", "content": target(row)}],
        }
        for row in cut.train
    ]
    folder = tempfile.mkdtemp()
    settings = SFTConfig(
        output_dir=folder,
        per_device_train_batch_size=8,
        num_train_epochs=3,
        learning_rate=2e-4,
        lr_scheduler_type="cosine",
        completion_only_loss=True,
        bf16=False,
        use_cpu=cut.device == "cpu",
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        seed=SEED,
    )
    config = LoraConfig(
        r=16, lora_alpha=32, lora_dropout=0.05, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    trainer = SFTTrainer(
        model=model,
        args=settings,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=config,
    )
    trainer.train()
    trainer.model.merge_and_unload().save_pretrained(f"{folder}/merged")
    tokenizer.save_pretrained(f"{folder}/merged")
    lm = load(resolve(f"{folder}/merged", Path()), *device_and_dtype("auto"), SEED)
    prompts = [row["input"] for row in cut.test]
    if cut.is_choice:
        scored = lm.score_options(prompts, cut.labels)
        found = [row.log_likelihoods for row in scored]
        return [cut.labels[row.index(max(row))] for row in found], "3 epochs"
    return [a.text for a in lm.generate(prompts, Generation(cut.max_new_tokens))], "3 epochs"
