"""The contract of a `Model` as a test: `check_model(model)` asks it as strategies do.

    def test_contract():
        check_model(open_my_server())

A dozen short prompts are put to it. Every breach found is reported, not only the first. What the
model does not claim (`Model.abilities`) it must refuse with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite
from typing import get_args

from harness.errors import ModelError
from harness.lm.model import Ability, Generation, Model
from harness.types import Prediction, Prompt, RunningText

PROMPTS: tuple[Prompt, ...] = (
    "What floats?",
    "What swims in the sea?",
    ("Up?", "sky", "Down?"),
    RunningText("Q: Up?\nA: sky\n\nQ: Down?\nA:"),
)
OPTIONS = ("a cloud", "a fish", "cloud", "the sea")
MOST_TOKENS = 6
EPSILON = 1e-3
"""Two ways of computing the same log-likelihood may differ by as much, in half precision."""


def check_model(model: Model) -> None:
    """Check that a model keeps its contract.

    Args:
        model: a loaded one, or one whose server is up.

    Raises:
        ModelError: naming every breach.
    """
    parts = (_claims, _generates, _counts, _scores, _rates_texts)
    breaches = [breach for part in parts for breach in part(model)]
    if breaches:
        listed = "\n".join(f"- {breach}" for breach in breaches)
        raise ModelError(f"{type(model).__name__} breaks its contract:\n{listed}")


def _claims(model: Model) -> Iterator[str]:
    """Yield what is wrong with what it says of itself and with how it refuses the rest."""
    if unknown := sorted(model.abilities - set(get_args(Ability))):
        yield f"abilities must be some of {', '.join(get_args(Ability))}, not {unknown}"
    asked: dict[Ability, Callable[[], object]] = {
        "score_options": lambda: model.score_options(PROMPTS[:1], OPTIONS),
        "log_likelihood": lambda: model.log_likelihood(PROMPTS[:1], OPTIONS[:1]),
        "count_tokens": lambda: (model.count_tokens(PROMPTS[0]), model.count_answer_tokens("a")),
    }
    for ability, ask in asked.items():
        if ability in model.abilities:
            continue
        try:
            ask()
        except ModelError as refusal:
            if model.ref.name not in str(refusal):
                yield f"{ability} is refused without naming the model: {refusal}"
        else:
            yield f"{ability} is not among its abilities, and yet it answers"
    said = model.loaded()
    if said.name != model.ref.name:
        yield f"loaded() is of '{said.name}', not of '{model.ref.name}'"
    if (said.hosted_at is None) == (said.parameters is None):
        yield "loaded() must say either how many weights it has or where it is hosted"


def _generates(model: Model) -> Iterator[str]:
    """Yield what is wrong with generated text."""
    settings = Generation(MOST_TOKENS)
    if model.generate([], settings):
        yield "generate answers prompts that nobody gave"
    first = model.generate(PROMPTS, settings)
    if len(first) != len(PROMPTS):
        yield f"generate gave {len(first)} answers to {len(PROMPTS)} prompts"
        return
    for prompt, answer in zip(PROMPTS, first, strict=True):
        yield from _answer_breaches(prompt, answer)
    backwards = model.generate(PROMPTS[::-1], settings)
    alone = [model.generate([prompt], settings)[0] for prompt in PROMPTS]
    for given, reversed_, single in zip(first, backwards[::-1], alone, strict=True):
        if not given.text == reversed_.text == single.text:
            yield f"the answer to {given.prompt!r} depends on its place or its neighbours"
    written = next((answer.text for answer in first if len(answer.text) > 1), None)
    if written is not None:
        stop = written[1]
        for answer in model.generate(PROMPTS, Generation(MOST_TOKENS, (stop,))):
            if stop in answer.text:
                yield f"the answer {answer.text!r} goes on behind the stop string {stop!r}"


def _answer_breaches(prompt: Prompt, answer: Prediction) -> Iterator[str]:
    if answer.error:
        yield f"the prompt {prompt!r} failed: {answer.error}"
    if answer.prompt != prompt:
        yield f"the answer to {prompt!r} names {answer.prompt!r} as its prompt"
    if answer.output_tokens is not None and answer.output_tokens > MOST_TOKENS:
        yield f"an answer has {answer.output_tokens} tokens, of at most {MOST_TOKENS}"
    cut = answer.finish_reason == "length"
    if cut and answer.output_tokens is not None and answer.output_tokens < MOST_TOKENS:
        yield f"an answer of {answer.output_tokens} tokens says it was cut at {MOST_TOKENS}"
    if answer.prompt_tokens is not None and answer.prompt_tokens < 1:
        yield "a prompt has no tokens: what is not known is None"


def _counts(model: Model) -> Iterator[str]:
    """Yield what is wrong with counted tokens and with its context."""
    room = model.context_tokens
    if room is not None and model.has_room(room + 1, 1):
        yield f"has_room finds room for {room + 1} tokens in a context of {room}"
    if not model.has_room(1, 1):
        yield "has_room finds no room for one token and its answer"
    if "count_tokens" not in model.abilities:
        if room is not None:
            yield "it says how long its context is but counts no tokens: then nobody can use that"
        return
    short, long = model.count_tokens("one"), model.count_tokens("one " * 40)
    if not 0 < short < long:
        yield f"count_tokens gives {short} for one word and {long} for forty"
    if model.count_answer_tokens("cloud") < 2:
        yield "count_answer_tokens leaves out the end of the turn"
    (answer,) = model.generate(PROMPTS[:1], Generation(1))
    if answer.prompt_tokens not in (None, model.count_tokens(PROMPTS[0])):
        yield "count_tokens and generate differ on the tokens of a prompt"


def _scores(model: Model) -> Iterator[str]:
    """Yield what is wrong with scored options."""
    if "score_options" not in model.abilities:
        return
    rows = [scored.log_likelihoods for scored in model.score_options(PROMPTS, OPTIONS)]
    if [len(row) for row in rows] != [len(OPTIONS)] * len(PROMPTS):
        yield "score_options must give one number an option and one row a prompt"
        return
    if not all(map(_is_log_probability, (value for row in rows for value in row))):
        yield "score_options must give logarithms of probabilities"
    turned = model.score_options(PROMPTS, OPTIONS[::-1])
    alone = [model.score_options([prompt], OPTIONS)[0] for prompt in PROMPTS]
    for row, other, single in zip(rows, turned, alone, strict=True):
        if not _alike(row, other.log_likelihoods[::-1]):
            yield "the score of an option depends on its place"
        if not _alike(row, single.log_likelihoods):
            yield "the score of an option depends on the prompt's neighbours"


def _rates_texts(model: Model) -> Iterator[str]:
    """Yield what is wrong with the log-likelihoods of given texts."""
    if "log_likelihood" not in model.abilities:
        return
    texts = model.log_likelihood(PROMPTS, OPTIONS)
    if len(texts) != len(PROMPTS) or not all(map(_is_log_probability, texts)):
        yield "log_likelihood must give the logarithm of a probability for each prompt"
        return
    if "score_options" in model.abilities:
        for place, scored in enumerate(model.score_options(PROMPTS, OPTIONS)):
            if scored.log_likelihoods[place] > texts[place] + EPSILON:
                yield "a text with the end of its turn cannot be likelier than without"


def _is_log_probability(value: float) -> bool:
    return isfinite(value) and value <= EPSILON


def _alike(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(abs(x - y) <= EPSILON * max(1.0, abs(x)) for x, y in zip(a, b, strict=True))
