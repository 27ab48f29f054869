"""What a strategy is with certain parameters, the strategies that it builds counted in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import StrategyError, UserError, unknown_name
from harness.files.guarded import guarded
from harness.files.hashing import sha256_of, sha256_of_file
from harness.files.user_path import user_path
from harness.registry.declared import LEARNS, declared, parts_of
from harness.registry.lookup import find
from harness.registry.source import source_sha256
from harness.strategy import (
    FIT_MODEL,
    INPUT_FILE,
    MODEL_NAME,
    ROWS_FILE,
    Params,
    Part,
    Strategy,
    marked,
)
from harness.types import model_name
from harness.wording.wrong_value import each_once, wrong_value

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
class Beside:
    """A language model that a strategy uses beside the arm's own."""

    model: str | Mapping[str, Any]
    """As the task file writes it."""
    serves: bool
    """Whether it is asked while the arm serves, or in preparation alone."""


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
    """Whether it, or a part that may, learns from validation rows too."""
    sha256: str
    """Hash of the sources, input files and model folders that decide how it behaves."""
    settings: Mapping[str, Any]
    """Its parameters but for the names of those files and folders."""
    fit_usd: float
    """As `Strategy.fit_usd` gives it."""
    models: tuple[str, ...] = field(compare=False)  # where a folder lies is not what it is
    """As `Strategy.models` gives them: embedders and the like, by name or as a folder."""
    beside: tuple[Beside, ...] = ()
    """Language models that it uses beside the arm's own."""
    rows_files: tuple[str, ...] = field(default=(), compare=False)  # as above
    """Paths of the files of inputs without answers that it learns from."""
    tunes_own: bool = False
    """Whether it is the arm's own model whose weights it needs, and not a part's."""


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
    built = list(_parts(strategy, said.parts, base, depth))
    parts = [_of_part(one, base, depth) for one in built]
    serving = [part for one, part in zip(built, parts, strict=True) if one.part.serves]
    provides = said.provides
    if serving:
        provides |= frozenset.intersection(*(part.provides for part in serving))
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
        said.replays or any(part.replays for part in serving),
        said.is_random or any(part.is_random for part in parts),
        said.refits
        or any(part.refits for one, part in zip(built, parts, strict=True) if one.part.refits),
        sha256_of(sources),
        _settings(params, {*files, *folders}),
        said.fit_usd + sum(part.fit_usd for part in parts),
        tuple(dict.fromkeys(chain(said.models, *(part.models for part in parts)))),
        _distinct(
            chain(
                (Beside(model, False) for _, model in marked(params, FIT_MODEL)),
                *(part.beside for part in parts),
            )
        ),
        tuple(
            dict.fromkeys(
                chain(
                    (path for _, path in marked(params, ROWS_FILE)),
                    *(part.rows_files for part in parts),
                )
            )
        ),
        "weights" in said.needs or any(part.tunes_own for part in parts),
    )


def _of_part(built: Built, base: Path, depth: int) -> Profile:
    """Describe a part; one with a model of its own needs none of the arm.

    Raises:
        UserError: it has a model and uses none, or needs the weights of one that is hosted.
    """
    found = profile(built.strategy, built.params, base, depth + 1)
    if not built.part.serves:
        found = replace(found, beside=tuple(replace(b, serves=False) for b in found.beside))
    own, name = built.part.model, built.part.strategy
    if own is None:
        return found
    if "model" not in found.needs:
        raise UserError(f"the part {name} uses no model → remove its `model`")
    if found.tunes_own and not isinstance(own, str):
        raise UserError(
            f"the part {name} needs a model's weights; '{own.get('model')}' is hosted"
            " → name a model that runs here"
        )
    beside = _distinct([Beside(own, built.part.serves), *found.beside])
    return replace(found, needs=found.needs - {"model"}, beside=beside, tunes_own=False)


def _distinct(models: Iterable[Beside]) -> tuple[Beside, ...]:
    """Return each model once; one that is written in two ways stays twice, to be refused."""
    found: list[Beside] = []
    for one in models:
        same = [place for place, other in enumerate(found) if other.model == one.model]
        if same:
            found[same[0]] = replace(one, serves=one.serves or found[same[0]].serves)
        else:
            found.append(one)
    return tuple(found)


def _settings(params: Params, apart: set[str]) -> dict[str, Any]:
    """Return parameters but for some, with models by their names: terms of a server decide no fit.

    Args:
        params: of a strategy.
        apart: names of files and folders, whose content counts.
    """
    found = params.model_dump(mode="json", exclude=apart)
    for name in found:
        part = found[name]
        if isinstance(part, dict) and "use" in part and isinstance(part.get("model"), dict):
            found[name] = {**part, "model": model_name(part["model"])}
    for name, model in marked(params, FIT_MODEL):
        found[name] = model_name(model)
    return found


@dataclass(frozen=True)
class Built:
    """A strategy with its parameters, as a part of another or by itself."""

    strategy: type[Strategy]
    params: Params
    part: Part
    """As whoever builds it says."""
    model: str | None = None
    """Name of its own model, or of the nearest that builds it and has one; None: the arm's."""
    serves: bool = True
    """Whether it, and all that build it, are asked while the arm serves."""


def with_parts(
    strategy: type[Strategy], params: Params, base: Path, above: Built | None = None, depth: int = 0
) -> Iterator[Built]:
    """Yield a strategy with its parameters, and all that it builds, and that these build.

    Args:
        strategy: the class.
        params: as `resolved_params` gives them.
        base: folder that relative paths start from.
        above: the same as a part; None: it is none.
        depth: how many strategies it is a part of.

    Raises:
        HarnessError: a part cannot be found, or refuses its parameters.
    """
    own = above or Built(strategy, params, Part(strategy.__name__, {}))
    yield own
    for built in _parts(strategy, parts_of(strategy, params), base, depth):
        model = own.model if built.part.model is None else model_name(built.part.model)
        here = replace(built, model=model, serves=own.serves and built.part.serves)
        yield from with_parts(built.strategy, built.params, base, here, depth + 1)


def _parts(
    strategy: type[Strategy], parts: Iterable[Part], base: Path, depth: int
) -> Iterator[Built]:
    if depth > MOST_DEPTH:
        what = f"it builds strategies that build strategies, {depth} deep"
        raise StrategyError(f"{strategy.__name__}: its `parts`: {what} → name none that builds it")
    for part in parts:
        found = find(part.strategy, base)
        try:
            yield Built(found, resolved_params(found, part.params, base), part)
        except ValidationError as problem:
            raise UserError("; ".join(refused(part.strategy, found, problem))) from problem


def refused(use: str, strategy: type[Strategy], problem: ValidationError) -> Iterator[str]:
    """Say of each parameter that a strategy refuses what is wrong with it.

    Args:
        use: what the strategy is called where the parameters are written.
        strategy: whose parameters they are.
        problem: as `resolved_params` raised it.
    """
    for error in each_once(problem.errors()):
        key = ".".join(str(part) for part in error["loc"])
        if error["type"] == "extra_forbidden":
            yield unknown_name(f"parameter of {use}", key, strategy.Params.model_fields)
        elif error["type"] == "value_error":  # a validator's own words
            said = str(error["ctx"]["error"])
            yield f"parameter '{key}' of {use}: {said}" if key else f"{use}: {said}"
        else:
            what, fix = wrong_value(error)
            yield f"parameter '{key}' of {use}: {what}" + (f" → {fix}" if fix else "")


def _folder_sha256(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return sha256_of([[str(file.relative_to(folder)), sha256_of_file(file)] for file in files])
