"""Which model a name means, and where its files are.

A built-in name, a folder or GGUF file (starts with `.`, `/` or `~`, or lies beside the task), else
a hub id. Knows nothing of loading.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.errors import ModelError, unknown_name
from harness.hashing import sha256_of_file
from harness.lm.fetch import BUILT_IN, UNPACKING, built_in_folder, cache_folder, dequantise
from harness.types import ModelRef

MODEL_FILES = ("*.safetensors", "*.bin", "*.json", "*.model", "*.jinja", "*.txt")
"""What decides a model's behaviour; a README beside it does not."""


def resolve(name: str, base: Path, fetch: bool = True) -> ModelRef:
    """Find the model that `name` means and see to it that its files are on this machine.

    Args:
        name: as the task file has it.
        base: the folder of the task file.
        fetch: whether missing files may be fetched.

    Raises:
        ModelError: there is no such model, or it cannot be fetched.
    """
    if name in BUILT_IN:
        folder = built_in_folder(name, fetch)
        return ModelRef(name, str(folder), None, _folder_sha256(folder), BUILT_IN[name].origin)
    beside = base / Path(name).expanduser()
    if name[0] in "./~" or beside.exists():
        return _local(name, beside)
    if "/" not in name:
        known = unknown_name("built-in model", name, BUILT_IN)
        raise ModelError(f"{known} → or name a folder, a .gguf file or a hub id (owner/name)")
    return _from_hub(name, fetch)


def _local(name: str, path: Path) -> ModelRef:
    path = path.resolve()
    if path.suffix == ".gguf" and path.is_file():
        digest = sha256_of_file(path)
        folder = cache_folder() / "gguf" / f"{digest[:16]}-{UNPACKING}"
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            work = folder.with_suffix(".part")
            dequantise(path, work)
            work.rename(folder)
        return ModelRef(name, str(folder), None, digest, "dequantised once from a GGUF file")
    if not (path / "config.json").is_file():
        raise ModelError(
            f"model '{name}': {path} is neither a .gguf file nor a folder with a config.json"
        )
    return ModelRef(name, str(path), None, _folder_sha256(path), "a local folder")


def _from_hub(name: str, fetch: bool) -> ModelRef:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(name, allow_patterns=[*MODEL_FILES], local_files_only=not fetch)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as problem:
        reason = str(problem).strip().split("\n")[0]
        raise ModelError(
            f"model '{name}' cannot be fetched from the hub: {reason} → check the id and the"
            f" connection, or use a local folder or a built-in model ({', '.join(BUILT_IN)})"
        ) from problem
    return ModelRef(name, str(folder), folder.name, None, "the model hub")


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted({file for pattern in MODEL_FILES for file in folder.glob(pattern)}):
        digest.update(f"{file.name}:{sha256_of_file(file)}\n".encode())
    return digest.hexdigest()
