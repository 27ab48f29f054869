"""Answers prompts with a model: the best label for a choice, greedy text otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.engine import score_options
from harness.lm.generation import generate_tokens
from harness.lm.model import LanguageModel
from harness.types import Prediction, TaskFacts


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
    """Generate greedily until the end of the turn, a stop string or `max_new_tokens`."""
    tokens = [prompt_tokens(lm.tokenizer, prompt) for prompt in prompts]
    outputs, reused = generate_tokens(lm, tokens, max_new_tokens, stop)
    return [
        Prediction(
            text=_until(lm.tokenizer.decode(new, skip_special_tokens=True), stop),
            prompt=prompt,
            prompt_tokens=len(ids),
            cached_tokens=reused,
            output_tokens=len(new),
        )
        for prompt, ids, new in zip(prompts, tokens, outputs, strict=True)
    ]


def _until(text: str, stop: Sequence[str]) -> str:
    for word in stop:
        text = text.split(word, 1)[0]
    return text.strip()
