"""What a checkpoint says it is: a model that writes, or one that fills in, classifies or embeds.

Reads its configuration and the names and shapes of its tensors. Errors say reason and remedy,
without the model's name, which their caller adds. Knows no files but those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.lm.loading.weight_files import Tensor, read_json

WRITES = re.compile(
    r"ForCausalLM|ForConditionalGeneration|LMHead|TextToText|Text2Text|Vision2Seq|EncoderDecoder"
    r"|MarianMTModel|BertGenerationDecoder"
)
"""What transformers calls classes with a head that writes."""
FILLS_IN = re.compile(r"ForMaskedLM|ForPreTraining")
CLASSIFIES = re.compile(
    r"Classification|ForQuestionAnswering|ForMultipleChoice|ForNextSentencePrediction|RewardModel"
)
READS_ONLY = re.compile(r"EncoderModel|EncoderOnly")
"""Half of an encoder-decoder model, tied or not."""
TABLES = re.compile(
    r"(?:^|\.)(?:embed_tokens|wte|word_embeddings|embed_in|shared|embeddings)\.weight$"
)
"""What checkpoints call the table of a text's embeddings."""
LAYERS = re.compile(r"^(.*\b(?:layers|layer|h|blocks|block))\.(\d+)\.")
BOTH_WAYS = {
    "bert",
    "bert-generation",
    "big_bird",
    "camembert",
    "data2vec-text",
    "electra",
    "ernie",
    "megatron-bert",
    "reformer",
    "rembert",
    "roberta",
    "roberta-prelayernorm",
    "roc_bert",
    "roformer",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
}
"""Types whose layers read both sides of a word unless `is_decoder` is true: where transformers
warns of it when such a model is to write."""
EXAMPLE = "smollm2-135m-instruct-q4"
ANOTHER = f"name a model that writes (…ForCausalLM, …ForConditionalGeneration), e.g. {EXAMPLE}"


def refuse_adapter(folder: Path) -> None:
    """Refuse a folder that holds an adapter without its model.

    Raises:
        ModelError: it is one.
    """
    if not (folder / "adapter_config.json").is_file():
        return
    base = read_json(folder / "adapter_config.json").get("base_model_name_or_path") or "its base"
    merged = f"{folder}-merged"
    merge = (
        "from peft import AutoPeftModelForCausalLM as M; from transformers import AutoTokenizer"
        f" as T; M.from_pretrained('{folder}').merge_and_unload().save_pretrained('{merged}');"
        f" T.from_pretrained('{base}').save_pretrained('{merged}')"
    )
    raise ModelError(
        f"{folder} holds an adapter, not a model: it was trained on '{base}' → name that model to"
        f' compare it; to compare the tuned one, merge them (python -c "{merge}") and name {merged}'
    )


def refuse_embedder(folder: Path, name: str) -> None:
    """Refuse a model of sentence-transformers, which gives vectors.

    Raises:
        ModelError: it is one.
    """
    if (folder / "modules.json").is_file():
        raise ModelError(
            "it is a sentence-transformers model (modules.json): it gives vectors, no text →"
            f" {ANOTHER}; this one can be the `embedder: {name}` of encoder, nearest, few_shot or"
            " rag"
        )


def refuse_foreign_code(config: Mapping[str, Any]) -> None:
    """Refuse an architecture that transformers has no code for.

    Raises:
        ModelError: it has none.
    """
    named, kind = architectures(config), str(config.get("model_type"))
    code = config.get("auto_map")
    if any(_has_class(name, kind) for name in named):
        return
    if _own_folder(kind).is_dir() and not (named and code):
        return
    if not named and not config.get("model_type"):
        raise ModelError("its config.json names no architecture → fetch this file again")
    what, here = ", ".join(named) or kind, f"transformers {version('transformers')}"
    if code:
        raise ModelError(
            f"{here} has no {what}; it comes as code in the model's folder (auto_map), and code"
            " from a model's folder is never run here → name a version of it that transformers"
            f" itself can read (often called …-hf), or another model, e.g. {EXAMPLE}"
        )
    raise ModelError(f"{here} has no {what} → upgrade transformers, or name another model")


@cache
def _has_class(name: str, model_type: str) -> bool:
    """Tell whether transformers defines a class, from its source: importing it brings torch."""
    words = f"\nclass {name}(".encode()
    likely = _own_folder(model_type).glob("modeling_*.py")
    files = chain(likely, _source().glob("models/*/modeling_*.py"))
    return any(words in file.read_bytes() for file in files)


def _own_folder(model_type: str) -> Path:
    return _source() / "models" / model_type.replace("-", "_")


def _source() -> Path:
    spec = find_spec("transformers")
    return Path(str(spec.origin)).parent if spec else Path()


def architectures(config: Mapping[str, Any]) -> list[str]:
    """Return the classes that a configuration names, if any."""
    named = config.get("architectures")
    return [str(name) for name in named] if isinstance(named, list) else []


def check_writes(config: Mapping[str, Any]) -> Iterator[str]:
    """Check that a configuration is of a model that writes, reading from left to right.

    Yields:
        What makes that doubtful.

    Raises:
        ModelError: it does not write.
    """
    named = architectures(config)
    shown = ", ".join(named)
    if any(map(WRITES.search, named)):
        refuse_both_ways(config)
        return
    if any(map(FILLS_IN.search, named)):
        raise ModelError(
            f"{shown} is a masked language model: it fills in single words and cannot write an"
            f" answer → {ANOTHER}; an encoder can be the `embedder:` of encoder or nearest"
        )
    if any(map(CLASSIFIES.search, named)):
        raise ModelError(
            f"{shown} was trained to classify: its head gives classes or scores, no text →"
            f" {ANOTHER}; to compare its answers, write them to a file for the arm `predictions`"
        )
    if any(map(READS_ONLY.search, named)) or (named and not _tied(config)):
        raise ModelError(
            f"{shown} is a bare base: no head that writes is in its weights, and one would be"
            " newly drawn at random → name the checkpoint that has the head, or another model,"
            f" e.g. {EXAMPLE}"
        )
    if named:
        yield (
            f"its config.json names a bare base ({shown}): its embedding serves as its head, so it"
            " was perhaps not trained to write"
        )


def refuse_both_ways(config: Mapping[str, Any]) -> None:
    """Refuse a model of the BERT kind that is no decoder.

    Raises:
        ModelError: it is one.
    """
    kind = config.get("model_type")
    if kind in BOTH_WAYS and not config.get("is_decoder"):
        raise ModelError(
            f"a model of type '{kind}' without `is_decoder: true` reads in both directions, so it"
            f" cannot write from left to right → {ANOTHER}"
        )


def check_tensors(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Check that no weight which a model needs would be newly drawn, as far as names tell.

    Raises:
        ModelError: the embedding, the head or a layer is missing.
    """
    text = _text(config)
    _check_layers(text, tensors)
    vocabulary = text.get("vocab_size")
    if not isinstance(vocabulary, int) or config.get("quantization_config"):
        return  # packed weights have other shapes
    tables = {key: tensor for key, tensor in tensors.items() if len(tensor.shape) == 2}
    of_text = {key: table.shape[0] for key, table in tables.items() if TABLES.search(key)}
    if of_text and vocabulary not in of_text.values():
        key, rows = next(iter(of_text.items()))
        raise ModelError(
            f"'{key}' has {rows:,} rows, and config.json says vocab_size {vocabulary:,} → fetch"
            " config.json and the weights of one and the same version"
        )
    # Whatever the head is called, it is a second table with a row for each token.
    rows_for_all = [key for key, table in tables.items() if table.shape[0] == vocabulary]
    if len(rows_for_all) == 1 and _tied(config) is False:
        raise ModelError(
            f"its head is not in its weights ('{rows_for_all[0]}' alone has {vocabulary:,} rows,"
            " and config.json says `tie_word_embeddings: false`), so one would be newly drawn at"
            " random → name the checkpoint that has the head"
        )


def _check_layers(text: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Check that the longest stack of layers has no gap."""
    stacks: dict[str, set[int]] = {}
    for key in tensors:
        if (found := LAYERS.match(key)) is not None:
            stacks.setdefault(found[1], set()).add(int(found[2]))
    wanted = text.get("num_hidden_layers")
    stack = max(stacks.values(), key=len, default=set())
    if not isinstance(wanted, int) or len(stack) < wanted / 2:
        return  # its layers are called otherwise
    missing = sorted(set(range(wanted)) - stack)
    if missing:
        raise ModelError(
            f"{len(missing)} of its {wanted} layers have no weights (layer {missing[0]} first), so"
            " they would be newly drawn at random → fetch the missing weights"
        )


def _text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a configuration that describes what writes."""
    nested = config.get("text_config")
    return nested if isinstance(nested, dict) else config


def vocabulary_of(config: Mapping[str, Any]) -> int | None:
    """Return the rows of a model's embedding, if its configuration says."""
    rows = _text(config).get("vocab_size", config.get("vocab_size"))
    return rows if isinstance(rows, int) else None


def _tied(config: Mapping[str, Any]) -> bool | None:
    """Tell whether the embedding serves as the head; None if nothing says so.

    Where parts of the configuration disagree it counts as tied: a head that is missing is then
    found when loading.
    """
    said = [part.get("tie_word_embeddings") for part in (config, _text(config))]
    said = [word for word in said if isinstance(word, bool)]
    if said:
        return any(said)
    # A configuration leaves out what is its class's default.
    files = _own_folder(str(config.get("model_type"))).glob("configuration_*.py")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    defaults = set(re.findall(r"^    tie_word_embeddings: bool = (True|False)", text, re.M))
    return "True" in defaults if defaults else None
