"""The keys that a verdict rests on besides scores: limits, needs, traffic and what people cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.task.spec import Fraction, Listed, NonNegativeFloat, PositiveFloat, Spec


class Limits(Spec):
    """Hard limits: an arm that misses one is not feasible."""

    min_score: float | None = None
    """The lowest score by the task's metric: 0.85, not 85."""
    max_p95_ms: PositiveFloat | None = None
    """Latency of one request in milliseconds that 95% of requests may take at the most."""
    max_serve_memory_gib: PositiveFloat | None = None
    """Peak while serving. Of an arm that uses a GPU it is what torch reserves there, whatever main
    memory it takes besides; of an arm that uses none it is main memory."""
    max_fit_memory_gib: PositiveFloat | None = None
    """Peak during preparation (training or indexing), likewise."""
    max_usd_per_1k: NonNegativeFloat | None = None
    """Dollars for 1,000 requests."""


class Needs(Spec):
    """What the product needs besides quality."""

    knowledge_updates_per_month: NonNegativeFloat = 0
    """How often what answers rest on changes; an arm that learnt it is prepared again each time."""
    model_changes_per_year: NonNegativeFloat = 0
    """How often the base model is replaced; tuned arms are tuned again each time."""
    per_user_data: bool = False
    """Whether answers rest on data of the user who asks, which no arm may learn."""
    citations: bool = False
    """Whether answers must name their sources."""
    offline: bool = False
    """Whether nothing may be asked over the network."""
    licence: Annotated[list[str] | None, Listed] = None
    """Licences of which the base model's must be one, as its metadata writes it ("apache-2.0")."""


class Traffic(Spec):
    """How much will be asked, for how long, and how it is served."""

    requests_per_month: PositiveFloat
    """Requests a month."""
    months: PositiveFloat = 12
    """The horizon of all costs."""
    serving: Literal["busy", "reserved"] = "busy"
    """busy: pay per use, by the second; reserved: pay for an always-on machine."""
    utilisation: Fraction = 0.3
    """Share of an always-on machine's capacity that can be used in practice. Must be given with
    `serving: reserved`; with `busy` the always-on figures beside it assume this share."""


class Labour(Spec):
    """What people's work costs. What is not given is not counted, and said so."""

    usd_per_label: NonNegativeFloat | None = None
    """Dollars for labelling one row."""
    usd_per_hour: NonNegativeFloat | None = None
    """Dollars for an hour of work."""
    hours: dict[str, NonNegativeFloat] = Field({})
    """Arm to hours of work that it takes to build and keep."""
