"""Scores continuations of prompts, by our engine and by lm-evaluation-harness.

Both get the same texts and must come to the same tokens, which is checked; the continuations
carry no end of turn, because the peer adds none. Tokenising is part of the timed work on both
sides. The peer's batch size is the best of 1, 8 and 32, tried on one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from math import fsum
from time import perf_counter
from typing import Any

from benchmarks.data import Questions
from benchmarks.measure import Measurement, measured
from benchmarks.models import our_model, plain_model
from benchmarks.sides import Side, SideError, Sides, beside
from harness.files.hashing import sha256_of

BATCH_SIZES = (1, 8, 32)
LEAST_TRIED = 8
"""Continuations that a quick run tries a batch size on; one full batch if that is more."""


def ours(prompts: list[str], continuations: list[str], device: str) -> tuple[Measurement, Any]:
    """Score every continuation of every prompt with the engine, in one call."""
    from harness.lm import clear_prefixes, score_options

    lm = our_model(device, "float32")
    encode = lm.tokenizer.encode
    score_options(lm, [encode("A short line")], [[encode(" end"), encode(" other")]])
    clear_prefixes()

    def work() -> tuple[Any, ...]:
        tokens = [encode(prompt) for prompt in prompts]
        options = [encode(text, add_special_tokens=False) for text in continuations]
        scores, _ = score_options(lm, tokens, [options] * len(tokens))
        return scores, tokens, options

    (scores, tokens, options), measurement = measured(work)
    hashes = [sha256_of([[ids, option] for option in options]) for ids in tokens]
    return measurement, {"scores": scores, "token_hashes": hashes}


def peer(
    prompts: list[str], continuations: list[str], batch_size: int, device: str
) -> tuple[Measurement, Any]:
    """Score every continuation of every prompt with lm-evaluation-harness, in one call."""
    harness = _Peer(device)
    scores, measurement = measured(lambda: harness.score(prompts, continuations, batch_size))
    return measurement, {
        "scores": scores,
        "token_hashes": [harness.token_hash(prompt, continuations) for prompt in prompts],
        "length_mean": harness.length_mean(prompts, continuations),
    }


def peer_trials(
    prompt: str, continuations: list[str], counts: dict[str, int], device: str
) -> tuple[Measurement, Any]:
    """Time batch sizes, each on so many continuations of one prompt.

    Args:
        prompt: the message's prompt.
        continuations: all of them.
        counts: for each batch size, how many of the continuations to score.
        device: "cpu" or "cuda".

    Returns:
        The whole measurement, and for each batch size its seconds per continuation.
    """
    harness = _Peer(device)

    def work() -> dict[str, float]:
        found = {}
        for size, count in counts.items():
            start = perf_counter()
            harness.score([prompt], continuations[:count], int(size))
            found[size] = (perf_counter() - start) / min(count, len(continuations))
        return found

    found, measurement = measured(work)
    return measurement, found


class _Peer:
    """lm-evaluation-harness around a model that is loaded and warm."""

    def __init__(self, device: str):
        from lm_eval.models.huggingface import HFLM

        model, tokenizer = plain_model(device, "float32")
        self.hflm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1)
        self.score(["A short line"], [" end"], 1)

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], batch_size: int
    ) -> list[list[float]]:
        from lm_eval.api.instance import Instance

        self.hflm.batch_size_per_gpu = batch_size
        pairs = [(prompt, text) for prompt in prompts for text in continuations]
        requests = [
            Instance(request_type="loglikelihood", doc={}, arguments=pair, idx=number)
            for number, pair in enumerate(pairs)
        ]
        answers = [value for value, _ in self.hflm.loglikelihood(requests, disable_tqdm=True)]
        width = len(continuations)
        return [answers[first : first + width] for first in range(0, len(answers), width)]

    def token_hash(self, prompt: str, continuations: Sequence[str]) -> str:
        return sha256_of([self.hflm._encode_pair(prompt, text) for text in continuations])

    def length_mean(self, prompts: Sequence[str], continuations: Sequence[str]) -> float:
        """Return how many tokens a request has on average, in the first prompt."""
        pairs = [self.hflm._encode_pair(prompts[0], text) for text in continuations]
        return fsum(len(context) + len(new) for context, new in pairs) / len(pairs)


def compare(sides: Sides, questions: Questions, peer_messages: int) -> dict[str, Any]:
    """Run both sides and compare them.

    Args:
        sides: where they run.
        questions: our side scores all of them.
        peer_messages: how many of them the peer scores in a full run; in a quick one as many of
            these as fit, at least one.

    Returns:
        Seconds are per message, on both sides.

    Raises:
        SideError: the two sides did not score the same tokens.
    """
    prompts, continuations = questions.prompts, questions.continuations
    texts = {"continuations": continuations, "device": sides.device}
    us = sides.run(ours, prompts=prompts, **texts)
    trials, overhead_s, failed = _trials(sides, questions)
    best = min(trials, key=lambda size: trials[size])
    if sides.quick:
        message_s = trials[best] * len(continuations)
        peer_messages = messages_that_fit(sides.left_s() - overhead_s, message_s, peer_messages)
    sides.say(f"lm-eval at batch size {best}, {peer_messages} messages")
    them = sides.run(peer, prompts=prompts[:peer_messages], batch_size=int(best), **texts)
    return {
        **beside(us, them, us.wall_s / len(prompts), them.wall_s / peer_messages),
        **_agreement(us, them),
        "ours_total_s": us.wall_s,
        "peer_total_s": them.wall_s,
        "ours_messages": len(prompts),
        "peer_messages": peer_messages,
        "options": len(continuations),
        "request_tokens_mean": them.values["length_mean"],
        "peer_settings": {
            "lm_eval": version("lm_eval"),
            "dtype": "float32",
            "batch_size": int(best),
            "tried_s_per_request": trials,
            "failed": failed,
        },
    }


def messages_that_fit(left_s: float, message_s: float, most: int) -> int:
    """Return how many messages fit in the time left: at least one, at most `most`."""
    return max(1, min(most, int(left_s / message_s)))


def _trials(sides: Sides, questions: Questions) -> tuple[dict[str, float], float, dict[str, str]]:
    """Try the batch sizes on one message.

    Returns:
        Seconds per continuation at each size; the seconds that starting a side takes; and why a
        size failed, where one did (a large batch of logits may not fit the memory).
    """
    width = len(questions.continuations)
    counts = {
        str(size): min(width, max(size, LEAST_TRIED)) if sides.quick else width
        for size in BATCH_SIZES
    }
    words = {
        "prompt": questions.prompts[0],
        "continuations": questions.continuations,
        "device": sides.device,
    }
    try:
        side = sides.run(peer_trials, counts=counts, **words)
        return side.values, side.total_s - side.wall_s, {}
    except SideError:
        sides.say("lm-eval failed at one of the batch sizes: trying them one by one")
    found: dict[str, float] = {}
    failed: dict[str, str] = {}
    overhead_s = 0.0
    for size, count in counts.items():
        try:
            side = sides.run(peer_trials, counts={size: count}, **words)
            found |= side.values
            overhead_s = side.total_s - side.wall_s
        except SideError as problem:
            failed[size] = str(problem).splitlines()[0]
    if not found:
        raise SideError(f"lm-eval failed at every batch size: {failed}")
    return found, overhead_s, failed


def _agreement(us: Side, them: Side) -> dict[str, Any]:
    """Compare the scores of the messages that both sides have scored."""
    count = len(them.values["scores"])
    if us.values["token_hashes"][:count] != them.values["token_hashes"]:
        raise SideError("the two sides did not score the same tokens: their prompts differ")
    rows = list(zip(us.values["scores"][:count], them.values["scores"], strict=True))
    return {
        "max_abs_diff": max(
            abs(a - b) for row, peer_row in rows for a, b in zip(row, peer_row, strict=True)
        ),
        "same_predictions": all(
            row.index(max(row)) == peer_row.index(max(peer_row)) for row, peer_row in rows
        ),
    }
