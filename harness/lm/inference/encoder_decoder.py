"""The path of encoder-decoder models: a prompt is encoded once, its options are decoded together.

Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from harness.lm.local_model import LanguageModel


def score(
    lm: LanguageModel, prompt: list[int], options: Sequence[list[int]], at_once: int
) -> list[float]:
    """Return log p(option | prompt) of each option.

    Args:
        lm: the model.
        prompt: token ids for the encoder.
        options: token ids for the decoder, at least one token each.
        at_once: tokens that the decoder may compute at once.
    """
    import torch

    # The encoder reads the prompt once; the decoder reads options in batches that fit the memory.
    ids = torch.tensor([prompt], device=lm.model.device)  # [1, tokens]
    scores = []
    with torch.inference_mode():
        encoded = lm.model.get_encoder()(input_ids=ids)
        states = encoded.last_hidden_state  # [1, tokens, width]
        width = max(1, at_once // max(map(len, options)))
        for first in range(0, len(options), width):
            part = options[first : first + width]
            decoder_ids, targets = _decoder_rows(lm, part)
            # The encoder's own object: some decoders look for more in it than these states.
            encoded["last_hidden_state"] = states.expand(len(part), -1, -1)
            logits = lm.model(
                encoder_outputs=encoded,
                attention_mask=torch.ones_like(ids).expand(len(part), -1),
                decoder_input_ids=decoder_ids,
                use_cache=False,
            ).logits  # [options, longest, vocabulary]
            losses = torch.nn.functional.cross_entropy(
                logits.float().transpose(1, 2), targets, reduction="none"
            )  # [options, longest]; 0 where the target is padding
            scores += (-losses.sum(dim=1)).tolist()
    return scores


def padded_likelihoods(lm: LanguageModel, pairs: Sequence[tuple[list[int], list[int]]]) -> Tensor:
    """Return the log-likelihood of each completion, from one padded batch, with gradients.

    Args:
        lm: the model.
        pairs: token ids of each prompt (for the encoder) and its completion (for the decoder).

    Returns:
        [pairs], in float32.
    """
    import torch

    decoder_ids, targets = _decoder_rows(lm, [completion for _, completion in pairs])
    logits = padded_logits(lm, [prompt for prompt, _ in pairs], decoder_ids)
    losses = torch.nn.functional.cross_entropy(
        logits.float().transpose(1, 2), targets, reduction="none"
    )  # [pairs, longest]; 0 where the target is padding
    return -losses.sum(dim=1)


def padded_logits(lm: LanguageModel, prompts: Sequence[list[int]], decoder_ids: Tensor) -> Tensor:
    """Return the decoder's logits behind prompts that are padded, [prompts, longest, vocabulary].

    Args:
        lm: the model.
        prompts: token ids for the encoder.
        decoder_ids: [prompts, longest], what the decoder reads.
    """
    import torch

    device = lm.model.device
    width = max(map(len, prompts))
    found: Tensor = lm.model(
        input_ids=torch.tensor([p + [0] * (width - len(p)) for p in prompts], device=device),
        attention_mask=torch.tensor(
            [[1] * len(p) + [0] * (width - len(p)) for p in prompts], device=device
        ),
        decoder_input_ids=decoder_ids,
        use_cache=False,
    ).logits
    return found


def _decoder_rows(lm: LanguageModel, texts: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Return the decoder's inputs and targets, [texts, longest] each.

    Padding stands on the right, where the decoder's causal attention cannot see it. Targets there
    are -100, which losses leave out.
    """
    import torch

    # The decoder begins with its own token, and reads each token after it has predicted it.
    start = decoder_start(lm.model)
    width = max(map(len, texts))
    inputs = [[start, *text[:-1]] + [0] * (width - len(text)) for text in texts]
    targets = [text + [-100] * (width - len(text)) for text in texts]
    device = lm.model.device
    return torch.tensor(inputs, device=device), torch.tensor(targets, device=device)


def decoder_start(model: Any) -> int:
    """Return the token that a decoder begins with.

    It stands in the configuration, or in that of generation (T5Gemma), where its absence means the
    first token of any text, as for transformers' `generate`.
    """
    settings = getattr(model, "generation_config", None)
    for holder, name in (
        (model.config, "decoder_start_token_id"),
        (settings, "decoder_start_token_id"),
        (settings, "bos_token_id"),
    ):
        found = getattr(holder, name, None)
        if found is not None:
            return int(found[0] if isinstance(found, list) else found)
    raise ModelError(
        "its configuration names no token that the decoder begins with → set"
        " `decoder_start_token_id` in its generation_config.json"
    )
