"""The tokenizer in a model's folder: whether it is there, whole, and no larger than the embedding.

Uses the `tokenizers` library alone. Errors say reason and remedy, without the model's name, which
their caller adds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.lm.loading.weight_files import read_json, refuse_strange

VOCABULARIES = (
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.json",
    "vocab.txt",
    "tekken.json",
    "tiktoken.model",
)
"""Files that hold a vocabulary, as transformers looks for them."""
BYTES = ("ByT5", "Canine", "Perceiver")
"""Tokenizers that need no vocabulary: their tokens are bytes or characters."""
NAMED = ("bos_token", "eos_token", "unk_token")
"""Tokens that a prompt or an answer is given. Padding is not among them: here it is any token."""


def check_tokenizer(folder: Path, rows: int | None) -> Iterator[str]:
    """Check a folder's tokenizer.

    Args:
        folder: the model's.
        rows: of the embedding; None if unknown.

    Yields:
        What of a text the model cannot read.

    Raises:
        ModelError: there is none, it cannot be read, or it has tokens that the model has no row for
            and that prompts hold.
    """
    there = [folder / name for name in VOCABULARIES if (folder / name).is_file()]
    settings = folder / "tokenizer_config.json"
    config = read_json(settings) if settings.is_file() else {}
    if not there and not str(config.get("tokenizer_class")).startswith(BYTES):
        raise ModelError(
            f"it has no tokenizer (none of {', '.join(VOCABULARIES[:4])}, …) → fetch its tokenizer"
            f" files, or copy those of the model it was made from into {folder}"
        )
    for file in there:
        refuse_strange(file)
    if config.get("auto_map") and folder / "tokenizer.json" not in there:
        raise ModelError(
            "its tokenizer comes as code in the model's folder (auto_map), and code from a model's"
            " folder is never run here → copy the tokenizer.json of a version that has one into"
            f" {folder}"
        )
    if folder / "tokenizer.json" in there:
        yield from _beyond(folder, config, rows)


def _beyond(folder: Path, config: dict[str, Any], rows: int | None) -> Iterator[str]:
    """Find tokens whose numbers are beyond the embedding's last row."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as problem:  # the library raises nothing narrower
        reason = str(problem).split("\n")[0]
        raise ModelError(
            f"tokenizer.json cannot be read: {reason} → fetch this file again, or upgrade"
            " `tokenizers` if it is newer"
        ) from None
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    beyond = {number: token for token, number in vocabulary.items() if number >= (rows or number)}
    if not rows or not beyond:
        return
    # A special token in none of our prompts does no harm: Gemma 3 has one for images it cannot see.
    added = tokenizer.get_added_tokens_decoder()
    template = _template(folder, config)
    named = {_content(config.get(name)) for name in NAMED}
    for number, token in sorted(beyond.items()):
        special = number in added and added[number].special
        if not special or token in named or token in template:
            raise ModelError(
                f"its tokenizer has tokens beyond the embedding ('{token}' is {number:,}, and the"
                f" rows are {rows:,}): a text with it cannot be read → use the tokenizer that this"
                " checkpoint was trained with, or enlarge its embedding and train it"
            )
    shown = ", ".join(f"'{token}'" for _, token in sorted(beyond.items())[:3])
    more = ", …" if len(beyond) > 3 else ""
    yield f"the model has no row for {shown}{more}: it cannot read a text that holds such a word"


def _template(folder: Path, config: dict[str, Any]) -> str:
    """Return the text of a folder's chat templates, all of them together."""
    files = sorted(folder.glob("*.jinja"))
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    return "".join([json.dumps(config.get("chat_template", ""), ensure_ascii=False), *texts])


def _content(token: Any) -> str | None:
    """Return the text of a token as tokenizer_config.json names it: a string or a mapping."""
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else None
