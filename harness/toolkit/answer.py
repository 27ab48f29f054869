"""Answers prompts with a model: the best label for a choice, greedy text or JSON otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from harness.lm.chat import label_tokens, prompt_tokens
from harness.lm.hosted import HostedModel, answer_hosted
from harness.lm.inference.generation import generate_tokens
from harness.lm.inference.grammar import JsonGrammar
from harness.lm.inference.scoring import score_options
from harness.lm.local_model import LanguageModel
from harness.types import Prediction, Prompt, TaskInfo

NEXT_INPUT = ("\nInput:", "\nPassages:")
"""How `toolkit.prompts` begins the next input: a model without a chat template knows no end of a
turn and, behind demonstrations, goes on to ask itself."""


def answer(
    lm: LanguageModel | HostedModel, prompts: Sequence[Prompt], task: TaskInfo
) -> list[Prediction]:
    """Answer each prompt as the task wants it.

    Args:
        lm: the model; a hosted one writes text whatever the kind of answer.
        prompts: as they stand; the chat template is applied here, once.
        task: kind of answer, labels, schema, length and stop strings.

    Returns:
        One prediction a prompt, in order.
    """
    if isinstance(lm, HostedModel):
        return answer_hosted(lm, prompts, task)
    if task.answer_kind == "choice":
        return choose(lm, prompts, list(task.labels))
    stop = task.stop
    if task.answer_kind == "text" and lm.tokenizer.chat_template is None:
        stop = (*stop, *NEXT_INPUT)
    return generate(lm, prompts, task.max_new_tokens, stop, task.schema)


def choose(lm: LanguageModel, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Prediction]:
    """Pick the label whose log-likelihood, followed by the end of the turn, is highest."""
    tokens = [prompt_tokens(lm, prompt) for prompt in prompts]
    options = [label_tokens(lm, label) for label in labels]
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
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    max_new_tokens: int,
    stop: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
) -> list[Prediction]:
    """Generate greedily until the end of the turn, a stop string or `max_new_tokens`.

    Args:
        lm: the model.
        prompts: as they stand; the chat template is applied here, once.
        max_new_tokens: after so many tokens an answer is cut.
        stop: strings that end an answer and are left out of it.
        schema: a JSON schema; only text that is valid under it is written. An answer that is cut
            before its JSON is complete has a note that says so.
    """
    tokens = [prompt_tokens(lm, prompt) for prompt in prompts]
    grammar = _grammar(lm, schema) if schema is not None else None
    outputs, reused = generate_tokens(lm, tokens, max_new_tokens, stop, grammar)
    predictions = []
    for prompt, ids, new in zip(prompts, tokens, outputs, strict=True):
        written = lm.tokenizer.decode(
            new, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        text = _until(written, stop)
        cut = schema is not None and not _is_json(text)
        predictions.append(
            Prediction(
                text=text,
                prompt=prompt,
                prompt_tokens=len(ids),
                cached_tokens=reused,
                output_tokens=len(new),
                notes=(f"cut after {len(new)} tokens: the JSON is incomplete",) if cut else (),
            )
        )
    return predictions


def _grammar(lm: LanguageModel, schema: Mapping[str, Any]) -> JsonGrammar:
    """Return the schema's grammar, compiled once for a model: an answer at a time would wait."""
    key = json.dumps(schema)
    if key not in lm.grammars:
        width = lm.model.get_output_embeddings().weight.shape[0]
        lm.grammars[key] = JsonGrammar(lm.tokenizer, width, schema, lm.ends[0])
    return lm.grammars[key]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _until(text: str, stop: Sequence[str]) -> str:
    for word in stop:
        text = text.split(word, 1)[0]
    return text.strip()
