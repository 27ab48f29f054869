"""Finds strategies by name: built-in and third-party ones enter through the same door.

The door is the entry-point group `harness.strategies`; `path/to/file.py:Class` and
`package.module:Class` serve one-off work.
Nothing in `harness` imports the package `strategies`.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import StrategyError, UnknownNameError, UserError, unknown_name
from harness.files.hashing import sha256_of, sha256_of_file
from harness.files.python_file import from_file
from harness.strategy import INPUT_FILE, MODEL_NAME, Params, Strategy, marked

GROUP = "harness.strategies"
ROOMS = ("harness.retrieval", "harness.toolkit.selection", "harness.toolkit.prompts")
"""Rooms and pages whose source counts for the strategies that name them. The engine's counts for
all that need a model."""
LEARNS = ("nothing", "index", "weights")


def names() -> list[str]:
    """Return the names of all installed strategies, sorted."""
    return sorted({point.name for point in metadata.entry_points(group=GROUP)})


def find(reference: str, base: Path | None = None) -> type[Strategy]:
    """Return the strategy class that `reference` names.

    Args:
        reference: an installed name, `path/to/file.py:Class` or `package.module:Class`.
        base: folder that a relative file path starts from; the working directory if None.

    Raises:
        UnknownNameError: no strategy of that name is installed, or the file or class is missing.
        StrategyError: what was found is not a Strategy, or its module cannot be imported.
    """
    if ".py:" in reference:
        found = _from_file(reference, base)
    elif ":" in reference:
        found = _from_module(reference)
    else:
        found = _from_entry_point(reference)
    if not (inspect.isclass(found) and issubclass(found, Strategy)) or inspect.isabstract(found):
        raise StrategyError(f"'{reference}' is not a strategy: a subclass with its own `predict`")
    return found


def resolved_params(strategy: type[Strategy], given: Mapping[str, Any], base: Path) -> Params:
    """Return a strategy's parameters, every input file and model folder as an absolute path.

    Raises:
        pydantic.ValidationError: a parameter is unknown or of the wrong kind.
        UserError: a file is not there.
    """
    params = strategy.Params(**given)
    paths = {}
    for name, value in marked(params, INPUT_FILE):
        paths[name] = (base / Path(value).expanduser()).resolve()
        if not paths[name].is_file():
            raise UserError(f"parameter '{name}': there is no file {paths[name]}")
    for name, value in marked(params, MODEL_NAME):
        beside = (base / Path(value).expanduser()).resolve()
        if beside.is_dir():
            paths[name] = beside
        elif value[0] in "./~":
            raise UserError(f"parameter '{name}': there is no folder {beside}")
    return params.model_copy(update={name: str(path) for name, path in paths.items()})


@dataclass(frozen=True)
class Profile:
    """What a strategy is with certain parameters, the strategies that it builds counted in."""

    needs: frozenset[str]
    """As `Strategy.needs` names them."""
    learns: str
    answers: frozenset[str]
    """The answer kinds that it and all its parts can give."""
    provides: frozenset[str]
    replays: bool
    """Whether any of its answers were made elsewhere."""
    sha256: str
    """Hash of the sources, input files and model folders that decide how it behaves."""
    settings: Mapping[str, Any]
    """Its parameters but for the names of those files and folders."""
    fit_usd: float
    """As `Strategy.fit_usd` gives it."""
    models: tuple[str, ...] = field(compare=False)  # where a folder lies is not what it is
    """As `Strategy.models` gives them: embedders and the like, by name or as a folder."""


def profile(strategy: type[Strategy], params: Params, base: Path) -> Profile:
    """Describe a strategy together with its parts.

    Args:
        strategy: the class.
        params: as `resolved_params` gives them.
        base: folder that the parts' relative paths start from.

    Raises:
        HarnessError: a part cannot be found, or refuses its parameters.
    """
    parts = [profile(*part, base) for part in _parts(strategy, params, base)]
    provides = strategy.provides
    if parts:
        provides |= frozenset.intersection(*(part.provides for part in parts))
    files = dict(marked(params, INPUT_FILE))
    folders = {k: name for k, name in marked(params, MODEL_NAME) if Path(name).is_absolute()}
    sources = [
        source_sha256(strategy),
        *(sha256_of_file(Path(path)) for path in files.values()),
        *(_folder_sha256(Path(path)) for path in folders.values()),
        *(sha256_of_sources(room) for room in ROOMS if _uses(strategy, room)),
        *(part.sha256 for part in parts),
    ]
    return Profile(
        strategy.needs(params).union(*(part.needs for part in parts)),
        max((strategy.learns, *(part.learns for part in parts)), key=LEARNS.index),
        strategy.answers.intersection(*(part.answers for part in parts)),
        provides,
        strategy.replays or any(part.replays for part in parts),
        sha256_of(sources),
        params.model_dump(mode="json", exclude={*files, *folders}),
        strategy.fit_usd(params) + sum(part.fit_usd for part in parts),
        tuple(dict.fromkeys(chain(strategy.models(params), *(part.models for part in parts)))),
    )


def with_parts(
    strategy: type[Strategy], params: Params, base: Path
) -> Iterator[tuple[type[Strategy], Params]]:
    """Yield a strategy with its parameters, and all that it builds, and that these build.

    Raises:
        HarnessError: a part cannot be found, or refuses its parameters.
    """
    yield strategy, params
    for part in _parts(strategy, params, base):
        yield from with_parts(*part, base)


def _parts(
    strategy: type[Strategy], params: Params, base: Path
) -> Iterator[tuple[type[Strategy], Params]]:
    for name, given in strategy.parts(params):
        part = find(name, base)
        try:
            yield part, resolved_params(part, given, base)
        except ValidationError as problem:
            raise UserError("; ".join(refused(name, part, problem))) from problem


def refused(use: str, strategy: type[Strategy], problem: ValidationError) -> Iterator[str]:
    """Say of each parameter that a strategy refuses what is wrong with it.

    Args:
        use: what the strategy is called where the parameters are written.
        strategy: whose parameters they are.
        problem: as `resolved_params` raised it.
    """
    for error in problem.errors():
        key = ".".join(str(part) for part in error["loc"])
        if error["type"] == "extra_forbidden":
            yield unknown_name(f"parameter of {use}", key, strategy.Params.model_fields)
        else:
            yield f"parameter '{key}' of {use}: {error['msg']}, got {error['input']!r}"


def _folder_sha256(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return sha256_of([[str(file.relative_to(folder)), sha256_of_file(file)] for file in files])


def _uses(strategy: type[Strategy], room: str) -> bool:
    """Tell whether a strategy's module names a room of the harness, or something out of it."""
    named = vars(sys.modules[strategy.__module__]).values()
    owners = (
        getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in named
    )
    return any(f"{owner}.".startswith(f"{room}.") for owner in owners)


def sha256_of_sources(room: str) -> str:
    """Hash every Python file of a package, or a module's one."""
    module = importlib.import_module(room)
    file = Path(inspect.getfile(module))
    files = sorted(file.parent.rglob("*.py")) if hasattr(module, "__path__") else [file]
    return sha256_of([sha256_of_file(file) for file in files])


def reference_to(strategy: type[Strategy]) -> str:
    """Return a reference by which a fresh process finds this class."""
    module = sys.modules[strategy.__module__]
    if module.__package__:
        return f"{strategy.__module__}:{strategy.__qualname__}"
    return f"{Path(inspect.getfile(strategy)).resolve()}:{strategy.__qualname__}"


def source_sha256(strategy: type[Strategy]) -> str:
    """Hash what decides how a strategy behaves: its module's source and its distribution's version.

    For a strategy that lives in a package of its own, every Python file of the package counts,
    since its page may lean on a neighbour's.
    """
    module = sys.modules[strategy.__module__]
    path = Path(inspect.getfile(strategy))
    package = module.__package__ or ""
    siblings = sorted(path.parent.rglob("*.py")) if package and "." in package else [path]
    versions = {name: metadata.version(name) for name in sorted(distributions_of(strategy))}
    return sha256_of([[sha256_of_file(file) for file in siblings], versions])


def distributions_of(strategy: type[Strategy]) -> frozenset[str]:
    """Return the names of the installed distributions that hold a strategy's package."""
    return frozenset(_owners().get(strategy.__module__.split(".")[0], ()))


@cache
def _owners() -> Mapping[str, list[str]]:
    """Read which distributions hold which packages: half a second, so once a process."""
    return metadata.packages_distributions()


def _from_entry_point(name: str) -> object:
    points = [point for point in metadata.entry_points(group=GROUP) if point.name == name]
    if not points:
        raise UnknownNameError("strategy", name, names(), "see `python -m harness list strategies`")
    if len({point.value for point in points}) > 1:
        owners = ", ".join(sorted(point.value for point in points))
        raise StrategyError(f"two packages offer a strategy called '{name}': {owners}")
    try:
        return points[0].load()
    except (ImportError, AttributeError) as problem:
        raise StrategyError(
            f"the strategy '{name}' cannot be imported from {points[0].value}: {problem}"
        ) from problem


def _from_module(reference: str) -> object:
    module_name, class_name = reference.rsplit(":", 1)
    try:
        return getattr(importlib.import_module(module_name), class_name)
    except (Exception, SystemExit) as problem:  # a stranger's module may raise anything
        raise StrategyError(f"'{reference}' cannot be imported: {problem!r}") from problem


def _from_file(reference: str, base: Path | None) -> object:
    try:
        return from_file(reference, base, "strategy", inspect.isclass)
    except ImportError as problem:
        raise StrategyError(str(problem)) from problem
