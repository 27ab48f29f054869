"""A tokenizer's stand-in, where a model's own is not there: pieces of four characters.

Tokens of GPT-like models are four to five characters of English on average
(https://www.goose.ai/tokenizer, read on 2026-11-21). Equal texts have equal pieces, so what prompts
share is seen as well.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from zlib import crc32

CHARACTERS = 4
VOCABULARY = 2**20
END = 0


class StandIn:
    """Cuts texts into pieces as transformers' tokenizers are asked to; it has no chat template."""

    chat_template = None
    bos_token_id = None
    eos_token_id = END

    def __call__(self, text: str = "", text_target: str | None = None, **_: Any) -> Any:
        """Return an object with `input_ids`."""
        text = text if text_target is None else text_target
        pieces = [text[i : i + CHARACTERS] for i in range(0, len(text), CHARACTERS)]
        ids = [1 + crc32(piece.encode("utf-8", "replace")) % VOCABULARY for piece in pieces]
        return SimpleNamespace(input_ids=ids)
