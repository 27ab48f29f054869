"""Keeps the verdict of the packing check, so that loading a model in a measured process reads it.

A verdict holds for a model's configuration, the engine's source, the versions of torch and
transformers, the device and the attention implementation: whoever shares these shares the verdict,
be the weights given, tuned or in 4 bits. `ensure_verdict` has a process of its own make it before
anything is measured (`harness/run/environment.py`); loading a model makes it where it is missing.
Knows nothing of how packing is checked (packing_check.py).
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.errors import CacheError
from harness.files.cache_folder import cache_folder, keep_text, lock_of, room_of
from harness.files.hashing import sha256_of, sha256_of_file
from harness.lm import inference
from harness.lm.loading import first_layers, packing_check
from harness.lm.loading.builtin_model import say
from harness.lm.loading.packing_check import Verdict, check_packing
from harness.machine.describe import this_machine
from harness.machine.device import gpu_name
from harness.machine.secrets import kept
from harness.types import ModelRef

ROOM, MADE = "packing", "packing/made"
"""Of verdicts, and of marks that a process was started to make one, in the cache folder."""
PASSING = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}
"""Keys of a configuration that say where, how or by whom it was written, but decide no layer. The
number format does not: the check computes in float32."""
LOAD = """
import sys
from harness.lm import load
from harness.types import ModelRef
load(ModelRef("the model", sys.argv[1]), sys.argv[2], sys.argv[3])
"""
"""Loading makes the verdict, so the process of its own does nothing else."""


def verdict_on(model: Any) -> Verdict:
    """Return the verdict on a model: the kept one, or one that is made now and kept.

    Args:
        model: a transformers causal model with its weights.
    """
    name = _name_of(model)
    with suppress(OSError, CacheError, ValueError, TypeError):  # then it is made again
        kept = (cache_folder() / ROOM / name).read_text(encoding="utf-8")
        return Verdict(**json.loads(kept))
    verdict = check_packing(model)
    _release()
    # Where it cannot be kept, each process makes it again: that takes time and changes no answer.
    with suppress(OSError, CacheError):
        if verdict.final:
            keep_text(ROOM, name, json.dumps(asdict(verdict)))
    return verdict


def ensure_verdict(ref: ModelRef, device: str, dtype: str) -> None:
    """Have the verdict on a model made in a process of its own, unless that was done before.

    What keeps the process from loading the model will keep its arms from it too: they say so.

    Args:
        ref: a model whose files are on this machine.
        device: "cpu" or "cuda".
        dtype: what its weights are loaded in.
    """
    try:
        config = json.loads((Path(ref.location) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if config.get("is_encoder_decoder"):
        return  # never packed
    with suppress(OSError, CacheError), _locked(_key(config, device, "as installed")) as mark:
        if mark.exists():
            return
        say(f"Checking how {ref.name} can be computed (once) …")
        command = [sys.executable, "-c", LOAD, ref.location, device, dtype]
        done = subprocess.run(command, capture_output=True, check=False, env=kept(os.environ))
        if done.returncode == 0:
            keep_text(MADE, mark.name, "")


def _name_of(model: Any) -> str:
    """Return the name of the file that the verdict on a model is kept in."""
    attention = str(model.config._attn_implementation)
    return f"{_key(model.config.to_dict(), model.device.type, attention)}.json"


@contextmanager
def _locked(key: str) -> Iterator[Path]:
    """Lock the mark of a verdict that was made, and return it.

    Raises:
        OSError, CacheError: nothing can be kept.
    """
    mark = cache_folder() / MADE / key
    if mark.exists():  # in a cache that only others may write to, too
        yield mark
        return
    with lock_of(room_of(MADE) / key):
        yield mark


def _key(config: Mapping[str, Any], device: str, attention: str) -> str:
    versions = [metadata.version(name) for name in ("torch", "transformers")]
    key = [_lasting(config), _engine_sha256(), versions, _device_name(device), attention]
    return sha256_of(key)[:24]


def _lasting(config: Any) -> Any:
    """Return a configuration without what passes when it is saved again."""
    if not isinstance(config, Mapping):
        return config
    return {key: _lasting(value) for key, value in config.items() if key not in PASSING}


@cache
def _engine_sha256() -> str:
    """Hash the source of what computes packed rows and of what checks it."""
    rows = sorted(Path(inference.__file__).parent.glob("*.py"))
    check = [Path(str(module.__file__)) for module in (packing_check, first_layers)]
    return sha256_of([sha256_of_file(file) for file in (*rows, *check)])


@cache
def _device_name(device: str) -> str:
    """Return a device's name, without a CUDA context for it in the process that starts others."""
    return (device == "cuda" and gpu_name()) or this_machine("cpu").cpu_model


def _release() -> None:
    """Give back what the check held, which torch would keep of a GPU's memory."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
