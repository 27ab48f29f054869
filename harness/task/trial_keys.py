"""The keys that say what a trial may take, and what is looked at when it is over."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.task.spec import PositiveFloat, Spec


class Run(Spec):
    """Limits on a single trial, past which it is stopped and the report gives the reason; how
    many trials are run at once, and where.
    """

    timeout_min: PositiveFloat = 60
    """With `effort`, preparation has as much again for each set of parameters that it tries, or its
    minutes."""
    memory_gib: PositiveFloat | None = None
    """Main memory that a trial may take; null: what is free."""
    parallel: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    """Trials that are prepared at once. What is timed for serving always runs alone. Times of
    preparation beside others are upper bounds, and cost counts the share of the machine. `auto`:
    one for each GPU, or without a GPU one for every 8 cores."""
    on: Annotated[str, Field(min_length=1)] | None = None
    """Where trials are done: `ray://HOST:PORT`, a Ray cluster (extra `ray`); `ray`, one of this
    machine, started for the run; on a machine of a cluster also `auto`. Null: by this machine.
    `parallel` then counts for each node."""
    measure_on: Annotated[str, Field(min_length=1)] | None = None
    """Of a cluster, the nodes on which arms are served and timed, so that their figures can be
    compared: a label (`bench=yes`), or a custom resource (`accelerator_type:A100`). Null: any."""
    shared_folder: Annotated[str, Field(min_length=1)] | None = None
    """A folder that this machine and all nodes of a cluster see under this whole path: what jobs
    need and leave travels through it. Null: through Ray, whose object store artifacts of many GB
    may fill."""


class Diagnostics(Spec):
    """What else the report says of arms besides scores, times and costs; each can be switched off.

    None of it can change an answer or a figure that was measured: what takes a process of its own
    begins after the arm's answers are closed, hashed and timed.
    """

    forgetting: bool = True
    """Of arms that tune a language model: what the model says to a general probe before and after
    (a process an arm, and one for the untuned model)."""
    robustness: bool = True
    """Of the same arms: 50 test rows with typos, other casing, noise and reordered options (a
    process an arm)."""
    calibration: bool = True
    """Of arms that give labels' probabilities: whether these are right as often as they say."""
    overfitting: bool = True
    """Of arms that log their training: rising validation loss under falling training loss."""
    worst_slice: bool = True
    """Of the chosen arm: the slice with the lowest score, among those of at least 10 rows."""
    floors: bool = True
    """Of arms whose strategy names any: whether they are below a cheap one that they cannot be
    below if they work, such as copying the nearest training row (a process a floor; none where an
    arm is the same)."""
