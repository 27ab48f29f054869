"""Which source decides how a strategy behaves: all that it can reach by imports.

Knows which rooms of the harness count, and how finely; nothing of rows, parameters and models.
"""

from __future__ import annotations

import inspect
import re
import sys
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import harness
from harness.files.hashing import sha256_of, sha256_of_file
from harness.files.reached_code import modules_below, reached, sha256_of_code
from harness.registry.lookup import GROUP
from harness.strategy import Strategy

HOME = Path(harness.__file__).parent
"""The harness's own source."""
READ_BY_PAGE = "harness.toolkit"
"""Its pages count one by one: one that picks a setting does not lead to the engine, one that tunes
does. Any other room counts whole for the strategies that reach it."""
CONTRACT = frozenset(["harness.errors", "harness.strategy", "harness.workload"])
"""All strategies reach these, and no answer depends on them."""
LEADS_ANYWHERE = frozenset(
    [
        *("harness.__main__", "harness.analysis", "harness.cli", "harness.plan"),
        *("harness.registry", "harness.run", "harness.task", "harness.testing"),
    ]
)
"""Rooms above the strategies: from there, every strategy and all that is below it is reached."""
EVERYTHING = frozenset(
    ["harness.lm", "harness.metrics", "harness.retrieval", "harness.toolkit", "harness.types"]
)
"""What counts for a strategy of which nobody can read what it reaches."""
INSTALLED = frozenset(["site-packages", "dist-packages"])
FILE = "__strategy__"
"""What the module of a strategy in a file of its own is called here: not by the file's place."""


def source_sha256(strategy: type[Strategy]) -> str:
    """Hash what decides how a strategy behaves: all the source that it can reach.

    Counted are its module, what that imports of its own package and of other code that no version
    pins, the rooms of the harness that imports lead to, and its distribution's version. Each module
    of a package inside a package counts, imported or not. If the source finds modules by names that
    it makes up while it runs, everything counts.
    """
    module, file = sys.modules[strategy.__module__], Path(inspect.getfile(strategy))
    package = module.__package__ or ""
    start, top = (module.__name__, package.split(".")[0]) if package else (FILE, FILE)
    own = {top: _place(sys.modules[top]) if package else file}
    siblings = modules_below(package, file.parent) if "." in package else ()
    reach = reached([start, *siblings], lambda n: own.get(n) or place_of(n), room_of, "harness")
    counted = {name: sha256_of_file(source) for name, source in reach.files.items()}
    rooms = reach.rooms - CONTRACT
    if reach.dynamic or start not in reach.files or rooms & LEADS_ANYWHERE:
        rooms = EVERYTHING
        around = [file, *([own[top]] if package else file.parent.glob("*.py"))]
        counted |= {place.name: sha256_of_code(place) for place in around}
    counted |= {room: sha256_of_code(place_in_harness(room)) for room in rooms}
    versions = {name: version_of(name) for name in sorted(distributions_of(strategy))}
    return sha256_of([counted, versions])


def files_of(path: Path) -> list[Path]:
    """Return the files of code that a file of one's own reaches by imports, itself included.

    Installed packages and the harness are left out. If it finds modules by names that it makes up
    while it runs, all files of code beside it count.
    """
    own = {FILE: path}
    reach = reached([FILE], lambda name: own.get(name) or place_of(name), room_of, "harness")
    beside = path.parent.glob("*.py") if reach.dynamic or FILE not in reach.files else ()
    found = [file.resolve() for file in (path, *reach.files.values(), *beside)]
    return sorted({file for file in found if not file.is_relative_to(HOME)})


def room_of(name: str) -> str | None:
    """Return the room of the harness that a dotted name lies in, if it counts as one."""
    room = ".".join(name.split(".", 2)[:2])
    if not room.startswith("harness.") or room == READ_BY_PAGE:
        return None
    return room if room.partition(".")[2] in _names_in(HOME) else None


@cache
def _names_in(folder: Path) -> frozenset[str]:
    return frozenset(path.stem for path in folder.iterdir())


def place_in_harness(room: str) -> Path:
    """Return the folder or the file of one of the harness's rooms."""
    folder = HOME / room.partition(".")[2]
    return folder if folder.is_dir() else folder.with_name(f"{folder.name}.py")


def place_of(top: str) -> Path | None:
    """Return where a top-level package or module lies, if somebody may edit its code there.

    Installed packages are not followed, except those that offer strategies: a plugin may build on
    another.
    """
    if top == "harness":
        return HOME
    if top in sys.stdlib_module_names:
        return None
    try:
        # Hooks of other finders are called for nothing that lies on the path.
        spec = PathFinder.find_spec(top) or find_spec(top)
    except ValueError:  # of a module that was made by hand
        return None
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    if not INSTALLED.isdisjoint(file.parts) and top not in _offering():
        return None
    return file.parent if file.name == "__init__.py" else file


def _place(module: ModuleType) -> Path:
    """Return the folder of a package, or the file of a module."""
    is_package = hasattr(module, "__path__")
    return Path(next(iter(module.__path__)) if is_package else inspect.getfile(module))


@cache
def _offering() -> frozenset[str]:
    """Return the top-level packages that offer strategies."""
    return frozenset(point.module.split(".")[0] for point in metadata.entry_points(group=GROUP))


def distributions_of(strategy: type[Strategy]) -> frozenset[str]:
    """Return the names of the installed distributions that hold a strategy's package."""
    return holders_of(strategy.__module__.split(".")[0])


@cache
def holders_of(package: str) -> frozenset[str]:
    """Return the distributions that hold a top-level package or module.

    As `metadata.packages_distributions` finds them for all packages, which takes ten times as long:
    it looks at every file of every distribution.
    """
    member = re.compile(rf"^{re.escape(package)}(/|\.[^/,]*(,|$))", re.MULTILINE)
    found = set()
    for distribution in metadata.distributions():
        declared = (distribution.read_text("top_level.txt") or "").split()
        listed = distribution.read_text("RECORD") or distribution.read_text("SOURCES.txt") or ""
        if package in declared or (not declared and member.search(listed)):
            found.add(distribution.metadata["Name"])
    return frozenset(found)


@cache
def version_of(distribution: str) -> str:
    """Return the version of an installed distribution."""
    return metadata.version(distribution)
