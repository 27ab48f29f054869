"""Byte-level tokenizers with the chat templates of tests/lm/chat_templates, in memory.

Each template has the constructs of a model family's and was written for these tests.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from harness.lm import LanguageModel
from harness.lm.inference.routes import PLAIN
from harness.types import ChatSettings, ModelRef

TEMPLATES = Path(__file__).parents[1] / "lm" / "chat_templates"
MARKS = re.compile(r"<[|｜/]?[A-Za-z_▁0-9]+[|｜]?>|\[/?[A-Z]+\]")
"""What is one token in a template's text."""


@cache
def chat_tokenizer(name, bos="<s>", eos="</s>", plain=()):
    """Return a tokenizer with a template's marks as special tokens that have no role.

    Args:
        name: of the template, without its ending.
        bos: the token that begins a text; None: there is none.
        eos: the token that ends a text.
        plain: marks that are cut into characters.
    """
    return written_tokenizer((TEMPLATES / f"{name}.jinja").read_text(), bos, eos, plain)


def written_tokenizer(template, bos="<s>", eos="</s>", plain=()):
    """Return the same for a template's text."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={sign: n for n, sign in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    built = {"<|user|>", "<|assistant|>", "<|system|>"} if "'<|' + m.role" in template else set()
    marks = {*MARKS.findall(template), *built, *filter(None, (bos, eos))} - set(plain)
    # As Qwen's and DeepSeek's tokenizers have it: a thought's marks are tokens, and not special.
    core.add_special_tokens(sorted(mark for mark in marks if "think" not in mark.lower()))
    core.add_tokens([AddedToken(mark, special=False) for mark in sorted(marks) if "think" in mark])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token=bos, eos_token=eos)
    tokenizer.chat_template = template
    return tokenizer


def chat_model(tokenizer, window=None, **settings):
    """Return a model of a tokenizer alone."""
    config = SimpleNamespace(max_position_embeddings=window)
    config.get_text_config = lambda decoder: config
    ref = ModelRef("small", "", chat=ChatSettings(**settings))
    return LanguageModel(ref, SimpleNamespace(config=config), tokenizer, PLAIN)
