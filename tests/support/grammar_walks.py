"""Small tokenizers, and random walks among the tokens that a grammar allows."""

from __future__ import annotations

import json

LONGEST = 400
TEXTS = [
    '{"city": "Zürich", "count": 12, "tags": ["a b", "c"], "open": true}',
    '{"kind":"refund","amount":-3.5,"note":null,"lines":[{"sku":"AB-12","count":2}]}',
    "The quick brown fox, 東京 and naïve café: [1, 2] {}.",
]


def train(byte_fallback):
    """A small tokenizer: byte-level like GPT-2's, or with byte tokens like Llama 2's."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if byte_fallback:
        inner.normalizer = normalizers.Replace(" ", "▁")
    else:
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=340,
        initial_alphabet=[] if byte_fallback else alphabet,
        show_progress=False,
    )
    inner.train_from_iterator(TEXTS * 3, trainer)
    inner.decoder = decoders.ByteLevel()
    if byte_fallback:
        state = json.loads(inner.to_str())
        words = state["model"]["vocab"]
        words |= {f"<0x{byte:02X}>": len(words) + byte for byte in range(256)}
        state["model"]["byte_fallback"] = True
        inner = Tokenizer.from_str(json.dumps(state))
        parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        inner.decoder = decoders.Sequence(parts)
    inner.add_special_tokens([AddedToken("<end>", special=True), AddedToken("<other>")])
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")


def allowed_tokens(grammar, state):
    import torch

    logits = torch.zeros(grammar.vocabulary_size)
    state.forbid(logits)
    values = logits.numpy()
    allowed = values == 0
    assert (values[~allowed] == float("-inf")).all()
    return allowed.nonzero()[0].tolist()


def walk(grammar, tokenizer, draw):
    """A text of tokens drawn evenly among the allowed ones."""
    state, tokens = grammar.start(), []
    while len(tokens) < LONGEST:
        allowed = allowed_tokens(grammar, state)
        if state.complete:
            assert allowed == [grammar.end]
        token = draw.choice(allowed)
        state.accept(token)
        if token == grammar.end:
            return tokenizer.decode(tokens)
        tokens.append(token)
    raise AssertionError(f"no end in sight: {tokenizer.decode(tokens)}")
