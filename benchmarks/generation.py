"""64 prompts behind one shared prefix of about 500 tokens, 32 new tokens each, float32.

Beside: transformers' own `generate` on left-padded batches of 8, 16 or 32 rows of like length,
whichever is best. Both stop a row at the same end tokens. Seconds are per prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from time import perf_counter
from typing import Any

from benchmarks.data import few_shot_questions
from benchmarks.measure import Measurement, measured
from benchmarks.models import our_model, plain_model
from benchmarks.sides import Side, SideError, Sides, beside
from harness.files.hashing import sha256_of

PACKAGES = ()
PROMPTS = 64
NEW_TOKENS = 32
SHOTS = 19
"""Demonstrations of about 27 tokens: a prefix of about 500."""
BATCH_SIZES = (8, 16, 32)
TRIED = 32
"""Prompts that a batch size is tried on."""
NEAR_TIE = 1e-3
"""Logits of the two best tokens closer than this may fall either way by rounding alone."""


def run(sides: Sides) -> dict[str, Any]:
    """Run both sides and compare their tokens up to the first near-tie."""
    prompts = few_shot_questions(labels=10, shots=SHOTS, messages=PROMPTS).prompts
    us = sides.run(ours, prompts=prompts, new_tokens=NEW_TOKENS, device=sides.device)
    words = {"new_tokens": NEW_TOKENS, "ends": us.values["ends"], "device": sides.device}
    trials = sides.run(peer_trials, prompts=prompts[:TRIED], **words).values
    best = min(trials, key=lambda size: trials[size])
    sides.say(f"transformers generate at batch size {best}")
    asked = prompts[:TRIED] if sides.quick else prompts
    them = sides.run(peer, prompts=asked, batch_size=int(best), **words)
    return {
        **beside(us, them, us.wall_s / len(prompts), them.wall_s / len(asked)),
        "same_tokens": _same_tokens(sides, prompts, us, them),
        "ours_total_s": us.wall_s,
        "peer_total_s": them.wall_s,
        "ours_prompts": len(prompts),
        "peer_prompts": len(asked),
        "prompt_tokens_mean": us.values["prompt_tokens_mean"],
        "shared_tokens": us.values["shared_tokens"],
        "new_tokens_mean": us.values["new_tokens_mean"],
        "peer_settings": {
            "transformers": version("transformers"),
            "dtype": "float32",
            "batch_size": int(best),
            "padding": "left, rows of like length together",
            "tried_s_per_prompt": trials,
        },
    }


def ours(prompts: list[str], new_tokens: int, device: str) -> tuple[Measurement, Any]:
    """Continue all prompts with the engine, in one call."""
    from harness.lm import clear_prefixes, generate_tokens
    from harness.lm.inference.token_tree import common_prefix_length

    lm = our_model(device, "float32")
    generate_tokens(lm, [lm.tokenizer.encode("A short line")], 2)
    clear_prefixes()

    def work() -> Any:
        ids = [lm.tokenizer.encode(prompt) for prompt in prompts]
        return generate_tokens(lm, ids, new_tokens)[0], ids

    (outputs, ids), measurement = measured(work)
    return measurement, {
        "outputs": outputs,
        "token_hashes": [sha256_of(row) for row in ids],
        "prompt_tokens_mean": sum(map(len, ids)) / len(ids),
        "shared_tokens": common_prefix_length(ids),
        "new_tokens_mean": sum(map(len, outputs)) / len(outputs),
        "ends": list(lm.ends),
    }


def peer(
    prompts: list[str], batch_size: int, new_tokens: int, ends: list[int], device: str
) -> tuple[Measurement, Any]:
    """Continue all prompts with transformers, batch by batch."""
    generate = _Peer(ends, device)
    (outputs, ids), measurement = measured(lambda: generate(prompts, batch_size, new_tokens))
    return measurement, {"outputs": outputs, "token_hashes": [sha256_of(row) for row in ids]}


def peer_trials(
    prompts: list[str], new_tokens: int, ends: list[int], device: str
) -> tuple[Measurement, Any]:
    """Time each batch size on the same prompts; return its seconds per prompt."""
    generate = _Peer(ends, device)

    def work() -> dict[str, float]:
        found = {}
        for size in BATCH_SIZES:
            start = perf_counter()
            generate(prompts, size, new_tokens)
            found[str(size)] = (perf_counter() - start) / len(prompts)
        return found

    found, measurement = measured(work)
    return measurement, found


def peer_gaps(prompts: list[str], common: list[list[int]], device: str) -> tuple[Measurement, Any]:
    """Return how far apart the two best logits are where two outputs part.

    Args:
        prompts: whose outputs differ.
        common: for each of them, the new tokens before the first difference.
        device: "cpu" or "cuda".
    """
    import torch

    model, tokenizer = plain_model(device, "float32")

    def work() -> list[float]:
        gaps = []
        with torch.inference_mode():
            for prompt, new in zip(prompts, common, strict=True):
                ids = torch.tensor([tokenizer.encode(prompt) + new], device=device)
                best, second = model(ids, logits_to_keep=1).logits[0, -1].topk(2).values.tolist()
                gaps.append(best - second)
        return gaps

    gaps, measurement = measured(work)
    return measurement, gaps


class _Peer:
    """Transformers' `generate` with a model that is loaded and warm."""

    def __init__(self, ends: list[int], device: str):
        self.model, self.tokenizer = plain_model(device, "float32")
        self.ends = ends
        self(["A short line"], 1, 2)

    def __call__(
        self, prompts: Sequence[str], batch_size: int, new_tokens: int
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Return the new tokens of each prompt, without the one that ended it, and its ids."""
        ids = [self.tokenizer.encode(prompt) for prompt in prompts]
        outputs: dict[int, list[int]] = {}
        for rows in _batches(ids, batch_size):
            outputs |= zip(rows, self._batch([ids[row] for row in rows], new_tokens), strict=True)
        return [outputs[row] for row in range(len(ids))], ids

    def _batch(self, batch: Sequence[list[int]], new_tokens: int) -> list[list[int]]:
        import torch

        width, pad, device = max(map(len, batch)), self.ends[0], self.model.device
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in batch], device=device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
        with torch.inference_mode():
            output = self.model.generate(
                input_ids=ids,
                attention_mask=mask.to(device),
                max_new_tokens=new_tokens,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                eos_token_id=self.ends,
                pad_token_id=pad,
            )
        return [self._until_end(row) for row in output[:, width:].tolist()]

    def _until_end(self, new: list[int]) -> list[int]:
        return new[: next((i for i, token in enumerate(new) if token in self.ends), len(new))]


def _batches(ids: Sequence[list[int]], size: int) -> Iterator[list[int]]:
    """Yield row numbers, shortest rows first."""
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _same_tokens(sides: Sides, prompts: Sequence[str], us: Side, them: Side) -> bool:
    """Say whether the tokens of the peer's prompts agree up to the first near-tie."""
    count = len(them.values["outputs"])
    if us.values["token_hashes"][:count] != them.values["token_hashes"]:
        raise SideError("the two sides did not continue the same tokens: their prompts differ")
    pairs = list(zip(us.values["outputs"][:count], them.values["outputs"], strict=True))
    parted = [row for row, (new, other) in enumerate(pairs) if new != other]
    if not parted:
        return True
    common = [pairs[row][1][: first_difference(*pairs[row])] for row in parted]
    asked = [prompts[row] for row in parted]
    gaps = sides.run(peer_gaps, prompts=asked, common=common, device=sides.device).values
    sides.say(
        f"{len(parted)} rows part where the two best logits are {max(gaps):.1e} apart or less"
    )
    return max(gaps) < NEAR_TIE


def first_difference(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many leading tokens two outputs share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
