"""Which tests start processes or load torch, found in their source, and held to it.

What does neither, and is not marked `slow` by hand, is `quick`. A test is marked `process` if one
of the words below stands in it, in a fixture that it uses or in a function of its file that one
calls; `torch` if one stands anywhere in its file. Whatever that misses is refused while the test
runs, and then its file says so itself: `pytestmark = pytest.mark.process`.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

WORDS = {
    "process": r"subprocess|Popen|harness_process|run_in_processes|LocalLauncher",
    "torch": r"torch|tiny_|build\(|write_model|write_embedder|smollm2|transformers|peft",
}
SMALL = {"git", "uname"}
"""Programs that say what a run was made with, in milliseconds."""


def mark(item: pytest.Item) -> None:
    """Give a test the markers that its source asks for."""
    if _mentions("torch", item.path):
        item.add_marker("torch")
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    functions = [item.function, *(fixture.func for found in fixtures for fixture in found)]
    if any(map(_starts_processes, functions)):
        item.add_marker("process")
    if not any(item.get_closest_marker(name) for name in ("torch", "process", "slow")):
        item.add_marker("quick")


@cache
def _mentions(marker: str, file: Path) -> bool:
    return re.search(WORDS[marker], file.read_text()) is not None


@cache
def _starts_processes(function: FunctionType) -> bool:
    """Tell whether a function starts processes, or one of its module that it calls."""
    module = inspect.getmodule(function)
    if module is None or not _mentions("process", Path(inspect.getfile(module))):
        return False
    source = inspect.getsource(function)
    calls = (rf"\b{name}\(" for name in _starters(module))
    return any(re.search(word, source) for word in (WORDS["process"], *calls))


@cache
def _starters(module: ModuleType) -> frozenset[str]:
    """Return the names of a module's functions that start processes, by others of it too."""
    own = {
        name: inspect.getsource(value)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }
    found: frozenset[str] = frozenset()
    while True:
        words = "|".join([WORDS["process"], *(rf"\b{name}\(" for name in found)])
        more = frozenset(name for name, source in own.items() if re.search(words, source))
        if more == found:
            return found
        found = more


class _NoTorch:
    """A finder of modules that finds no torch, and says what to do about it."""

    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            pytest.fail("this test loads torch → pytestmark = pytest.mark.torch in its file")


@contextmanager
def held_to_marker(item):
    """Refuse a quick test processes, and torch where it is not loaded yet."""
    no_torch = _NoTorch()
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("quick"):
            patch.setattr(subprocess.Popen, "__init__", _small_only(subprocess.Popen.__init__))
            if "torch" not in sys.modules:
                sys.meta_path.insert(0, no_torch)
        try:
            yield
        finally:
            # In its place: a list put back whole would lack the finders that packages added, six's.
            with suppress(ValueError):
                sys.meta_path.remove(no_torch)


def _small_only(begin):
    """Return what begins a process if it is a small one."""

    def checked(self, args, *more, **words):
        program = Path(args[0] if isinstance(args, list | tuple) else args.split()[0]).name
        if program not in SMALL:
            pytest.fail(
                f"this test starts {program} → pytestmark = pytest.mark.process in its file"
            )
        begin(self, args, *more, **words)

    return checked
