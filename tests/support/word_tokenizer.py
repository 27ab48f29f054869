"""A tokenizer whose tokens are words, as files that both tokenizers and transformers read."""

from __future__ import annotations

import json
from pathlib import Path


def write_word_tokenizer(folder: Path, chat: bool = True) -> Path:
    """Lay down a tokenizer without a model; returns the folder.

    Args:
        folder: to make.
        chat: whether it has a chat template.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"chat_template": "{{ messages[0].content }}"} if chat else {}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder
