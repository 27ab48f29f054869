"""Whether a folder holds a whole language model, found before one is loaded.

Reads configuration, tokenizer and weight files (the headers, and once each number: is it one?);
imports neither torch nor transformers. What only loading can know, loading refuses (load.py). A
model that is refused has one reason and one remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import ModelError
from harness.lm.loading.finite_weights import refuse_not_finite
from harness.lm.loading.model_kind import (
    check_tensors,
    check_writes,
    refuse_adapter,
    refuse_embedder,
    refuse_foreign_code,
    vocabulary_of,
)
from harness.lm.loading.tokenizer_files import check_tokenizer
from harness.lm.loading.weight_files import (
    no_weights,
    read_json,
    refuse_strange,
    tensors_of,
    weight_files,
)
from harness.types import ModelRef


def examine(ref: ModelRef, fetched: bool = True) -> Iterator[str]:
    """Examine the files of a model on this machine.

    Args:
        ref: as `resolve` found it; of a hosted one nothing is known.
        fetched: whether all files were fetched. If not, weights of the hub may still be missing.

    Yields:
        What is worth knowing, in sentences.

    Raises:
        ModelError: it is no whole language model; with the reason and the remedy.
    """
    if ref.hosted is not None:
        return
    try:
        for remark in _examined(Path(ref.location), ref.name, fetched or ref.revision is None):
            yield f"model '{ref.name}': {remark}"
    except ModelError as problem:
        raise ModelError(f"model '{ref.name}': {problem}") from None
    except OSError as problem:
        raise ModelError(
            f"model '{ref.name}': {problem.filename or ref.location} cannot be read:"
            f" {problem.strerror} → make it readable, or name another model"
        ) from problem


def refuse_no_model(folder: Path) -> None:
    """Refuse what can be told from a folder's configuration alone, before it is hashed.

    Raises:
        ModelError: with reason and remedy, without the model's name.
    """
    if not (folder / "config.json").is_file():
        refuse_adapter(folder)
        raise ModelError(
            f"{folder} is neither a .gguf file nor a folder with a config.json → name a model's own"
            " folder, a .gguf file or a hub id (owner/name)"
        )
    refuse_strange(folder / "config.json")


def _examined(folder: Path, name: str, complete: bool) -> Iterator[str]:
    # What kind of model it is.
    refuse_no_model(folder)
    config = read_json(folder / "config.json")
    refuse_embedder(folder, name)
    refuse_foreign_code(config)
    yield from check_writes(config)

    # Its weights: their headers now, their numbers last, which takes longest.
    try:
        files = weight_files(folder)
    except ModelError:
        if complete:
            raise
        files = []
    if not files and complete:
        refuse_adapter(folder)  # beside a copy of the base's configuration
        raise no_weights(folder)
    tensors = tensors_of(files)
    if tensors is not None:
        check_tensors(config, tensors)

    yield from check_tokenizer(folder, vocabulary_of(config))
    if not files:
        yield "its weights are not on this machine yet; `run` examines them when it has them"
    if tensors is not None:
        refuse_not_finite(name, tensors)
