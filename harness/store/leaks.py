"""Test rows that stand in what arms may use, as a run keeps it; knows neither arms nor scores."""

from __future__ import annotations

from harness.store.base import Record


class LeakSource(Record):
    """The test rows that stand in one thing that arms may use."""

    source: str
    """ "train", "validation", "documents", "instruction", "file NAME", "parameters of ARM"."""
    exact: tuple[str, ...] = ()
    """Ids of test rows whose input stands there, but for case and punctuation."""
    near: tuple[str, ...] | None = ()
    """Ids of further ones whose input nearly stands there; None: an earlier version did not look,
    for there was too much to compare."""
