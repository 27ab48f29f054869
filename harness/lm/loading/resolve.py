"""Which model a name means, and where its files are.

A name is a built-in model's; or the path of a folder or GGUF file (it starts with `.`, `/` or `~`,
or lies beside the task); or else a hub id. Knows nothing of loading.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.errors import CacheError, ModelAbsentError, ModelError, unknown_name
from harness.files.cache_folder import kept_folder
from harness.files.hashing import sha256_of_file
from harness.files.hub import hub_failure
from harness.files.refusals import words_of
from harness.files.user_path import user_path
from harness.lm.loading.builtin_model import BUILT_IN, UNPACKING, built_in_folder, dequantise
from harness.lm.loading.licence import README, licence_of, licence_of_gguf
from harness.lm.loading.whole_model import refuse_no_model
from harness.types import ModelRef

MODEL_FILES = ("*.safetensors", "*.bin", "*.json", "*.model", "*.jinja", "*.txt")
"""What decides a model's behaviour. A README beside it does not, but names its licence."""
ANOTHER_FORM = ("*/*", "consolidated*")
"""Files that match the patterns and hold the same weights for other programs (`original/`)."""
SMALL_FILES = ("*.json", "*.model", "*.jinja", "*.txt")
"""The same without the weights."""


def resolve(
    name: str,
    base: Path,
    fetch: bool = True,
    weights: bool = True,
    revision: str | None = None,
) -> ModelRef:
    """Find the model that `name` means, and fetch its files if they are not on this machine.

    Args:
        name: as the task file has it.
        base: the folder of the task file.
        fetch: whether missing files may be fetched.
        weights: whether its weights are wanted too. If not, only the configuration and the
            tokenizer of a hub model are fetched, and nothing is hashed.
        revision: of a hub model; None: the newest.

    Raises:
        ModelAbsentError: its files are not on this machine, and were not to be fetched.
        ModelError: there is no such model, or it cannot be fetched or read.
    """
    try:
        return _found(name, base, fetch, weights, revision)
    except OSError as problem:  # a folder or file that cannot be read by this user
        raise ModelError(f"model '{name}' cannot be read: {words_of(problem)}") from problem


def _found(
    name: str, base: Path, fetch: bool, weights: bool, revision: str | None = None
) -> ModelRef:
    if name in BUILT_IN:
        folder = built_in_folder(name, fetch, hashes=weights)
        built_in = BUILT_IN[name]
        hashed = _folder_sha256(folder) if weights else None
        return ModelRef(name, str(folder), None, hashed, built_in.origin, licence=built_in.licence)
    beside = base / user_path(name)
    if name[0] in "./~" or beside.exists():
        return _local(name, beside, weights)
    if "/" not in name:
        known = unknown_name("built-in model", name, BUILT_IN)
        raise ModelError(f"{known} → or name a folder, a .gguf file or a hub id (owner/name)")
    return _from_hub(name, fetch, MODEL_FILES if weights else SMALL_FILES, revision)


def _local(name: str, path: Path, weights: bool) -> ModelRef:
    path = path.resolve()
    if path.suffix == ".gguf" and path.is_file():
        try:
            return _unpacked(name, path)
        except CacheError:
            raise
        except Exception as problem:  # the readers of a damaged file raise all sorts
            reason = str(problem).strip().split("\n")[0] or type(problem).__name__
            raise ModelError(
                f"model '{name}': {path} cannot be read as a GGUF file: {reason} → fetch the file"
                " again if it is damaged or cut short, or use a model folder or a hub id"
            ) from problem
    try:
        refuse_no_model(path)
    except ModelError as problem:
        raise ModelError(f"model '{name}': {problem}") from None
    hashed = _folder_sha256(path) if weights else None
    return ModelRef(name, str(path), None, hashed, "a local folder", licence=licence_of(path))


def _unpacked(name: str, path: Path) -> ModelRef:
    """Return the model of a GGUF file; its weights are dequantised once, into the cache folder."""
    digest, licence = sha256_of_file(path), licence_of_gguf(path)

    def make(work: Path) -> Path:
        dequantise(path, work / "done")
        return work / "done"

    folder = kept_folder("gguf", f"{digest[:16]}-{UNPACKING}", make, hashes=True)
    origin = "dequantised once from a GGUF file"
    return ModelRef(name, str(folder), None, digest, origin, licence=licence)


def _from_hub(
    name: str, fetch: bool, files: tuple[str, ...], revision: str | None = None
) -> ModelRef:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=[*files, README],
                ignore_patterns=[*ANOTHER_FORM],
                local_files_only=not fetch,
            )
        )
    except Exception as problem:  # its parts raise all sorts: no home, a proxy that is none
        if not fetch and isinstance(problem, LocalEntryNotFoundError):
            raise ModelAbsentError(f"model '{name}' is not on this machine yet") from problem
        if isinstance(problem, GatedRepoError):
            raise ModelError(
                f"model '{name}' cannot be fetched from the hub: its makers want their terms"
                f" accepted first → accept them on the page of {name}, and set HF_TOKEN to a token"
                " of that account"
            ) from problem
        fix = f"use a local folder or a built-in model ({', '.join(BUILT_IN)})"
        why = hub_failure(problem, fix)
        raise ModelError(f"model '{name}' cannot be fetched from the hub: {why}") from problem
    origin = "the model hub"
    return ModelRef(name, str(folder), folder.name, None, origin, licence=licence_of(folder))


def _folder_sha256(folder: Path) -> str:
    """Hash every file that decides the model's behaviour, with its name."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in MODEL_FILES for file in folder.glob(pattern)}):
        digest.update(f"{file.name}:{sha256_of_file(file)}\n".encode())
    return digest.hexdigest()
