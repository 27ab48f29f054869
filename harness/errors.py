"""What can go wrong, as a tree.

    HarnessError                 shown to the user without a traceback
    ├── UserError                the user's mistake: exit code 2
    │   ├── TaskError            every fault of a task file or its data, all at once
    │   ├── UnknownNameError     no strategy, metric, model or arm of that name
    │   ├── RunFolderError       a run folder that is locked, foreign, damaged or unfinished
    │   └── ClusterLostError     a cluster that is gone while a run uses it: the run ends
    ├── ModelError               a model that cannot be fetched, loaded or trusted
    │   ├── ModelAbsentError     its files are not on this machine, and were not to be fetched
    │   ├── CacheError           where models and answers are kept between runs cannot be used
    │   └── EndpointError        a hosted model that cannot be asked at all
    └── StrategyError            a strategy that breaks its contract

Anything else is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

MOST_BYTES = 2000
"""Length of one printed fault, in UTF-8: a terminal shows it whole, and no row is printed whole."""
MOST_OF_A_VALUE = 200
"""Characters of a value that a fault quotes."""
MOST_LINES = 50
"""Faults shown at once; nobody reads more."""
EXAMPLES = 5
"""Faults of one kind in one file that are shown; the others are counted."""
MOST_NAMES = 30
"""Known names that are listed where a name is not known."""


class HarnessError(Exception):
    """Base of everything that is reported in words rather than as a traceback."""

    def __str__(self) -> str:
        """Return its words, no line of them longer than `MOST_BYTES`."""
        return "\n".join(shortened(line) for line in super().__str__().split("\n"))


class UserError(HarnessError):
    """The user's mistake: says where, what, and what to write instead."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a task: where it stands, what it is, and what to do."""

    where: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        """Return the one line that a terminal shows: what is too long is cut, but for the fix."""
        remedy = shortened(_on_one_line(f" → {self.fix}"), MOST_BYTES // 4) if self.fix else ""
        room = MOST_BYTES - len(remedy.encode("utf-8", "replace")) - PLACES_ROOM
        return shortened(_on_one_line(f"{self.where}: {self.what}"), room) + remedy


PLACES_ROOM = 200
"""Bytes of a line that are kept for the count and the places of the same fault elsewhere."""


def _on_one_line(text: str) -> str:
    return "\\n".join(text.splitlines())


class TaskError(UserError):
    """All faults of a task, found in one pass: in the order of their files, by line."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(_in_file_order(faults))
        super().__init__("\n".join(_lines(self.faults)))


class _Place(NamedTuple):
    """Where a fault stands, taken apart."""

    file: str
    line: int
    key: str


SHOWN_FILES = 2
"""Further files that are named where the same is wrong in them."""


def _place(fault: Fault) -> _Place:
    match = re.match(r"(.*?):(\d+)(?: (.*))?$", fault.where, re.DOTALL)
    if match is None:
        return _Place(fault.where, 0, "")
    return _Place(match[1], int(match[2]), match[3] or "")


def _in_file_order(faults: Sequence[Fault]) -> list[Fault]:
    """Sort faults by line, with files in the order in which they were first found faulty."""
    places = [_place(fault) for fault in faults]
    ranks = {file: rank for rank, file in enumerate(dict.fromkeys(place.file for place in places))}
    order = sorted(range(len(faults)), key=lambda at: (ranks[places[at].file], places[at].line))
    return [faults[at] for at in order]


def _lines(faults: Sequence[Fault]) -> list[str]:
    """Return what is printed: of each kind a few faults, and how many there are more.

    The same words of many rows, also of several files, are one line with a count and places.
    """
    kinds: dict[tuple[str, ...], dict[tuple[str, str], list[Fault]]] = {}
    for fault in faults:
        file, line, key = _place(fault)
        of_rows = line and not key  # rows of all files are alike; keys are of their file
        part = re.sub(r"(^|\.)\d+$", "", key)
        kind = ("" if of_rows else file, part, _shape(fault.what), _shape(fault.fix))
        kinds.setdefault(kind, {}).setdefault((fault.what, fault.fix), []).append(fault)
    lines: list[str] = []
    for alike in kinds.values():
        groups = list(alike.values())
        for group in groups[:EXAMPLES]:
            places = _places(group[1:], _place(group[0]).file)
            more = f" (and {len(group) - 1} more like it{places})" if len(group) > 1 else ""
            lines.append(f"{group[0]}{more}")
        rest = [fault for group in groups[EXAMPLES:] for fault in group]
        if rest:
            file = _place(rest[0]).file
            lines.append(
                shortened(f"{file}: … and {len(rest)} more like these{_places(rest, file)}")
            )
    surplus = len(lines) - MOST_LINES
    return lines[:MOST_LINES] + ([f"… and {surplus} other faults"] if surplus > 0 else [])


def _shape(words: str) -> str:
    """Return the words of a fault without what they quote of the file: its kind."""
    return re.sub(r"[\"'\[{\d](.*[\"'\]}\d])?", "…", words, flags=re.DOTALL)


def _places(faults: Sequence[Fault], file: str) -> str:
    """Return where faults stand: lines of `file`, and the names of other files."""
    lines = [str(place.line) for place in map(_place, faults) if place.file == file and place.line]
    said = ""
    if lines:
        said = f", line{'s' if len(lines) > 1 else ''} {', '.join(lines[: EXAMPLES - 1])}"
        said += ", …" if len(lines) >= EXAMPLES else ""
    others = dict.fromkeys(place.file for place in map(_place, faults) if place.file != file)
    for other in list(others)[:SHOWN_FILES]:
        n = sum(_place(fault).file == other for fault in faults)
        said += f", {n} in {shortened(Path(other).name, 80)}"
    return said


def shortened(text: str, most: int = MOST_BYTES) -> str:
    """Return `text` in at most `most` bytes of UTF-8, its middle left out where it is longer."""
    if len(text) * 4 <= most or len(text.encode("utf-8", "replace")) <= most:
        return text
    kept = (most - 40) // 8  # characters at each end; none takes more than four bytes
    return f"{text[:kept]} … [{len(text) - 2 * kept} characters left out] … {text[-kept:]}"


def shown(value: Any) -> str:
    """Return a value of a row as JSON writes it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MOST_OF_A_VALUE else f"{text[:MOST_OF_A_VALUE]}…"


class UnknownNameError(UserError):
    """A name that nothing answers to, with the nearest names that something does."""

    def __init__(self, kind: str, name: str, known: Iterable[str], fix: str = ""):
        super().__init__(f"{unknown_name(kind, name, known)}" + (f" → {fix}" if fix else ""))


class RunFolderError(UserError):
    """A run folder that cannot be used as it stands."""


class ClusterLostError(UserError):
    """A cluster that is gone while a run uses it: no arm's fault, so the run ends."""


class ModelError(HarnessError):
    """A model that cannot be fetched, loaded or trusted."""


class ModelAbsentError(ModelError):
    """A model whose files are not on this machine yet, where nothing was to be fetched."""


class CacheError(ModelError):
    """The folder where models and hosted answers are kept between runs cannot be used."""


class EndpointError(ModelError):
    """A hosted model that cannot be asked at all: its server is down, or the key is refused."""


FOR_ALL_ITEMS = (EndpointError, CacheError)
"""Errors that the next item would meet too: asking one at a time is no use, and may cost money."""


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
    return _unknown_name(kind, name, tuple(sorted(known)))


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most likely meant, None where none is near."""
    if len(name) > MOST_OF_A_VALUE:  # comparing would take minutes
        return None
    close = difflib.get_close_matches(name, sorted(known), 1)
    return close[0] if close else None


@lru_cache(maxsize=1024)  # the same name of ten thousand rows is compared once
def _unknown_name(kind: str, name: str, names: tuple[str, ...]) -> str:
    near = nearest_name(name, names)
    hint = "" if near is None else f"did you mean '{near}'? "
    listed = ", ".join(names[:MOST_NAMES]) or "none"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"no {kind} is called '{shortened(name, 500)}'; {hint}known: {listed}{more}"


def is_out_of_memory(problem: BaseException) -> bool:
    """Tell whether an exception says that memory ran out, on the CPU or on a GPU."""
    return isinstance(problem, MemoryError) or (
        isinstance(problem, RuntimeError) and says_out_of_memory(str(problem))
    )


def says_out_of_memory(words: str) -> bool:
    """Tell whether an error's words say that memory ran out."""
    phrases = ("memoryerror", "out of memory", "can't allocate memory", "alloc_failed")
    return any(phrase in words.lower() for phrase in phrases)
