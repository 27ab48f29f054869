"""Quantises a model to 4 bits, once: `python -m harness.lm.loading.four_bits WEIGHTS FOLDER DTYPE`.

In a process of its own, since the allocator keeps the full-precision pages, and before anything is
measured (`harness/run/environment.py`), since training that quantised first would be charged for
it. The folder that is kept is loaded as any model's. Knows nothing of training.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.files.cache_folder import kept_folder
from harness.files.hashing import sha256_of
from harness.files.refusals import says_full
from harness.lm.loading.auto_class import auto_class
from harness.lm.loading.builtin_model import say
from harness.lm.sizing.budget import Note
from harness.machine.secrets import kept
from harness.types import ModelRef

UNPACKING = 2
"""Version of the quantisation, in the cache's keys: raise it when weights are quantised
differently."""


def four_bit_folder(ref: ModelRef, dtype: str, note: Note, *, hashes: bool = False) -> Path:
    """Return the folder of a model's weights in NF4 with double quantisation; made if missing.

    Args:
        ref: the model.
        dtype: what products are computed in.
        note: told if it had to be made now, since this process is charged for that.
        hashes: whether the contents of files that are kept are looked at, which takes a while.

    Raises:
        CacheError: the cache folder cannot be used.
        ModelError: the model cannot be quantised, or not on this hardware.
    """
    versions = [metadata.version(name) for name in ("bitsandbytes", "transformers")]
    key = sha256_of([ref.sha256 or f"{ref.name}@{ref.revision}", dtype, versions, UNPACKING])

    def make(work: Path) -> Path:
        say(f"Quantising {ref.name} to 4 bits (once) …")
        done = work / "done"
        command = [sys.executable, "-m", __name__, ref.location, str(done), dtype]
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, env=kept(os.environ)
        )
        if ended.returncode:
            reason = (ended.stderr.strip().splitlines() or ["it gave no reason"])[-1]
            if says_full(RuntimeError(reason)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(work))
            fix = "use `lora`, or a machine that bitsandbytes has 4-bit kernels for"
            raise ModelError(f"'{ref.name}' cannot be quantised to 4 bits: {reason} → {fix}")
        note("engine", "the weights were quantised to 4 bits first: once, and in this time")
        return done

    return kept_folder("four_bits", key[:16], make, hashes=hashes)


def quantise(location: str, folder: Path, dtype: str) -> None:
    """Write the weights at `location` in NF4, with their tokenizer."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, BitsAndBytesConfig

    config = AutoConfig.from_pretrained(location, trust_remote_code=False)
    kind = auto_class(config)
    packing = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, dtype),
        llm_int8_skip_modules=_left_whole(kind, config),
    )
    model = kind.from_pretrained(
        location,
        dtype=getattr(torch, dtype),
        quantization_config=packing,
        device_map="cuda" if torch.cuda.is_available() else "cpu",
        trust_remote_code=False,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(location, trust_remote_code=False).save_pretrained(folder)


def _left_whole(kind: Any, config: Any) -> list[str]:
    """Return the layers that keep their format.

    The head, as transformers leaves it by itself. Routers of experts, which are small and decide
    where all else goes. Gemma 3n's predictions between its copies of the residual, whose weights it
    clamps in place (transformers' `Gemma3nTextAltUp`).
    """
    import torch
    from transformers.quantizers.base import get_keys_to_not_convert

    with torch.device("meta"):
        model = kind.from_config(config, trust_remote_code=False)
    special = ("router", "altup")
    names = (name for name, _ in model.named_modules() if name.split(".")[-1] in special)
    return [*get_keys_to_not_convert(model), *names]


if __name__ == "__main__":
    quantise(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
