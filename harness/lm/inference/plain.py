"""The plain route: what models that cannot be packed take, and what packing is compared with.

Slower, and beyond doubt: a sequence is scored by itself, as the model's authors meant it; losses
come from padded batches, and text from transformers' own `generate`. Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        ids = torch.tensor([prompt + option[:-1]], device=lm.model.device)
        with torch.inference_mode():
            logits = lm.model(input_ids=ids, use_cache=False).logits[0, -len(option) :]
            chosen = torch.tensor(option, device=logits.device)[:, None]
            scores.append(float(logits.float().log_softmax(dim=-1).gather(1, chosen).sum()))
    return scores


def padded_loss(lm: LanguageModel, pairs: Sequence[tuple[list[int], list[int]]]) -> tuple[Any, int]:
    """Return the summed negative log-likelihood of the completions, from one padded batch.

    Padding stands on the right, where no causal model can see it.

    Args:
        lm: the model.
        pairs: token ids of each prompt and its completion.

    Returns:
        The loss (a scalar tensor with gradients) and the number of completion tokens.
    """
    import torch

    sequences = [prompt + completion[:-1] for prompt, completion in pairs]
    width = max(map(len, sequences))
    device = lm.model.device
    # Only the positions from the shortest prompt's end on can predict a completion's token.
    tail = width - min(len(prompt) for prompt, _ in pairs) + 1
    targets = torch.full((len(pairs), tail), -100)
    for row, (prompt, completion) in enumerate(pairs):
        begin = len(prompt) - 1 - (width - tail)
        targets[row, begin : begin + len(completion)] = torch.tensor(completion)
    logits = lm.model(
        input_ids=torch.tensor([s + [0] * (width - len(s)) for s in sequences], device=device),
        attention_mask=torch.tensor(
            [[1] * len(s) + [0] * (width - len(s)) for s in sequences], device=device
        ),
        use_cache=False,
        logits_to_keep=tail,
    ).logits[:, -tail:]
    loss = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), targets.to(device).flatten(), reduction="sum"
    )
    return loss, sum(len(completion) for _, completion in pairs)


def generate(
    lm: LanguageModel, prompts: Sequence[list[int]], max_new_tokens: int, **options: Any
) -> list[list[int]]:
    """Continue prompts of one length greedily, through transformers' own `generate`.

    Args:
        lm: the model, causal or encoder-decoder.
        prompts: token ids, all of the same length: no padding could shift a position.
        max_new_tokens: after so many a row ends at the latest.
        **options: for `generate`, such as its stopping criteria.

    Returns:
        What follows each prompt, up to and without the first token that ends a turn.
    """
    import torch

    ids = torch.tensor(prompts, device=lm.model.device)
    ends = list(lm.ends)
    with torch.inference_mode():
        output = lm.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
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
            **options,
        )
    skip = 1 if lm.has_encoder else ids.shape[1]  # the decoder's start, or the prompt
    rows = output[:, skip:].tolist()
    return [row[: next((i for i, t in enumerate(row) if t in ends), len(row))] for row in rows]
