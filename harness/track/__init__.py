"""Trials told to the trackers where people already look, and a card for each trained artifact.

Knows records and comparisons; runs nothing and decides nothing. A tracker is one file: a class
with the three methods of `Tracker`, named in `TRACKERS`.
"""

from harness.track.model_card import write_cards
from harness.track.tracked_run import TrackedRun
from harness.track.tracker import Tracker

__all__ = ["TrackedRun", "Tracker", "write_cards"]
