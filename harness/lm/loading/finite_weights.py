"""Finds NaN and infinite weights, which make every answer of a model the same or an error.

Each safetensors file is read once, in pieces; what was found is kept in the cache folder by the
file's path, size and time of change. The numbers are judged by their bits, so no format needs
torch. Knows no architecture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from harness.errors import CacheError, ModelError
from harness.files.cache_folder import cache_folder, keep_text
from harness.files.hashing import sha256_of
from harness.lm.loading.builtin_model import say
from harness.lm.loading.weight_files import Tensor

FORMATS = {
    "F64": (np.uint64, 0x7FF0000000000000, 0x7FFFFFFFFFFFFFFF),
    "F32": (np.uint32, 0x7F800000, 0x7FFFFFFF),
    "F16": (np.uint16, 0x7C00, 0x7FFF),
    "BF16": (np.uint16, 0x7F80, 0x7FFF),
    "F8_E5M2": (np.uint8, 0x7C, 0x7F),
    "F8_E4M3": (np.uint8, 0x7F, 0x7F),
}
"""By the word of the safetensors format: the unsigned integer of the same width, the bits of
infinity, and the mask that takes off the sign. Larger than infinity is NaN (IEEE 754). F8_E4M3 has
no infinity; its one NaN is all ones (Micikevicius et al. 2022, arXiv 2209.05433)."""
AT_ONCE = 1 << 24
"""Bytes that are read at once; a multiple of every format's width."""
WORTH_SAYING = 1 << 30
"""Bytes; so many take seconds to read."""
READING = 1
"""Version of the reading, in the keys of what is kept: raise it when numbers are judged
differently."""


def refuse_not_finite(name: str, tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that hold NaN or infinity.

    Args:
        name: the model's, for what is said while a large file is read.
        tensors: of safetensors files, which are whole, by their names.

    Raises:
        ModelError: one of them does.
    """
    by_file: dict[Path, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        by_file.setdefault(tensor.file, {})[key] = tensor
    for file, held in by_file.items():
        found = _kept(name, file, held)
        if found is not None:
            raise ModelError(
                f"its weights are damaged: {found} in {file.name} → fetch this file again; if it"
                " stays so, the checkpoint was written by a training that diverged: name another"
            )


def _kept(name: str, file: Path, held: Mapping[str, Tensor]) -> str | None:
    """Return what is wrong in a file, read off what was kept of an earlier reading if it can be."""
    state = file.stat()
    key = sha256_of([str(file.resolve()), state.st_size, state.st_mtime_ns, READING])[:24]
    with suppress(CacheError, OSError, ValueError, KeyError):
        kept = cache_folder() / "finite" / f"{key}.json"
        return str(found) if (found := json.loads(kept.read_text())["found"]) else None
    if state.st_size >= WORTH_SAYING:
        say(f"Reading {file.name} of {name} for damaged numbers (once) …")
    found = _first_fault(file, held)
    with suppress(CacheError, OSError):  # it is read again the next time
        keep_text("finite", f"{key}.json", json.dumps({"found": found}))
    return found


def _first_fault(file: Path, held: Mapping[str, Tensor]) -> str | None:
    """Return the first fault of a file in words, or None."""
    with file.open("rb", buffering=0) as stream:
        for key, tensor in sorted(held.items(), key=lambda item: item[1].begin):
            worst = _worst(stream, tensor)
            # A single number may be a limit, which is infinite where there is none.
            if worst == "NaN" or (worst == "infinity" and tensor.shape):
                return f"{worst} in '{key}'"
    return None


def _worst(stream: BinaryIO, tensor: Tensor) -> Literal["NaN", "infinity"] | None:
    """Return what a tensor holds that is no number."""
    if tensor.dtype not in FORMATS:
        return None  # whole numbers, or packed ones
    width, infinity, unsigned = FORMATS[tensor.dtype]
    only_nan = infinity == unsigned
    largest, left = 0, tensor.end - tensor.begin
    stream.seek(tensor.begin)
    while left > 0:
        piece = np.frombuffer(stream.read(min(left, AT_ONCE)), dtype=width)
        if not piece.size:
            break
        largest = max(largest, int((piece & width(unsigned)).max()))
        left -= piece.nbytes
    if largest > infinity or (only_nan and largest == infinity):
        return "NaN"
    return "infinity" if largest == infinity else None
