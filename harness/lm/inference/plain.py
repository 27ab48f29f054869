"""The plain route: what models that cannot be packed take, and what packing is compared with.

Slower, and beyond doubt. A sequence is scored by itself, as the model's authors meant it; losses
come from padded batches, and text from transformers' own `generate`. Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from harness.lm.inference.generation import Ending
    from harness.lm.inference.grammar import GrammarState
    from harness.lm.local_model import LanguageModel


def score(
    lm: LanguageModel, prompt: list[int], options: Sequence[list[int]], at_once: int = 0
) -> list[float]:
    """Return log p(option | prompt) of each option, one pass a sequence.

    Args:
        lm: the model.
        prompt: token ids, at least one.
        options: token ids of each option, at least one token each.
        at_once: not used: a sequence cannot be cut here.
    """
    import torch

    scores = []
    for option in options:
        # The last token predicts nothing; the option's n tokens are predicted at the last n.
        ids = torch.tensor([prompt + option[:-1]], device=lm.model.device)  # [1, tokens]
        with torch.inference_mode():
            logits = lm.model(input_ids=ids, use_cache=False).logits[0, -len(option) :]
            chosen = torch.tensor(option, device=logits.device)[:, None]  # [n, 1], of [n, words]
            scores.append(float(logits.float().log_softmax(dim=-1).gather(1, chosen).sum()))
    return scores


def padded_likelihoods(lm: LanguageModel, pairs: Sequence[tuple[list[int], list[int]]]) -> Tensor:
    """Return the log-likelihood of each completion, from one padded batch, with gradients.

    Padding stands on the right, where no causal model can see it.

    Args:
        lm: the model.
        pairs: token ids of each prompt and its completion.

    Returns:
        [pairs], in float32.
    """
    import torch

    sequences = [prompt + completion[:-1] for prompt, completion in pairs]
    width = max(map(len, sequences))
    # Only the positions from the shortest prompt's end on can predict a completion's token.
    tail = width - min(len(prompt) for prompt, _ in pairs) + 1
    targets = torch.full((len(pairs), tail), -100)  # what `cross_entropy` leaves out
    for row, (prompt, completion) in enumerate(pairs):
        begin = len(prompt) - 1 - (width - tail)
        targets[row, begin : begin + len(completion)] = torch.tensor(completion)
    logits = padded_logits(lm, sequences, tail)
    loss = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), targets.to(logits.device).flatten(), reduction="none"
    )
    return -loss.view(len(pairs), tail).sum(dim=1)


def padded_logits(lm: LanguageModel, sequences: Sequence[list[int]], tail: int) -> Tensor:
    """Return the logits at the last positions of a batch that is padded on the right.

    Args:
        lm: the model.
        sequences: token ids of each.
        tail: how many positions of the batch's width are wanted.

    Returns:
        [sequences, tail, vocabulary], also of a model that computes them all.
    """
    import torch

    width, device = max(map(len, sequences)), lm.model.device
    found: Tensor = lm.model(
        input_ids=torch.tensor([s + [0] * (width - len(s)) for s in sequences], device=device),
        attention_mask=torch.tensor(
            [[1] * len(s) + [0] * (width - len(s)) for s in sequences], device=device
        ),
        use_cache=False,
        logits_to_keep=tail,
    ).logits[:, -tail:]
    return found


def generate(
    lm: LanguageModel, prompts: Sequence[list[int]], ending: Ending
) -> list[tuple[list[int], list[float]]]:
    """Continue prompts of one length greedily, through transformers' own `generate`.

    Args:
        lm: the model, causal or encoder-decoder.
        prompts: token ids, all of the same length: no padding could shift a position.
        ending: when a row is over.

    Returns:
        What follows each prompt, up to and without the first token that ends a turn; and the
        natural logarithm of each token's probability among those allowed, the end's behind them.

    Raises:
        ModelError: a logit is NaN, or the grammar allows no token.
    """
    import torch
    from transformers import LogitsProcessorList

    # An output begins with the decoder's start, or with the prompt.
    ids = torch.tensor(prompts, device=lm.model.device)  # [prompts, tokens]
    skip = 1 if lm.has_encoder else ids.shape[1]
    processors: list[Any] = [_refuse_nan(lm)]
    if ending.grammars:
        processors.append(_Forbid(ending.states(), skip, lm.ends))
    kept = _Keep()
    processors.append(kept)  # the last: it sees what is chosen from
    stop = {"stop_strings": list(ending.stop), "tokenizer": lm.tokenizer} if ending.stop else {}
    ends = list(lm.ends)
    with torch.inference_mode():
        output = lm.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=ending.max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            eos_token_id=ends,
            pad_token_id=ends[0],  # so that what fills a row up is cut off with its end
            num_beams=1,  # a checkpoint's own settings may ask for other things than greed
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            min_length=0,
            logits_processor=LogitsProcessorList(processors),
            **stop,
        )  # [prompts, tokens]
    found = []
    for number, row in enumerate(output[:, skip:].tolist()):
        length = next((i for i, token in enumerate(row) if token in ends), len(row))
        found.append((row[:length], [step[number] for step in kept.steps[: length + 1]]))
    return found


class _Keep:
    """Keeps in transformers' `generate` how likely the most likely token of each step is."""

    def __init__(self) -> None:
        self.steps: list[list[float]] = []
        """One a step: natural logarithms, one a row."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Take note of the scores, [rows, vocabulary]; they stay as they are."""
        self.steps.append(scores.float().log_softmax(dim=-1).amax(dim=-1).tolist())
        return scores


def _refuse_nan(lm: LanguageModel) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a check that transformers' `generate` makes of every step's scores."""

    def check(input_ids: Tensor, scores: Tensor) -> Tensor:
        if bool(scores.isnan().any()):
            raise ModelError(f"'{lm.ref.name}' gave NaN in {lm.model.dtype}")
        return scores

    return check


class _Forbid:
    """Forbids in transformers' `generate` what a grammar does not allow."""

    def __init__(self, states: Sequence[GrammarState | None], skip: int, ends: Sequence[int]):
        self.states = states
        self.skip = skip
        self.ends = ends
        self.over = [False] * len(states)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Take note of each row's last token and forbid what must not follow it.

        Args:
            input_ids: [rows, tokens], what each row holds so far.
            scores: [rows, vocabulary]; changed in place.
        """
        # `generate` goes on filling up rows that have ended, which no grammar must follow.
        for row, state in enumerate(self.states):
            if input_ids.shape[1] > self.skip and not self.over[row]:
                last = int(input_ids[row, -1])
                self.over[row] = last in self.ends
                if state is not None and not self.over[row]:
                    state.accept(last)
            if state is not None and not self.over[row]:
                state.forbid(scores[row])
        return scores
