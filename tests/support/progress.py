"""Who watches a run: nobody, or somebody who stops it."""

from __future__ import annotations


class Silent:
    """A `Progress` that says nothing."""

    def start(self, trial, number, total, doing, node=None):
        pass

    def pause(self, trial):
        pass

    def tick(self):
        pass

    def end(self, record, reused):
        pass

    def say(self, text):
        pass


class Impatient(Silent):
    """Somebody who presses Ctrl-C as soon as a part of the work begins."""

    def __init__(self, part):
        self.part = part

    def start(self, trial, number, total, doing, node=None):
        if doing == self.part:
            raise KeyboardInterrupt
