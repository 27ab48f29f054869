"""The weight files of a model's folder: which there are, whether they are whole, what they hold.

Reads names, sizes, the index of shards and the headers of safetensors files: no tensor, and no
pickle, which would have to be run to be read. Knows no architecture. Errors say reason and remedy,
without the model's name, which their caller adds.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ModelError

SAFETENSORS, PICKLED = "model.safetensors", "pytorch_model.bin"
"""What transformers looks for, each in one file or in shards beside `<name>.index.json`."""
POINTER = b"version https://git-lfs"
"""How a pointer of Git LFS begins (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md)."""
LONGEST_HEADER = 100_000_000
"""Bytes; the format's own limit."""
ELSEWHERE = ("*.gguf", "*.h5", "*.msgpack", "*.pth", "*.pt", "*.onnx", "*.npz", "*.safetensors")
"""Weights in forms or under names that are not read."""


@dataclass(frozen=True)
class Tensor:
    """A tensor of a safetensors file, as its header describes it."""

    file: Path
    dtype: str
    """The format's word: F32, BF16, …"""
    shape: tuple[int, ...]
    begin: int
    """Its first byte in the file, and the one behind its last."""
    end: int


def weight_files(folder: Path) -> list[Path]:
    """Return the files that hold a model's weights, those that transformers would read.

    Args:
        folder: the model's; its files may be links, as in a hub's cache.

    Returns:
        In order; none if there is no weight file at all.

    Raises:
        ModelError: the index of shards cannot be read, or shards are missing.
    """
    for name in (SAFETENSORS, PICKLED):
        if (folder / name).is_file():
            return [folder / name]
        index = folder / f"{name}.index.json"
        if index.is_file():
            return _shards(index)
    return []


def _shards(index: Path) -> list[Path]:
    placed = read_json(index).get("weight_map")
    if not isinstance(placed, dict) or not placed:
        raise ModelError(f"{index.name} names no weights → fetch this file again")
    names = sorted({str(name) for name in placed.values()})
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ModelError(
            f"{len(missing)} of the {len(names)} weight files that {index.name} lists are not in"
            f" its folder ({missing[0]}{more}) → fetch the missing files"
        )
    return [index.parent / name for name in names]


def no_weights(folder: Path) -> ModelError:
    """Return why a folder without weight files cannot be used, and what to do."""
    found = sorted({file.name for pattern in ELSEWHERE for file in folder.glob(pattern)})
    what = f"it has no weights ({SAFETENSORS} or {PICKLED}, or their shards with an index)"
    gguf = [name for name in found if name.endswith(".gguf")]
    if gguf:
        return ModelError(f"{what}, but {gguf[0]} → name that file itself: {folder / gguf[0]}")
    if found:
        shown = ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
        fix = "fetch the index beside its shards, or save it anew with `save_pretrained`"
        return ModelError(f"{what}; what it has ({shown}) is not read → {fix}")
    return ModelError(f"{what} → fetch them, or name a folder that has them")


def refuse_strange(file: Path) -> None:
    """Refuse a file that is no content at all: a pointer, a page, or nothing.

    Raises:
        ModelError: it is one of these.
    """
    size = file.stat().st_size
    if not size:
        raise ModelError(f"{file.name} is empty → fetch this file again")
    with file.open("rb") as stream:
        start = stream.read(len(POINTER) + 64)
    if start.startswith(POINTER):
        fix = f"run `git lfs install && git lfs pull` in {file.parent}"
        raise ModelError(f"{file.name} is a Git LFS pointer, not the file itself → {fix}")
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        fix = "fetch the file itself, not the page that shows it (and log in where it asks for it)"
        raise ModelError(f"{file.name} is a web page, not the file itself → {fix}")


def read_json(file: Path) -> dict[str, Any]:
    """Return the mapping in a JSON file of a model.

    Raises:
        ModelError: it holds none.
    """
    refuse_strange(file)
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        reason = str(problem).split("\n")[0]
        raise ModelError(f"{file.name} cannot be read: {reason} → fetch this file again") from None
    if not isinstance(found, dict):
        raise ModelError(f"{file.name} holds no mapping → fetch this file again")
    return found


def tensors_of(files: list[Path]) -> dict[str, Tensor] | None:
    """Return what weight files hold, by the tensors' names; None if they are pickled.

    Raises:
        ModelError: a file is no weights, or is cut short.
    """
    found: dict[str, Tensor] = {}
    for file in files:
        refuse_strange(file)
        if file.suffix != ".safetensors":
            _refuse_cut_archive(file)
            continue
        for name, entry in _header(file).items():
            found[name] = entry
    return found or None


def _refuse_cut_archive(file: Path) -> None:
    """Refuse an archive of PyTorch's that has lost its end, where its directory stands."""
    with file.open("rb") as stream:
        archive = stream.read(2) == b"PK"
    if archive and not zipfile.is_zipfile(file):
        raise ModelError(f"{file.name} is cut short → fetch this file again")


def _header(file: Path) -> Mapping[str, Tensor]:
    """Read a safetensors header (https://github.com/huggingface/safetensors#format).

    Eight bytes of its length, then JSON: a tensor's name to its dtype, its shape and its place in
    what follows.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8).ljust(8, b"\0"))
        text = stream.read(length) if length <= min(size, LONGEST_HEADER) else b""
    if size < 8 + length <= LONGEST_HEADER:
        raise ModelError(f"{file.name} is cut short inside its header → fetch this file again")
    try:
        entries = {key: value for key, value in json.loads(text).items() if key != "__metadata__"}
        found = {
            name: Tensor(
                file,
                entry["dtype"],
                tuple(entry["shape"]),
                8 + length + entry["data_offsets"][0],
                8 + length + entry["data_offsets"][1],
            )
            for name, entry in entries.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise ModelError(f"{file.name} is no safetensors file → fetch this file again") from None
    needed = max((tensor.end for tensor in found.values()), default=8 + length)
    if size < needed:
        raise ModelError(
            f"{file.name} is cut short: {size:,} of {needed:,} bytes → fetch this file again"
        )
    return found
