"""What was tried when an arm's parameters were chosen: `search.json` beside the fit.

Scores are of validation rows alone. Knows nothing of how candidates were proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from harness.files.atomic import atomic_write
from harness.store.base import Record
from harness.store.checksum import checked, with_checksum
from harness.store.records import Amount, Count

SEARCH = "search.json"
By = Literal["default", "portfolio", "tpe", "random"]
"""Who proposed a trial."""
Ended = Literal["trials", "minutes", "usd", "space"]
"""What ended a search: a limit of its effort, or that nothing was left to try."""


class SearchTrial(Record):
    """One set of parameters that was tried."""

    number: Count
    """In order; 0 is the defaults."""
    changed: dict[str, Any] = Field({})
    """The parameters that are not at their defaults."""
    by: By
    rows: Count = 0
    """Validation rows that it answered."""
    score: float | None = None
    """The task's metric on these; None: it failed, or it was not scored."""
    wall_s: Amount = 0.0
    """In all: preparation, and answers to validation rows."""
    prepared_s: Amount = 0.0
    usd: Amount | None = None
    """What a hosted model charged; None: not known, or none was asked."""
    error: str | None = None
    statistics: tuple[tuple[float, ...], ...] = ()
    """The metric's additive statistics of each row: places and values by turns, zeros left out."""


class SearchRecord(Record):
    """The search of one fit."""

    family: str
    sharing: Count
    """Arms of the family that shared its effort."""
    effort: dict[str, float]
    """The family's, as the task file gave it."""
    most_trials: Count
    """This arm's share; so are the next two."""
    most_s: Amount | None = None
    most_usd: Amount | None = None
    space: dict[str, list[Any]]
    """Parameter to what might be tried: the values, or the ends of a range."""
    sampler: str
    """What proposed trials after the portfolio, in words."""
    row_ids: tuple[str, ...] = ()
    """Of the validation rows, in the order in which they were answered."""
    width: Count = 0
    """Additive statistics of a row."""
    trials: tuple[SearchTrial, ...]
    chosen: Count
    """Number of the trial whose parameters the arm has."""
    lead: float | None = None
    """Of the best over the defaults on all rows, paired; None: the defaults alone were scored."""
    lead_se: float | None = None
    ended: Ended
    why: str
    """How the choice came about, in a sentence."""
    of_seed: int
    """The seed whose fit searched; those after it have its parameters."""

    @model_validator(mode="after")
    def _names_its_choice(self) -> Self:
        if self.chosen not in (one.number for one in self.trials):
            raise ValueError(f"chosen ({self.chosen}) is none of its trials")
        return self

    @property
    def params(self) -> dict[str, Any]:
        """The chosen parameters that are not at their defaults."""
        return next(one.changed for one in self.trials if one.number == self.chosen)

    @property
    def besides_s(self) -> float:
        """Seconds of the search but for the preparation of what was chosen."""
        kept = sum(one.prepared_s for one in self.trials if one.number == self.chosen)
        return sum(one.wall_s for one in self.trials) - kept

    @property
    def complete(self) -> list[SearchTrial]:
        """The trials that answered every row, in order."""
        return [one for one in self.trials if one.rows == len(self.row_ids) and one.rows]


def packed(statistics: NDArray[Any]) -> tuple[tuple[float, ...], ...]:
    """Return statistics [n, k] as records hold them."""
    return tuple(
        tuple(float(x) for place in np.flatnonzero(row) for x in (place, row[place]))
        for row in statistics
    )


def unpacked(rows: Sequence[Sequence[float]], width: int) -> NDArray[np.float64]:
    """Return what `packed` was given, [n, k]."""
    found = np.zeros((len(rows), width))
    for number, row in enumerate(rows):
        found[number, [int(place) for place in row[::2]]] = row[1::2]
    return found


def write_search(folder: Path, record: SearchRecord) -> None:
    """Lay a record into a fit's folder."""
    atomic_write(folder / SEARCH, with_checksum(record.model_dump_json(indent=1)))


def read_search(folder: Path) -> SearchRecord | None:
    """Return the search of a fit's folder; None where there was none, or it is damaged."""
    try:
        return SearchRecord.model_validate(checked((folder / SEARCH).read_bytes()))
    except (OSError, ValueError):
        return None
