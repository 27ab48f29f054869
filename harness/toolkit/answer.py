"""Answers prompts with a model as the task wants it: a label for a choice, else text or JSON.

Maps the task's description to what a `Model` can do. Knows nothing of tokens and servers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from harness.lm.model import Generation, Model, Spans
from harness.toolkit.prompts import next_input
from harness.types import Prediction, Prompt, TaskInfo


def answer(
    model: Model,
    prompts: Sequence[Prompt],
    task: TaskInfo,
    spans: Sequence[Spans | None] = (),
) -> list[Prediction]:
    """Answer each prompt as the task wants it.

    Args:
        model: one that scores no options writes a choice as text, in its own words.
        prompts: as they stand; the model applies its chat template, once.
        task: kind of answer, labels, schema, length and stop strings.
        spans: what the answer to each prompt is copied from, of texts; none: answers are free.

    Returns:
        One prediction a prompt, in order.
    """
    if task.answer_kind == "choice" and "score_options" in model.abilities:
        return choose(model, prompts, list(task.labels))
    stop = task.stop
    # A model without a chat template knows no end of a turn.
    if task.answer_kind == "text" and not model.has_turns:
        stop = (*stop, *next_input(task))
    settings = Generation(task.max_new_tokens, tuple(stop), task.schema, tuple(spans))
    return model.generate(prompts, settings)


def choose(model: Model, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Prediction]:
    """Pick the label whose log-likelihood, followed by the end of the turn, is highest.

    Raises:
        ModelError: the model scores no options.
    """
    predictions = []
    found = model.score_options(prompts, labels)
    for prompt, scored in zip(prompts, found, strict=True):
        row = scored.log_likelihoods
        # Normalised over the labels; the largest is taken out first, so that no `exp` underflows.
        top = max(row)
        normaliser = top + log(sum(exp(value - top) for value in row))
        best = row.index(top)
        logprobs = {label: value - normaliser for label, value in zip(labels, row, strict=True)}
        predictions.append(
            Prediction(
                text=labels[best],
                label_logprobs=logprobs,
                prompt=prompt,
                prompt_tokens=scored.prompt_tokens,
                cached_tokens=scored.cached_tokens,
                output_tokens=scored.option_tokens[best],
            )
        )
    return predictions


def generate(
    model: Model,
    prompts: Sequence[Prompt],
    max_new_tokens: int,
    stop: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
) -> list[Prediction]:
    """Generate greedily until the end of the turn, a stop string or `max_new_tokens`.

    Args:
        model: any.
        prompts: as they stand; the model applies its chat template, once.
        max_new_tokens: after so many tokens an answer is cut.
        stop: strings that end an answer and are left out of it.
        schema: a JSON schema that the answer is held to. An answer that is cut before its JSON is
            complete has a note that says so.
    """
    return model.generate(prompts, Generation(max_new_tokens, tuple(stop), schema))
