"""Reads the public sets that lie beside the project and are not part of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import UserError

FOLDER = Path(__file__).parent.parent.parent / "shared" / "data"


def rows(name: str, file: str) -> list[dict[str, Any]]:
    """Return the rows of one file of a set.

    Args:
        name: the set's folder.
        file: a JSONL file in it.

    Raises:
        UserError: the set is not there.
    """
    return [json.loads(line) for line in text(name, file).split("\n") if line]


def text(name: str, file: str) -> str:
    """Return one file of a set; raises as `rows` does."""
    return _read(FOLDER / name / file)


@cache
def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise UserError(
            f"{path.parent} has no {path.name} → this benchmark needs the {path.parent.name} data"
            " there"
        ) from problem
