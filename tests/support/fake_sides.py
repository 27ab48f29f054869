"""Sides that answer without having run."""

from __future__ import annotations

from benchmarks import (
    trl_peer,
)
from benchmarks.sides import Side

COMMON = {"ours_s", "peer_s", "ratio", "ours_peak_rss_bytes", "peer_peak_rss_bytes"}


class FakeSides:
    """Answers for sides that never ran."""

    device = "cpu"

    def __init__(self, answers, quick=False, left_s=1000.0):
        self.answers, self.quick, self.asked = answers, quick, []
        self.left_s = lambda: left_s

    def say(self, text):
        pass

    def run(self, function, **arguments):
        self.asked.append((function, arguments))
        answer = self.answers[function]
        answer = answer(**arguments) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        wall_s, values = answer
        peak = 100 if function.__module__ != trl_peer.__name__ else 300
        return Side(wall_s, peak, None, total_s=wall_s + 5, values=values)


# the command
