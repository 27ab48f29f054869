"""What a strategy says of itself with certain parameters, held to the contract.

Each word of it is somebody else's code: what it raises is an error with the place, and what it
returns is of the kind that `harness/strategy.py` promises, or refused. Knows neither parts' own
words nor sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from numbers import Real
from typing import Any, get_args

from harness.errors import StrategyError
from harness.files.guarded import guarded, shown_safely
from harness.strategy import OFFERS, Floor, Params, Part, Strategy
from harness.types import AnswerKind
from harness.workload import Estimate, Prospect, Work

NEEDS = frozenset(["train", "validation", "corpus", "model", "states", "weights", "four_bits"])
"""As `Strategy.needs` explains them."""
LEARNS = ("nothing", "index", "weights")
ANSWERS = frozenset(get_args(AnswerKind))


@dataclass(frozen=True)
class Declared:
    """A strategy's own words, its parts' left out."""

    needs: frozenset[str]
    learns: str
    answers: frozenset[str]
    provides: frozenset[str]
    replays: bool
    is_random: bool
    refits: bool
    complexity: int
    fit_usd: float
    models: tuple[str, ...]
    parts: tuple[Part, ...]


def declared(strategy: type[Strategy], params: Params) -> Declared:
    """Ask a strategy what it is with these parameters.

    Raises:
        StrategyError: it failed to say, or said what the contract does not know.
    """
    ask = _Asked(strategy, params)
    needs = ask.names("needs", lambda: strategy.needs(params), NEEDS)
    learns = ask("learns", lambda: strategy.learns)
    if learns not in LEARNS:
        raise ask.wrong("learns", learns, f"one of {', '.join(LEARNS)}")
    complexity = ask("complexity", lambda: strategy.complexity)
    if not isinstance(complexity, int) or complexity < 0:
        raise ask.wrong("complexity", complexity, "a whole number from 0 (a rule) to 5")
    return Declared(
        needs,
        learns,
        ask.names("answers", lambda: strategy.answers, ANSWERS),
        ask.names("provides", lambda: strategy.provides, frozenset(OFFERS)),
        bool(ask("replays", lambda: bool(strategy.replays))),
        bool(ask("is_random", lambda: bool(strategy.is_random(params)))),
        bool(ask("refits", lambda: bool(strategy.refits(params)))),
        int(complexity),
        ask.fit_usd(),
        ask.models(),
        parts_of(strategy, params),
    )


def parts_of(strategy: type[Strategy], params: Params) -> tuple[Part, ...]:
    """Return the strategies that one builds, each with its parameters.

    Raises:
        StrategyError: it failed to say, or said something else than parts.
    """
    ask = _Asked(strategy, params)
    said = ask("parts", lambda: tuple(strategy.parts(params)))
    return tuple(_part(ask, one) for one in said)


def _part(ask: _Asked, said: Any) -> Part:
    """Return a part, which may be said as (name, parameters)."""
    pair = isinstance(said, tuple) and len(said) == 2
    part = Part(*said) if pair else said
    if not isinstance(part, Part) or not isinstance(part.strategy, str):
        raise ask.wrong("parts", said, "(a strategy's name, its parameters by name) for each")
    if not isinstance(part.params, Mapping) or not isinstance(part.model, str | Mapping | None):
        raise ask.wrong("parts", said, "(a strategy's name, its parameters by name) for each")
    return replace(part, params=dict(part.params))


def estimate(strategy: type[Strategy], params: Params, prospect: Prospect) -> Estimate:
    """Return a strategy's own forecast.

    Raises:
        StrategyError: it failed, or returned no `Estimate` of finite figures and known work.
    """
    with guarded("its estimate failed"):
        found = strategy.estimate(params, prospect)
        figures = (found.fit_peak_bytes, found.predict_peak_bytes, found.fit_wall_s)
        works = (*(found.fit or ()), *(found.serve or ()))
        right = isinstance(found, Estimate) and all(isinstance(work, Work) for work in works)
        if right and all(one is None or _is_amount(one) for one in figures):
            return found
    raise StrategyError(
        f"its estimate failed: it returned {shown_safely(found)}"
        " → return an Estimate: works of harness.workload, or figures of 0 or more"
    )


def floors(strategy: type[Strategy], params: Params) -> tuple[Floor, ...]:
    """Return the floors that a strategy names.

    Raises:
        StrategyError: it failed, or named something else.
    """
    with guarded("its floors failed"):
        found = tuple(strategy.floors(params))
        if all(isinstance(floor, Floor) for floor in found):
            return found
    raise StrategyError(f"its floors failed: {shown_safely(found)} → return a tuple of Floor")


def _is_amount(value: object) -> bool:
    """Tell whether a value is a finite number from 0."""
    return isinstance(value, Real) and isfinite(value) and value >= 0  # type: ignore[operator]


class _Asked:
    """One strategy that is asked with certain parameters."""

    def __init__(self, strategy: type[Strategy], params: Params):
        self.strategy = strategy
        self.params = params
        self.name = str(getattr(strategy, "__name__", "a strategy"))

    def __call__(self, word: str, say: Callable[[], Any]) -> Any:
        """Return what it says, whatever that is."""
        with guarded(f"{self.name}: its `{word}` failed"):
            return say()

    def names(self, word: str, say: Callable[[], Iterable[Any]], known: frozenset[str]) -> Any:
        """Return a set of names that it gives."""
        found = self(word, say)
        if isinstance(found, set | frozenset | list | tuple):
            odd = [one for one in found if not isinstance(one, str) or one not in known]
            if not odd:
                return frozenset(found)
        raise self.wrong(word, found, f"a frozenset of {', '.join(sorted(known))}")

    def fit_usd(self) -> float:
        """Return what making it cost."""
        found = self("fit_usd", lambda: self.strategy.fit_usd(self.params))
        if _is_amount(found):
            return float(found)
        raise self.wrong("fit_usd", found, "dollars, 0 or more")

    def models(self) -> tuple[str, ...]:
        """Return the models that it names beside the arm's own."""
        found = self("models", lambda: self.strategy.models(self.params))
        if isinstance(found, tuple | list) and all(isinstance(one, str) for one in found):
            return tuple(found)
        raise self.wrong("models", found, "a tuple of models' names")

    def wrong(self, word: str, found: Any, right: str) -> StrategyError:
        """Return the error that says what it must say instead."""
        shown = shown_safely(found)  # of anything: its `repr` may fail, or be endless
        return StrategyError(f"{self.name}: its `{word}` is {shown} → return {right}")
