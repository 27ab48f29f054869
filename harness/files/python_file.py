"""Takes a class or a function out of a Python file that a task names: `path/to/file.py:name`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from harness.errors import UnknownNameError, UserError
from harness.files.guarded import guarded
from harness.files.hashing import sha256_of
from harness.files.user_path import user_path

PREFIX = "harness_file_"
"""Begins the names of the modules that files become."""


def names_file(reference: str) -> bool:
    """Tell whether a reference names something in a file."""
    return ".py:" in reference


def path_of(reference: str, base: Path | None) -> Path:
    """Return the whole path of the file that `reference` names."""
    file_name = reference.rsplit(":", 1)[0]
    return ((base or Path.cwd()) / user_path(file_name)).resolve()


def from_file(
    reference: str, base: Path | None, what: str, is_one: Callable[[object], bool]
) -> object:
    """Return what `reference` names in its file.

    Args:
        reference: `path/to/file.py:name`.
        base: folder that a relative path starts from; the working directory if None.
        what: the word for it in errors, e.g. "strategy".
        is_one: tells which of the file's names an error may propose if this one is missing.

    Raises:
        UserError: there is no such file.
        UnknownNameError: the file has nothing of that name.
        ImportError: the file cannot be imported.
    """
    path, name = path_of(reference, base), reference.rsplit(":", 1)[1]
    if not path.is_file():
        raise UserError(f"{what} '{reference}': there is no file {path} → correct the path")
    module = _import_file(path)
    with guarded(f"{what} '{reference}'", ImportError):  # a module may have a `__getattr__`
        if hasattr(module, name):
            return getattr(module, name)
    known = [own for own, value in list(vars(module).items()) if is_one(value)]
    raise UnknownNameError(f"{what} in {path.name}", name, known)


def _import_file(path: Path) -> ModuleType:
    # The name holds the path's hash, so that two files of the same name never collide.
    name = f"{PREFIX}{sha256_of(str(path))[:12]}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with guarded(f"{path} cannot be imported", ImportError):
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


@contextmanager
def imported_anew() -> Iterator[None]:
    """Have files imported anew inside the `with`, as in a fresh interpreter; then as before it."""
    before = _take_imported_files()
    try:
        yield
    finally:
        _take_imported_files()
        sys.modules.update(before)


def _take_imported_files() -> dict[str, ModuleType]:
    """Take all files' modules out of those that are imported."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith(PREFIX)}
