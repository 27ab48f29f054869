"""Which code of others an arm runs, told without running any of it.

The strategies that come with the harness are asked for their parts; a strategy of others may name
more, which only running it would tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import UserError
from harness.files.hashing import sha256_of_file
from harness.files.python_file import names_file, path_of
from harness.registry.declared import parts_of
from harness.registry.lookup import GROUP, find
from harness.registry.origin import OURS
from harness.registry.source import holders_of, version_of


@dataclass(frozen=True)
class ForeignCode:
    """A file or an installed package that an arm runs."""

    reference: str
    """As the run names it."""
    place: str
    """The file, or the package."""
    identity: str | None
    """Hash of the file, or the package's version; None: it is not there."""


def foreign_code(reference: str, given: Mapping[str, Any], base: Path) -> Iterator[ForeignCode]:
    """Yield the code of others that a strategy and its parts lead to.

    Args:
        reference: of a strategy, as `find` takes it.
        given: its parameters.
        base: folder that relative paths start from.

    Raises:
        HarnessError: no strategy has such a name, or it refuses its parameters.
    """
    if not _is_ours(reference):
        yield _described(reference, base)
        return
    strategy = find(reference, base)
    try:
        parts = parts_of(strategy, strategy.Params(**given))
    except ValidationError as problem:
        raise UserError(
            f"{reference} refuses its parameters: {problem.errors()[0]['msg']}"
        ) from None
    for part in parts:
        yield from foreign_code(part.strategy, part.params, base)


def _is_ours(reference: str) -> bool:
    """Tell whether a reference leads into this distribution; a name that nobody offers does too."""
    if names_file(reference):
        return False
    if ":" in reference:
        return reference.split(".", 1)[0].split(":", 1)[0] in OURS
    points = [point for point in metadata.entry_points(group=GROUP) if point.name == reference]
    return all(point.module.split(".")[0] in OURS for point in points)


def _described(reference: str, base: Path) -> ForeignCode:
    if names_file(reference):
        file = path_of(reference, base)
        return ForeignCode(reference, str(file), sha256_of_file(file) if file.is_file() else None)
    points = [
        point.module for point in metadata.entry_points(group=GROUP) if point.name == reference
    ]
    top = next(iter(points), reference).split(":")[0].split(".")[0]
    versions = [f"{name} {version_of(name)}" for name in sorted(holders_of(top))]
    return ForeignCode(reference, f"the package {top}", ", ".join(versions) or None)
