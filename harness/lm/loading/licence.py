"""Which licence a model's own metadata names. Knows nothing of what a task allows.

A model folder names it in the front matter of its README.md (the hub's model card) or in its
config.json, a GGUF file under `general.license`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

README = "README.md"
CONFIG = "config.json"
UNNAMED = "other"
"""What the hub's model cards write for a licence that is not on their list; its name then stands
under `license_name` (https://huggingface.co/docs/hub/repositories-licenses)."""


def licence_of(folder: Path) -> str | None:
    """Return the licence that a model folder names, or None if it names none."""
    card, config = _front_matter(folder / README), _config(folder / CONFIG)
    named = card.get("license")
    if isinstance(named, str) and named.lower() == UNNAMED:
        named = card.get("license_name")
    return _one(named) or _one(config.get("license"))


def licence_on_hub(name: str, fetch: bool = True) -> str | None:
    """Return the licence that a model of the hub names; None if it names none, or is not found.

    Args:
        name: its id, "owner/name".
        fetch: whether its card may be fetched; if not, only one on this machine is read.
    """
    from huggingface_hub import snapshot_download

    said = [README, CONFIG]
    try:
        return licence_of(
            Path(snapshot_download(name, allow_patterns=said, local_files_only=not fetch))
        )
    except Exception:  # what keeps it from being fetched, the arm that uses it will say
        return None


def licence_of_gguf(path: Path) -> str | None:
    """Return the licence that a GGUF file names, or None if it names none."""
    from gguf import GGUFReader

    field = GGUFReader(path).get_field("general.license")
    return None if field is None else _one(field.contents())


def _one(named: Any) -> str | None:
    """Return the one licence that is named; None for several: which of them holds is unknown."""
    if isinstance(named, list) and len(named) == 1:
        named = named[0]
    return named.strip() or None if isinstance(named, str) else None


def _front_matter(readme: Path) -> dict[str, Any]:
    """Return what a model card says of its model; nothing if there is no card that can be read."""
    if not readme.is_file():
        return {}  # most folders have none, and the import takes a quarter of a second
    from huggingface_hub import metadata_load

    try:
        return metadata_load(readme) or {}
    except Exception:  # a file that is missing, damaged or no card raises all sorts
        return {}


def _config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
