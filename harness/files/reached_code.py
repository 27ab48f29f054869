"""All the code that a module can reach by imports, at whatever depth, and its hash.

Knows no noun of the project: which packages count, and how, it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.files.hashing import sha256_of, sha256_of_file
from harness.files.imports import References, references

PlaceOf = Callable[[str], Path | None]
RoomOf = Callable[[str], str | None]
OPAQUE = frozenset(["__dict__", "__getattr__", "__getattribute__"])
"""Attributes of a module by which any other can be taken."""


@dataclass(frozen=True)
class Reach:
    """All that some modules can reach, themselves included."""

    files: Mapping[str, Path]
    """Dotted name of a module → its source."""
    rooms: frozenset[str]
    """Packages and modules that are reached and were not looked into."""
    dynamic: frozenset[str]
    """Those of `files` that may reach more than their text says."""


def reached(starts: Iterable[str], place_of: PlaceOf, room_of: RoomOf, door: str) -> Reach:
    """Return what modules can reach by imports.

    Args:
        starts: dotted names of modules.
        place_of: returns the folder or file of a top-level package or module; None where its
            imports are not followed.
        room_of: returns the package or module, of those that count as one, that a dotted name lies
            in; None if there is none. It is not looked into.
        door: a top-level package whose modules are looked through where they only pass names on,
            as many an `__init__` does: who takes a name from them reaches the module that defines
            it, and no other.
    """
    search = _Search(place_of, room_of, door)
    for start in starts:
        search.visit(start)
    while search.waiting:
        search.follow(search.waiting.pop())
    return Reach(search.files, frozenset(search.rooms), frozenset(search.dynamic))


def modules_below(name: str, place: Path) -> Iterator[str]:
    """Yield the dotted names of a module and all below it.

    Args:
        name: its dotted name.
        place: its folder, or its file.
    """
    if place.is_file():
        yield name
        return
    for file in sorted(place.rglob("*.py")):
        parts = file.relative_to(place).with_suffix("").parts
        yield ".".join([name, *(parts[:-1] if parts[-1] == "__init__" else parts)])


@cache
def sha256_of_code(place: Path) -> str:
    """Hash every Python file below a folder, or a module's one: once a process, as it is run."""
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return sha256_of([sha256_of_file(file) for file in files])


class _Search:
    """One walk over imports."""

    def __init__(self, place_of: PlaceOf, room_of: RoomOf, door: str):
        self.files: dict[str, Path] = {}
        self.rooms: set[str] = set()
        self.dynamic: set[str] = set()
        self.waiting: list[str] = []
        self._resolved: set[tuple[str, bool]] = set()
        self._place_of = cache(place_of)
        self._room_of = room_of
        self._door = door
        self._file = cache(self._find)
        self._references = cache(self._read)

    def visit(self, module: str) -> None:
        """Count a module, and put it among those whose imports are followed."""
        if room := self._room_of(module):
            self.rooms.add(room)
        elif module not in self.files and (file := self._file(module)):
            self.files[module] = file
            self.waiting.append(module)

    def follow(self, module: str) -> None:
        """Visit all that a module names."""
        found = self._references(module)
        if found.is_dynamic:
            self.dynamic.add(module)
        self._run_parents(module)
        for name in found.imported:
            self._resolve(name, is_used=False)
        for name in found.used:
            self._resolve(name, is_used=True)

    def _resolve(self, name: str, *, is_used: bool) -> None:
        """Visit the modules that a dotted name leads to.

        Args:
            name: of a module, or of something in one.
            is_used: an expression spells it. An import statement says of a module only that it is
                run.
        """
        if (name, is_used) in self._resolved:
            return
        self._resolved.add((name, is_used))
        if room := self._room_of(name):
            self.rooms.add(room)
            return
        module, rest = self._split(name)
        if not module:
            return
        self._run_parents(module)
        if not rest or rest[0] in OPAQUE:
            if is_used:
                self._take_whole(module)
            elif not self._only_passes_on(module):
                self.visit(module)
            return
        passed_on = self._references(module).bound.get(rest[0], frozenset())
        for target in passed_on:
            self._resolve(".".join([target, *rest[1:]]), is_used=is_used)
        if not (passed_on and self._only_passes_on(module)):
            self.visit(module)

    def _only_passes_on(self, module: str) -> bool:
        return module.split(".", 1)[0] == self._door and self._references(module).is_plain

    def _take_whole(self, module: str) -> None:
        """Visit a module, all below it, and whatever they import: any of it may be used."""
        file = self._file(module)
        assert file is not None
        for below in modules_below(module, file.parent if file.name == "__init__.py" else file):
            self.visit(below)
            if below in self.files:
                for targets in self._references(below).bound.values():
                    for target in targets:
                        self._resolve(target, is_used=True)

    def _run_parents(self, module: str) -> None:
        """Visit the packages around a module, which Python runs first, if they do anything."""
        parts = module.split(".")
        for length in range(1, len(parts)):
            package = ".".join(parts[:length])
            if self._file(package) is not None and not self._only_passes_on(package):
                self.visit(package)

    def _split(self, name: str) -> tuple[str, list[str]]:
        """Return the longest module that a dotted name begins with, and what follows it."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            module = ".".join(parts[:length])
            if self._file(module) is not None:
                return module, parts[length:]
        return "", parts

    def _find(self, module: str) -> Path | None:
        """Return the file of a module, or None if there is none whose imports are followed."""
        above, _, name = module.rpartition(".")
        place = self._place_below(above, name) if above else self._place_of(name)
        if place is None:
            return None
        files = (place / "__init__.py", place.with_name(f"{place.name}.py"), place)
        return next((file for file in files if file.suffix == ".py" and file.is_file()), None)

    def _place_below(self, package: str, name: str) -> Path | None:
        """Return where a module of a package would lie."""
        file = self._file(package)
        return file.parent / name if file is not None and file.name == "__init__.py" else None

    def _read(self, module: str) -> References:
        file = self._file(module)
        assert file is not None
        return references(file.read_bytes(), module, file.name == "__init__.py")
