"""Whether an adapter's folder can be given to PEFT: data alone, all of it there.

PEFT imports the modules that a configuration names, and asks the hub for what a folder lacks. An
adapter that `save_trained` wrote needs neither; run folders are handed on, and others may not be.
Knows no method and no weights.
"""

from __future__ import annotations

from pathlib import Path

from harness.errors import ModelError
from harness.lm.loading.weight_files import read_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
IMPORTED = ("transformers", "peft")
"""Packages whose classes a configuration may name (`auto_mapping`)."""
OF_OTHERS = ("XLORA",)
"""Types of adapter that are made of others, which PEFT would fetch by name."""


def refuse_unsafe(folder: Path) -> None:
    """Refuse an adapter that would have PEFT run code, unpickle or fetch.

    Raises:
        ModelError: with the reason and the remedy.
    """
    if not (folder / CONFIG).is_file() or not (folder / WEIGHTS).is_file():
        raise ModelError(
            f"{folder} is no whole adapter: {CONFIG} and {WEIGHTS} belong there → train it again"
        )
    config = read_json(folder / CONFIG)
    mapping = config.get("auto_mapping") or {}
    library = str(mapping.get("parent_library", IMPORTED[0])) if isinstance(mapping, dict) else ""
    if library.split(".")[0] not in IMPORTED:
        raise _refused(folder, f"auto_mapping names the module '{library}'")
    if config.get("megatron_config") is not None:
        raise _refused(folder, f"megatron_core names the module '{config.get('megatron_core')}'")
    if config.get("peft_type") in OF_OTHERS:
        raise _refused(folder, f"peft_type '{config['peft_type']}' fetches other adapters")


def _refused(folder: Path, why: str) -> ModelError:
    return ModelError(
        f"{folder / CONFIG}: {why}, and what an adapter names is neither imported nor fetched here"
        " → train the arm again"
    )
