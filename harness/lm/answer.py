"""Answers prompts with a model: the best label for a choice, greedy text otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from harness.errors import ModelError
from harness.lm.chat import answer_tokens, end_of_turn, prompt_tokens
from harness.lm.engine import score_options
from harness.lm.load import LanguageModel
from harness.types import Prediction, TaskFacts

BATCH = 8
"""Rows generated together."""


def answer(lm: LanguageModel, prompts: Sequence[str], facts: TaskFacts) -> list[Prediction]:
    """Answer each prompt as the task wants it.

    Args:
        lm: the model.
        prompts: plain texts; the chat template is applied here, once.
        facts: kind of answer, labels, length and stop strings.

    Returns:
        One prediction a prompt, in order.
    """
    if facts.answer_kind == "choice":
        return choose(lm, prompts, list(facts.labels))
    return generate(lm, prompts, facts.max_new_tokens, facts.stop)


def choose(lm: LanguageModel, prompts: Sequence[str], labels: Sequence[str]) -> list[Prediction]:
    """Pick the label whose log-likelihood, followed by the end of the turn, is highest."""
    tokens = [prompt_tokens(lm.tokenizer, prompt) for prompt in prompts]
    options = [answer_tokens(lm.tokenizer, label) for label in labels]
    scores, reused = score_options(lm, tokens, [options] * len(tokens))
    predictions = []
    for prompt, ids, row in zip(prompts, tokens, scores, strict=True):
        top = max(row)
        normaliser = top + log(sum(exp(value - top) for value in row))
        best = row.index(top)
        predictions.append(
            Prediction(
                text=labels[best],
                label_logprobs={
                    label: value - normaliser for label, value in zip(labels, row, strict=True)
                },
                prompt=prompt,
                prompt_tokens=len(ids),
                cached_tokens=reused,
                output_tokens=len(options[best]),
            )
        )
    return predictions


def generate(
    lm: LanguageModel, prompts: Sequence[str], max_new_tokens: int, stop: Sequence[str] = ()
) -> list[Prediction]:
    """Generate greedily until the end of the turn, a stop string or `max_new_tokens`.

    Raises:
        ModelError: a prompt with its answer does not fit the model's context.
    """
    tokens = [prompt_tokens(lm.tokenizer, prompt) for prompt in prompts]
    limit = lm.context_tokens
    for number, ids in enumerate(tokens):
        if limit is not None and len(ids) + max_new_tokens > limit:
            raise ModelError(
                f"prompt {number} has {len(ids)} tokens and may grow by {max_new_tokens};"
                f" '{lm.ref.name}' takes at most {limit}"
            )
    order = sorted(range(len(tokens)), key=lambda number: len(tokens[number]))
    outputs: dict[int, list[int]] = {}
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        new = _greedy(lm, [tokens[number] for number in batch], max_new_tokens)
        outputs.update(zip(batch, new, strict=True))
    return [
        Prediction(
            text=_until(lm.tokenizer.decode(outputs[number], skip_special_tokens=True), stop),
            prompt=prompt,
            prompt_tokens=len(tokens[number]),
            cached_tokens=0,
            output_tokens=len(outputs[number]),
        )
        for number, prompt in enumerate(prompts)
    ]


def _greedy(lm: LanguageModel, batch: list[list[int]], max_new_tokens: int) -> list[list[int]]:
    import torch

    width = max(map(len, batch))
    ends = [end_of_turn(lm.tokenizer), lm.tokenizer.eos_token_id]
    pad = lm.tokenizer.pad_token_id if lm.tokenizer.pad_token_id is not None else ends[0]
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in batch])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
    with torch.inference_mode():
        output = lm.model.generate(
            input_ids=ids.to(lm.model.device),
            attention_mask=mask.to(lm.model.device),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            eos_token_id=ends,
            pad_token_id=pad,
        )
    new = []
    for row in output[:, width:].tolist():
        length = next((i for i, token in enumerate(row) if token in ends), len(row))
        new.append(row[:length])
    return new


def _until(text: str, stop: Sequence[str]) -> str:
    for word in stop:
        text = text.split(word, 1)[0]
    return text.strip()
