"""Nobody who watches a run."""

from __future__ import annotations


class Silent:
    """A `Progress` that says nothing."""

    def start(self, trial, number, total, doing):
        pass

    def tick(self):
        pass

    def end(self, record, reused):
        pass

    def say(self, text):
        pass
