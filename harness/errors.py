"""What can go wrong, as a tree.

    HarnessError                 shown to the user without a traceback
    ├── UserError                the user's mistake: exit code 2
    │   ├── TaskError            every fault of a task file or its data, all at once
    │   ├── UnknownNameError     no strategy, metric, model or arm of that name
    │   └── RunFolderError       a run folder that is locked, foreign, damaged or unfinished
    ├── ModelError               a model that cannot be fetched, loaded or trusted
    │   ├── ModelAbsentError     its files are not on this machine, and were not to be fetched
    │   └── EndpointError        a hosted model that cannot be asked at all
    └── StrategyError            a strategy that breaks its contract

Anything else is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class HarnessError(Exception):
    """Base of everything that is reported in words rather than as a traceback."""


class UserError(HarnessError):
    """The user's mistake: says where, what, and what to write instead."""


MOST_LINES = 50
"""Faults shown at once; nobody reads more."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a task: where it stands, what it is, and what to do."""

    where: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        """Return the fault as the one line a terminal shows."""
        line = f"{self.where}: {self.what}" + (f" → {self.fix}" if self.fix else "")
        return "\\n".join(line.splitlines())


class TaskError(UserError):
    """All faults of a task, found in one pass."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("\n".join(_lines(self.faults)))


def _lines(faults: Sequence[Fault]) -> list[str]:
    """Return one line a fault; the same fault of many rows of a file is one line with a count."""
    alike: dict[tuple[str, str, str], list[Fault]] = {}
    for fault in faults:
        file = re.sub(r":\d+$", "", fault.where)
        alike.setdefault((file, fault.what, fault.fix), []).append(fault)
    lines = [
        f"{group[0]}" + (f" (and {len(group) - 1} more like it)" if len(group) > 1 else "")
        for group in alike.values()
    ]
    surplus = len(lines) - MOST_LINES
    return lines[:MOST_LINES] + ([f"… and {surplus} other faults"] if surplus > 0 else [])


class UnknownNameError(UserError):
    """A name that nothing answers to, with the nearest names that something does."""

    def __init__(self, kind: str, name: str, known: Iterable[str], fix: str = ""):
        super().__init__(f"{unknown_name(kind, name, known)}" + (f" → {fix}" if fix else ""))


class RunFolderError(UserError):
    """A run folder that cannot be used as it stands."""


class ModelError(HarnessError):
    """A model that cannot be fetched, loaded or trusted."""


class ModelAbsentError(ModelError):
    """A model whose files are not on this machine yet, where nothing was to be fetched."""


class EndpointError(ModelError):
    """A hosted model that cannot be asked at all: its server is down, or the key is refused."""


class StrategyError(HarnessError):
    """A strategy that breaks its contract (wrong number of predictions, wrong type, …)."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is no `kind`, with the closest known names first.

    Args:
        kind: what the name should be, e.g. "strategy".
        name: the name as the user wrote it.
        known: every name there is.

    Returns:
        One sentence, without a full stop at its end.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"no {kind} is called '{name}'; {hint}known: {', '.join(names) or 'none'}"


def is_out_of_memory(problem: BaseException) -> bool:
    """Tell whether an exception says that memory ran out, on the CPU or on a GPU."""
    return isinstance(problem, MemoryError) or (
        isinstance(problem, RuntimeError) and says_out_of_memory(str(problem))
    )


def says_out_of_memory(words: str) -> bool:
    """Tell whether an error's words say that memory ran out."""
    phrases = ("memoryerror", "out of memory", "can't allocate memory", "alloc_failed")
    return any(phrase in words.lower() for phrase in phrases)
