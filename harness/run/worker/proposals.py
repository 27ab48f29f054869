"""Proposes which parameters to try next: the defaults, a short portfolio, then Optuna.

The same for the same seed, space and scores. Knows nothing of strategies: what they refuse, it is
told. Without Optuna installed (`pip install 'worth-tuning[search]'`) it draws at random.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from harness.search_space import Dimension, same
from harness.store.search_record import By

PORTFOLIO = 7
"""Trials that each change one parameter, before anything is learnt from scores: TPE itself begins
with ten drawn at random (Optuna's `n_startup_trials`), so few trials are better laid out by hand.
A choice of ours."""
FACTOR = 3.0
"""Below and above its default, what the portfolio tries of a range."""
ATTEMPTS = 200
"""Draws after which nothing new is expected: the rest was tried, or is refused."""
Changed = dict[str, Any]


class Proposal(NamedTuple):
    """A set of parameters to try."""

    by: By
    changed: Changed
    """Those that are not at their defaults."""


class Proposer:
    """Proposes trials, each once.

    Args:
        space: what may be tried.
        seed: decides what is drawn.
        accepts: whether the strategy takes a set of parameters; what it refuses is no trial.
    """

    def __init__(
        self, space: Sequence[Dimension], seed: int, accepts: Callable[[Changed], bool]
    ) -> None:
        self.space = space
        self.accepts = accepts
        self._seen = {_key({})}
        self._portfolio = itertools.islice(
            (one for one in portfolio(space) if self._is_new(one)), PORTFOLIO
        )
        self._further: _Tpe | _Random = (
            _Tpe(space, seed) if importlib.util.find_spec("optuna") else _Random(space, seed)
        )

    @property
    def sampler(self) -> str:
        """What proposes after the portfolio, in words."""
        return self._further.name

    def next(self) -> Proposal | None:
        """Return what to try next; None where nothing new is left."""
        planned = next(self._portfolio, None)
        if planned is not None:
            self._seen.add(_key(planned))
            return Proposal("portfolio", planned)
        for _ in range(ATTEMPTS):
            drawn = self._further.draw()
            if self._is_new(drawn):
                self._seen.add(_key(drawn))
                return Proposal(self._further.by, drawn)
        return None

    def tell(self, changed: Changed, score: float | None) -> None:
        """Say what a set of parameters scored; None: it failed."""
        self._further.tell(changed, score)

    def _is_new(self, changed: Changed) -> bool:
        return _key(changed) not in self._seen and self.accepts(changed)


def portfolio(space: Sequence[Dimension]) -> Iterator[Changed]:
    """Yield changes of one parameter each, of all parameters by turns.

    Of a range, a third of the default and three times it; its ends where these lie outside.
    """
    each = [[{one.name: value} for value in _others(one)] for one in space]
    for turn in itertools.zip_longest(*each):
        yield from (changed for changed in turn if changed is not None)


def _others(dimension: Dimension) -> list[Any]:
    if dimension.values:
        return list(dimension.others)
    around = (dimension.default / FACTOR, dimension.default * FACTOR)
    inside = [_rounded(dimension, min(max(x, dimension.low), dimension.high)) for x in around]
    return [x for x in dict.fromkeys(inside) if x != dimension.default]


def _rounded(dimension: Dimension, value: float) -> float | int:
    """Return a value of a range as people write it: whole, or three digits, inside of it."""
    if dimension.whole:
        return min(max(round(value), math.ceil(dimension.low)), math.floor(dimension.high))
    return min(max(float(f"{value:.3g}"), dimension.low), dimension.high)


def _changes(space: Sequence[Dimension], values: Mapping[str, Any]) -> Changed:
    return {one.name: values[one.name] for one in space if not same(values[one.name], one.default)}


def _key(changed: Changed) -> str:
    return json.dumps(changed, sort_keys=True)


class _Random:
    """Draws evenly from the space."""

    by: By = "random"
    name = "drawn at random (Optuna is not installed: pip install 'worth-tuning[search]')"

    def __init__(self, space: Sequence[Dimension], seed: int) -> None:
        self.space = space
        self.random = random.Random(seed)

    def draw(self) -> Changed:
        """Return values for every parameter."""
        return _changes(self.space, {one.name: self._value(one) for one in self.space})

    def tell(self, changed: Changed, score: float | None) -> None:
        """Learn nothing."""

    def _value(self, one: Dimension) -> Any:
        if one.values:
            return self.random.choice(one.values)
        share = self.random.random()
        return _rounded(one, math.exp(math.log(one.low) + share * math.log(one.high / one.low)))


class _Tpe:
    """Optuna's tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS 24)."""

    by: By = "tpe"

    def __init__(self, space: Sequence[Dimension], seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.name = f"Optuna {optuna.__version__}, TPE"
        self.space = space
        self.kinds: dict[str, Any] = {
            # By place: a value may be a list, which Optuna does not take.
            one.name: optuna.distributions.CategoricalDistribution(range(len(one.values)))
            if one.values
            else optuna.distributions.FloatDistribution(one.low, one.high, log=True)
            for one in space
        }
        sampler = optuna.samplers.TPESampler(seed=seed)
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self._drawn: Any = None

    def draw(self) -> Changed:
        """Return values for every parameter; an earlier draw that nobody scored is dropped."""
        self._drop()
        self._drawn = self.study.ask(self.kinds)
        values = {
            one.name: one.values[drawn] if one.values else _rounded(one, drawn)
            for one in self.space
            for drawn in [self._drawn.params[one.name]]
        }
        return _changes(self.space, values)

    def tell(self, changed: Changed, score: float | None) -> None:
        """Learn what some parameters score; of those that failed, nothing."""
        import optuna

        self._drop()
        if score is None:
            return
        values = {one.name: changed.get(one.name, one.default) for one in self.space}
        placed = {one.name: _place(one, values[one.name]) for one in self.space}
        self.study.add_trial(
            optuna.trial.create_trial(params=placed, distributions=self.kinds, value=score)
        )

    def _drop(self) -> None:
        import optuna

        if self._drawn is not None:
            self.study.tell(self._drawn, state=optuna.trial.TrialState.FAIL)
            self._drawn = None


def _place(dimension: Dimension, value: Any) -> Any:
    if not dimension.values:
        return float(value)
    return next(n for n, one in enumerate(dimension.values) if same(one, value))
