"""The keys under `split`: how the rows of `data.all` come into train, validation and test."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.task.spec import Column, Fraction, Listed, Seed, Spec

SplitValueList = Annotated[list[str], Listed]


class SplitValues(Spec):
    """Which values of the column `split.column` mean which split: one, or a list of them.

    They are what the file writes: 1, 01 and true need no quotes.
    """

    train: SplitValueList = Field([])
    """Rows with these are train."""
    validation: SplitValueList = Field([])
    """Rows with these are validation."""
    test: SplitValueList = Field([])
    """Rows with these are test."""
    left_out: SplitValueList = Field([])
    """Rows with these are in no split."""


class SplitSpec(Spec):
    """How `data.all` is cut: by shares, by a column, or by time.

    By shares it depends on the inputs alone, not on the order of rows. Where `data.cluster` is
    given, a cluster stays whole.
    """

    test: Fraction = 0.3
    """Share of the rows that are test rows."""
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """0: no validation rows."""
    seed: Seed = 0
    """Another one cuts the same rows otherwise."""
    column: Column | None = None
    """Column that names each row's split: train or training; dev, val, valid or validation; test,
    eval or evaluation, in any case; or what `values` says. It takes the place of shares."""
    values: SplitValues | None = None
    """What the values of that column mean, e.g. {train: [a, b], test: c}."""
    time: Column | None = None
    """Column of times (ISO 8601, or seconds since 1970): the newest rows are test, the newest of
    the others validation. Rows of the same time stay together, and so does a cluster, by its newest
    row."""
    frozen: str | None = None
    """A JSON file of ids beside the task file: the first `run` writes it, and from then on it says
    which row is in which split, whatever rows are added. New rows are train; those that belong to a
    test or validation row are left out. To cut anew, remove it."""
