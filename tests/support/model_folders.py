"""Folders of tiny Llamas written by hand, whole or broken in one way: no torch makes them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

ROWS, WIDTH, LAYERS = 20, 8, 2
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": ROWS,
    "hidden_size": WIDTH,
    "intermediate_size": 12,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0a1b2c\nsize 4815162342\n"
PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"


def tensors() -> dict[str, np.ndarray]:
    """The weights of a Llama in float32, by name."""
    sizes = {
        "input_layernorm.weight": (WIDTH,),
        "post_attention_layernorm.weight": (WIDTH,),
        "self_attn.q_proj.weight": (WIDTH, WIDTH),
        "self_attn.k_proj.weight": (WIDTH // 2, WIDTH),
        "self_attn.v_proj.weight": (WIDTH // 2, WIDTH),
        "self_attn.o_proj.weight": (WIDTH, WIDTH),
        "mlp.gate_proj.weight": (12, WIDTH),
        "mlp.up_proj.weight": (12, WIDTH),
        "mlp.down_proj.weight": (WIDTH, 12),
    }
    shapes = {"model.embed_tokens.weight": (ROWS, WIDTH), "model.norm.weight": (WIDTH,)}
    shapes["lm_head.weight"] = (ROWS, WIDTH)
    for layer in range(LAYERS):
        shapes |= {f"model.layers.{layer}.{name}": size for name, size in sizes.items()}
    numbers = np.random.default_rng(0)
    return {name: numbers.normal(size=s).astype(np.float32) for name, s in shapes.items()}


def safetensors(held: dict[str, np.ndarray], dtype: str = "F32") -> bytes:
    """A safetensors file: the length of its header, the header, the numbers."""
    header, numbers = {}, b""
    for name, array in held.items():
        begin, numbers = len(numbers), numbers + array.tobytes()
        offsets = [begin, len(numbers)]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def tokenizer(words: int = ROWS, **added: tuple[int, bool]) -> dict:
    """A tokenizer.json of single letters; `added` tokens with their number and if special."""
    letters = ["<s>", "</s>", *map(chr, range(ord("a"), ord("a") + words - 2))]
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": number,
                "content": name,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": special,
            }
            for name, (number, special) in added.items()
        ],
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": "."},
            "behavior": "Isolated",
            "invert": False,
        },
        "model": {
            "type": "WordLevel",
            "vocab": {letter: number for number, letter in enumerate(letters)},
            "unk_token": "a",
        },
    }


TURNS = "{% for m in messages %}<s> {{ m.content }} </s>{% endfor %}"


def write_whole(folder: Path, **files: object) -> Path:
    """Write a whole model, with other content where it is given, or without (None).

    Args:
        folder: is made.
        **files: by name, "_" for the dot: mappings as JSON, text, bytes, or None to leave it out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, object] = {
        "config.json": CONFIG,
        "model.safetensors": safetensors(tensors()),
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {"eos_token": "</s>", "chat_template": TURNS},
    }
    content |= {name: what for name, what in files.items() if "." in name}
    for name, what in content.items():
        if isinstance(what, bytes):
            (folder / name).write_bytes(what)
        elif what is not None:
            text = what if isinstance(what, str) else json.dumps(what)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def _without(*ends: str) -> bytes:
    held = tensors()
    return safetensors({name: array for name, array in held.items() if not name.endswith(ends)})


def _damaged(number: float) -> bytes:
    held = tensors()
    held["model.layers.1.mlp.up_proj.weight"][3, 4] = number
    return safetensors(held)


def _named(*architectures: str, **more: object) -> dict:
    return {"config.json": CONFIG | {"architectures": architectures} | more}


def _index(*names: str) -> dict:
    placed = {f"weight{number}": name for number, name in enumerate(names)}
    return {"model.safetensors": None, "model.safetensors.index.json": {"weight_map": placed}}


ADAPTER = {"base_model_name_or_path": "owner/base", "peft_type": "LORA"}
WHOLE = safetensors(tensors())
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
CODE = {"AutoModelForCausalLM": "modeling_own.OwnModel"}
BERT = {"model_type": "bert", "is_decoder": False}
BROKEN: dict[str, tuple[dict, str, str]] = {
    # kind: what is other than in a whole folder, what is told, and what to do
    "masked language model": (
        _named("BertForMaskedLM", **BERT),
        "BertForMaskedLM is a masked language model",
        "name a model that writes",
    ),
    "pre-training heads": (
        _named("ElectraForPreTraining", model_type="electra"),
        "ElectraForPreTraining is a masked language model",
        "name a model that writes",
    ),
    "both directions": (
        _named("BertLMHeadModel", **BERT),
        "a model of type 'bert' without `is_decoder: true` reads in both directions",
        "name a model that writes",
    ),
    "sequence classifier": (
        _named("LlamaForSequenceClassification"),
        "LlamaForSequenceClassification was trained to classify",
        "the arm `predictions`",
    ),
    "token classifier": (
        _named("BertForTokenClassification", **BERT),
        "BertForTokenClassification was trained to classify",
        "the arm `predictions`",
    ),
    "bare base": (
        _named("LlamaModel") | {"model.safetensors": _without("lm_head.weight")},
        "LlamaModel is a bare base",
        "name the checkpoint that has the head",
    ),
    "half of an encoder-decoder": (
        _named("T5EncoderModel", model_type="t5"),
        "T5EncoderModel is a bare base",
        "name the checkpoint that has the head",
    ),
    "head left out": (
        {"model.safetensors": _without("lm_head.weight")},
        "its head is not in its weights ('model.embed_tokens.weight' alone has 20 rows",
        "name the checkpoint that has the head",
    ),
    "layer left out": (
        {
            "model.safetensors": safetensors(
                {name: array for name, array in tensors().items() if "layers.1." not in name}
            )
        },
        "1 of its 2 layers have no weights (layer 1 first)",
        "fetch the missing weights",
    ),
    "other vocabulary": (
        {"config.json": CONFIG | {"vocab_size": 24}},
        "'model.embed_tokens.weight' has 20 rows, and config.json says vocab_size 24",
        "fetch config.json and the weights of one and the same version",
    ),
    "embedder": (
        {"modules.json": "[]"},
        "(modules.json): it gives vectors, no text",
        "this one can be the `embedder: ./model` of encoder",
    ),
    "adapter": (
        {"config.json": None, "model.safetensors": None, "adapter_config.json": ADAPTER},
        "holds an adapter, not a model: it was trained on 'owner/base'",
        "name that model to compare it; to compare the tuned one, merge them",
    ),
    "adapter beside a configuration": (
        {"model.safetensors": None, "adapter_config.json": ADAPTER},
        "holds an adapter, not a model: it was trained on 'owner/base'",
        "merge them",
    ),
    "pointer for weights": (
        {"model.safetensors": POINTER},
        "model.safetensors is a Git LFS pointer",
        "run `git lfs install && git lfs pull` in",
    ),
    "pointer for the tokenizer": (
        {"tokenizer.json": POINTER},
        "tokenizer.json is a Git LFS pointer",
        "run `git lfs install && git lfs pull` in",
    ),
    "pointer for the configuration": (
        {"config.json": POINTER},
        "config.json is a Git LFS pointer",
        "run `git lfs install && git lfs pull` in",
    ),
    "cut weights": (
        {"model.safetensors": WHOLE[:-100]},
        f"model.safetensors is cut short: {len(WHOLE) - 100:,} of {len(WHOLE):,} bytes",
        "fetch this file again",
    ),
    "weights cut in their header": (
        {"model.safetensors": WHOLE[:60]},
        "model.safetensors is cut short inside its header",
        "fetch this file again",
    ),
    "empty weights": (
        {"model.safetensors": b""},
        "model.safetensors is empty",
        "fetch this file again",
    ),
    "page for weights": (
        {"model.safetensors": PAGE},
        "model.safetensors is a web page",
        "fetch the file itself, not the page",
    ),
    "noise for weights": (
        {"model.safetensors": b"\x07" * 400},
        "model.safetensors is no safetensors file",
        "fetch this file again",
    ),
    "cut archive": (
        {"model.safetensors": None, "pytorch_model.bin": b"PK\x03\x04" + b"\x01" * 200},
        "pytorch_model.bin is cut short",
        "fetch this file again",
    ),
    "missing shards": (
        _index(*SHARDS) | {SHARDS[0]: WHOLE},
        "1 of the 2 weight files that model.safetensors.index.json lists are not in its folder"
        f" ({SHARDS[1]})",
        "fetch the missing files",
    ),
    "shards without their index": (
        {"model.safetensors": None} | dict.fromkeys(SHARDS, WHOLE),
        f"it has no weights (model.safetensors or pytorch_model.bin, or their shards with an"
        f" index); what it has ({', '.join(SHARDS)}) is not read",
        "fetch the index beside its shards",
    ),
    "no weights": (
        {"model.safetensors": None},
        "it has no weights",
        "fetch them, or name a folder that has them",
    ),
    "weights of llama.cpp": (
        {"model.safetensors": None, "small.gguf": b"GGUF"},
        "it has no weights",
        "name that file itself",
    ),
    "no tokenizer": (
        {"tokenizer.json": None},
        "it has no tokenizer",
        "copy those of the model it was made from",
    ),
    "cut tokenizer": (
        {"tokenizer.json": json.dumps(tokenizer())[:90]},
        "tokenizer.json cannot be read",
        "fetch this file again",
    ),
    "tokens beyond the embedding": (
        {"tokenizer.json": tokenizer(ROWS + 2)},
        "its tokenizer has tokens beyond the embedding ('s' is 20, and the rows are 20)",
        "use the tokenizer that this checkpoint was trained with",
    ),
    "turns beyond the embedding": (
        {
            "tokenizer.json": tokenizer(turn=(ROWS, True)),
            "tokenizer_config.json": {"chat_template": "turn {{ messages }}"},
        },
        "its tokenizer has tokens beyond the embedding ('turn' is 20, and the rows are 20)",
        "use the tokenizer that this checkpoint was trained with",
    ),
    "code of its own": (
        _named("OwnModel", model_type="own", auto_map=CODE),
        "has no OwnModel; it comes as code in the model's folder (auto_map), and code from a"
        " model's folder is never run here",
        "name a version of it that",
    ),
    "tokenizer's own code": (
        {
            "tokenizer.json": None,
            "tokenizer.model": b"\x0a",
            "tokenizer_config.json": {"auto_map": {"AutoTokenizer": ["own.Own", None]}},
        },
        "its tokenizer comes as code in the model's folder",
        "copy the tokenizer.json of a version that has one",
    ),
    "unknown to the library": (
        _named("OwnModel", model_type="own"),
        "has no OwnModel",
        "or name another model",
    ),
    "not a number": (
        {"model.safetensors": _damaged(np.nan)},
        "its weights are damaged: NaN in 'model.layers.1.mlp.up_proj.weight'",
        "fetch this file again; if it stays so",
    ),
    "infinity": (
        {"model.safetensors": _damaged(np.inf)},
        "its weights are damaged: infinity in 'model.layers.1.mlp.up_proj.weight'",
        "fetch this file again; if it stays so",
    ),
    "configuration that is no JSON": (
        {"config.json": "{'model_type': 'llama'}"},
        "config.json cannot be read",
        "fetch this file again",
    ),
}
"""Every kind of folder that is no whole model that writes."""


def write_broken(folder: Path, kind: str) -> Path:
    """Write a folder of one of the kinds in `BROKEN`."""
    return write_whole(folder, **BROKEN[kind][0])
