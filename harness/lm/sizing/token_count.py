"""How many tokens a text is for a model, and how many its context takes, without loading it.

By its tokenizer's file, else by a guess.

Neither torch nor transformers is imported where the folder has a tokenizer.json. Knows nothing of
templates but whether there is one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

from harness.types import ModelRef

CHARACTERS = 4
"""Characters that stand for a token: tokens of GPT-like models are four to five characters of
English on average (https://www.goose.ai/tokenizer, read on 2026-11-21)."""
OLDER_FILES = ("tokenizer.model", "vocab.txt", "vocab.json", "spiece.model")
"""What tokenizers without a tokenizer.json have, which transformers alone can read."""
END_OF_TURN = 1
"""Token behind an answer that says that it is over; it is generated too."""


@dataclass(frozen=True, eq=False)
class TokenCounter:
    """Counts the tokens of answers."""

    tokenizer: Any = None
    """Of `tokenizers` or of transformers; None: counts are estimates, by characters."""
    has_template: bool = False
    """Whether the model's answers are turns of a chat. Else they follow a space."""

    @property
    def estimates(self) -> bool:
        """Whether no tokenizer is here, so that counts are guesses."""
        return self.tokenizer is None

    def counts(self, answers: Sequence[str]) -> list[int]:
        """Return the tokens of each answer with the end of its turn."""
        if not answers:
            return []
        if self.tokenizer is None:
            return [_by_characters(answer) + END_OF_TURN for answer in answers]
        texts = [answer if self.has_template else f" {answer}" for answer in answers]
        if hasattr(self.tokenizer, "encode_batch"):
            encoded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
            return [len(one.ids) + END_OF_TURN for one in encoded]
        rows = self.tokenizer(texts, add_special_tokens=False).input_ids
        return [len(row) + END_OF_TURN for row in rows]


HOSTED = TokenCounter(has_template=True)
"""A server's tokenizer is its own."""


def token_counter(ref: ModelRef) -> TokenCounter:
    """Return what counts a model's tokens: a guess of a hosted one, or where no tokenizer is."""
    if ref.hosted is not None:
        return HOSTED
    return _of_folder(Path(ref.location))


def context_tokens(ref: ModelRef) -> int | None:
    """Return what a model's context takes; None where its folder does not say.

    Encoder-decoder models say nothing: prompt and answer have a context each.
    """
    config = {} if ref.hosted is not None else _json_of(Path(ref.location) / "config.json")
    text = config.get("text_config")
    found = (text if isinstance(text, dict) else config).get("max_position_embeddings")
    apart = config.get("is_encoder_decoder")
    return found if isinstance(found, int) and found > 0 and not apart else None


@lru_cache(maxsize=4)
def _of_folder(folder: Path) -> TokenCounter:
    """Read a folder's tokenizer; what cannot be read, the loading of the model tells."""
    has_template = _has_template(folder)
    try:
        if (folder / "tokenizer.json").is_file():
            from tokenizers import Tokenizer

            tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.no_truncation()
            tokenizer.no_padding()
        elif any((folder / name).is_file() for name in OLDER_FILES):
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        else:
            tokenizer = None
    except Exception:  # both libraries raise all sorts, bare `Exception` too
        tokenizer = None
    return TokenCounter(tokenizer, has_template)


def _has_template(folder: Path) -> bool:
    """Tell whether a folder's tokenizer has a chat template."""
    if (folder / "chat_template.jinja").is_file():
        return True
    return bool(_json_of(folder / "tokenizer_config.json").get("chat_template"))


def _json_of(file: Path) -> dict[str, Any]:
    """Return the object in a file; an empty one where there is none that can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _by_characters(text: str) -> int:
    """Estimate a text's tokens; a character outside ASCII counts as one, as in scripts without
    spaces it mostly is.
    """
    plain = sum(character.isascii() for character in text)
    return ceil(plain / CHARACTERS) + len(text) - plain
