"""Tiny random models of many architectures, built from configs, in memory or in a folder.

Each is built once a session; whoever asks gets a copy of its own, to change at will.
"""

from __future__ import annotations

import atexit
import copy
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tiny_configs import ENCODER_DECODER, config_of

from harness.lm import LanguageModel
from harness.lm.inference import attention, routes
from harness.lm.loading.auto_class import auto_class
from harness.lm.loading.packing_check import check_packing
from harness.types import ModelRef


def build(name: str) -> LanguageModel:
    """Return a copy of a model in memory; random numbers begin at 0."""
    import torch

    lm = copy.deepcopy(_built(name))
    torch.manual_seed(0)
    return lm


@cache
def _built(name: str) -> LanguageModel:
    import torch

    torch.manual_seed(0)
    config = config_of(name)
    model = auto_class(config).from_config(config).eval()
    with torch.no_grad():  # larger weights: differences between paths would show
        for weight in model.parameters():
            weight.mul_(4) if weight.dim() > 1 else None
    attention.install(model)  # as loading does
    lm = LanguageModel(ModelRef(name, ""), model, tokenizer=None)
    if name in ENCODER_DECODER:
        lm.route = routes.ENCODER_DECODER
    elif check_packing(lm.model).packs:
        lm.route = routes.PACKED
    return lm


CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>", "<|end|>"]


def write_tokenizer(folder, begins, chat):
    """A byte-level tokenizer, so that any text has tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = {token: number for number, token in enumerate([*SPECIAL, *alphabet])}
    core = Tokenizer(models.BPE(vocab=tokens, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    if begins:
        core.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 0)]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>" if begins else None,
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=SPECIAL[3:],
    )
    tokenizer.chat_template = CHAT if chat else None
    tokenizer.save_pretrained(folder)
    return len(tokens)


def write_model(folder, name, begins=True, chat=False):
    """Lay a copy of a model with its tokenizer down in a folder."""
    shutil.copytree(_written(name, begins, chat), folder, dirs_exist_ok=True)
    return ModelRef(name, str(folder))


@cache
def _written(name, begins, chat):
    import torch

    folder = Path(tempfile.mkdtemp(prefix="tiny-model-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    words = write_tokenizer(folder, begins, chat)
    torch.manual_seed(0)
    config = config_of(name, words, bos_token_id=0, eos_token_id=1, pad_token_id=2)
    model = auto_class(config).from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3) if weight.dim() > 1 else None
    model.save_pretrained(folder)
    return folder
