"""What the cost arithmetic starts from: what an arm takes, and what the task says of money.

Knows neither prices' sources nor what the parts of a cost are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

Serving = Literal["busy", "reserved"]
"""How serving is paid, by its key in the task file: pay per use, or machines that are always on."""


class OtherMachine(NamedTuple):
    """A machine of another class than the run's, which measured a part of an arm."""

    usd_per_hour: float | None
    """By the price row that stands for it; None: none does."""


@dataclass(frozen=True)
class Usage:
    """What was measured of an arm, and what it is."""

    arm: str
    fit_s: float
    """Of one training, or indexing, on the whole machine: of one beside others, its share."""
    throughput_per_s: float
    labels_n: int
    """Training and validation rows that it uses."""
    needs_model: bool
    learns: str
    tunes: bool = False
    """Weights of a pretrained model."""
    elsewhere: bool = False
    """Its answers come from a machine that is not ours: our seconds of serving cost nothing."""
    usd_per_request: float | None = None
    """What was charged for an answer; None elsewhere means that money is not known."""
    charged_by: str | None = None
    """Whose charges these are: a hosted model, or the arm itself where its answers are replayed."""
    fit_charged_usd: float | None = 0.0
    """What a hosted model charged for preparing the arm; None: not known."""
    prepared_on: OtherMachine | None = None
    """What `fit_s` was measured on; None: the run's own class of machine."""
    served_on: OtherMachine | None = None
    """What the throughput was measured on; likewise."""
    trainings: int = 1
    """How many times it is trained for each time it is prepared: 1 gives what the method scores on
    average, several the best of them on validation."""
    search_s: float = 0.0
    """What of `fit_s` is choosing parameters: done once for all trainings."""

    @property
    def prepare_s(self) -> float:
        """Seconds of all trainings of one preparation."""
        return self.fit_s + (self.trainings - 1) * (self.fit_s - self.search_s)

    def of_trainings(self, n: int) -> Usage:
        """Return the same for choosing one of so many trainings."""
        return replace(self, trainings=n)


class Volume(NamedTuple):
    """How much is asked."""

    requests: float
    """Over the horizon; 1,000 where no traffic is given."""
    per_month: float
    """0 where no traffic is given."""
    months: float
    """The horizon; 0 where no traffic is given."""


@dataclass(frozen=True)
class Terms:
    """What the task says of money and traffic, and the price that applies."""

    usd_per_hour: float | None
    """Of the run's machine; None: no price row stands for it."""
    traffic: dict[str, Any] | None
    needs: dict[str, Any]
    labour: dict[str, Any]
    paying: Serving | None = None
    """How serving is paid; None: as the traffic says, and per use without traffic."""

    @property
    def months(self) -> float:
        """The horizon; without traffic one preparation and 1,000 requests are compared."""
        return float(self.traffic["months"]) if self.traffic else 0.0

    @property
    def requests(self) -> float:
        """Requests over the horizon."""
        return self.volume.requests

    @property
    def volume(self) -> Volume:
        """The task's own volume."""
        if not self.traffic:
            return Volume(1_000.0, 0.0, 0.0)
        return self.volume_of(float(self.traffic["requests_per_month"]))

    @property
    def reserved(self) -> bool:
        """Whether serving is paid by machines that are always on."""
        by_task = self.traffic["serving"] if self.traffic else "busy"
        return (self.paying or by_task) == "reserved"

    def volume_of(self, requests_per_month: float) -> Volume:
        """Return another volume over the same horizon."""
        return Volume(requests_per_month * self.months, requests_per_month, self.months)

    def at_volume(self, requests_per_month: float) -> Terms:
        """Return the same terms for another traffic."""
        assert self.traffic is not None
        return replace(
            self, traffic={**self.traffic, "requests_per_month": float(requests_per_month)}
        )
