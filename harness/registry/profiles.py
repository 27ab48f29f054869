"""What a strategy is with certain parameters, the strategies that it builds counted in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import StrategyError, UserError, unknown_name
from harness.files.guarded import guarded
from harness.files.hashing import sha256_of, sha256_of_file
from harness.files.user_path import user_path
from harness.registry.declared import LEARNS, Part, declared, parts_of
from harness.registry.lookup import find
from harness.registry.source import source_sha256
from harness.strategy import INPUT_FILE, MODEL_NAME, Params, Strategy, marked

MOST_DEPTH = 8
"""Of strategies that build strategies; one that builds itself would go on for ever."""


def resolved_params(strategy: type[Strategy], given: Mapping[str, Any], base: Path) -> Params:
    """Return a strategy's parameters, every input file and model folder as an absolute path.

    Raises:
        pydantic.ValidationError: a parameter is unknown or of the wrong kind.
        UserError: a file is not there.
    """
    params = _made(strategy, given)
    paths = {}
    for name, value in marked(params, INPUT_FILE):
        paths[name] = (base / user_path(value)).resolve()
        if not paths[name].is_file():
            raise UserError(f"parameter '{name}': there is no file {paths[name]}")
    for name, value in marked(params, MODEL_NAME):
        beside = (base / user_path(value)).resolve()
        if beside.is_dir():
            paths[name] = beside
        elif value[0] in "./~":
            raise UserError(f"parameter '{name}': there is no folder {beside}")
    return params.model_copy(update={name: str(path) for name, path in paths.items()})


def _made(strategy: type[Strategy], given: Mapping[str, Any]) -> Params:
    """Have a strategy check its parameters, and see that they can be written down."""
    kind = strategy.Params
    if not (isinstance(kind, type) and issubclass(kind, Params)):
        raise StrategyError(f"{strategy.__name__}: its Params → derive them from harness.Params")
    with guarded(f"{strategy.__name__}: its Params failed", passing=ValidationError):
        params = kind(**given)
    with guarded(f"{strategy.__name__}: its parameters cannot be written as JSON"):
        json.dumps(params.model_dump(mode="json"), allow_nan=False)
    return params


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
    is_random: bool
    """Whether another seed trains it, or a part of it, to something else."""
    refits: bool
    """Whether it learns from validation rows too; as parts, strategies do not."""
    sha256: str
    """Hash of the sources, input files and model folders that decide how it behaves."""
    settings: Mapping[str, Any]
    """Its parameters but for the names of those files and folders."""
    fit_usd: float
    """As `Strategy.fit_usd` gives it."""
    models: tuple[str, ...] = field(compare=False)  # where a folder lies is not what it is
    """As `Strategy.models` gives them: embedders and the like, by name or as a folder."""


def profile(strategy: type[Strategy], params: Params, base: Path, depth: int = 0) -> Profile:
    """Describe a strategy together with its parts.

    Args:
        strategy: the class.
        params: as `resolved_params` gives them.
        base: folder that the parts' relative paths start from.
        depth: how many strategies it is a part of.

    Raises:
        HarnessError: it breaks its contract, or a part cannot be found or refuses its parameters.
    """
    said = declared(strategy, params)
    built = _parts(strategy, said.parts, base, depth)
    parts = [profile(*part, base, depth + 1) for part in built]
    provides = said.provides
    if parts:
        provides |= frozenset.intersection(*(part.provides for part in parts))
    files = dict(marked(params, INPUT_FILE))
    folders = {k: name for k, name in marked(params, MODEL_NAME) if Path(name).is_absolute()}
    sources = [
        source_sha256(strategy),
        *(sha256_of_file(Path(path)) for path in files.values()),
        *(_folder_sha256(Path(path)) for path in folders.values()),
        *(part.sha256 for part in parts),
    ]
    return Profile(
        said.needs.union(*(part.needs for part in parts)),
        max((said.learns, *(part.learns for part in parts)), key=LEARNS.index),
        said.answers.intersection(*(part.answers for part in parts)),
        provides,
        said.replays or any(part.replays for part in parts),
        said.is_random or any(part.is_random for part in parts),
        said.refits,
        sha256_of(sources),
        params.model_dump(mode="json", exclude={*files, *folders}),
        said.fit_usd + sum(part.fit_usd for part in parts),
        tuple(dict.fromkeys(chain(said.models, *(part.models for part in parts)))),
    )


def with_parts(
    strategy: type[Strategy], params: Params, base: Path, depth: int = 0
) -> Iterator[tuple[type[Strategy], Params]]:
    """Yield a strategy with its parameters, and all that it builds, and that these build.

    Raises:
        HarnessError: a part cannot be found, or refuses its parameters.
    """
    yield strategy, params
    for part in _parts(strategy, parts_of(strategy, params), base, depth):
        yield from with_parts(*part, base, depth + 1)


def _parts(
    strategy: type[Strategy], parts: Iterable[Part], base: Path, depth: int
) -> Iterator[tuple[type[Strategy], Params]]:
    if depth > MOST_DEPTH:
        what = f"it builds strategies that build strategies, {depth} deep"
        raise StrategyError(f"{strategy.__name__}: its `parts`: {what} → name none that builds it")
    for name, given in parts:
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
        elif error["type"] == "value_error":  # a validator's own words
            said = str(error["ctx"]["error"])
            yield f"parameter '{key}' of {use}: {said}" if key else f"{use}: {said}"
        else:
            yield f"parameter '{key}' of {use}: {error['msg']}, got {error['input']!r}"


def _folder_sha256(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return sha256_of([[str(file.relative_to(folder)), sha256_of_file(file)] for file in files])
