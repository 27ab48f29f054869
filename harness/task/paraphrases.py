"""Paraphrases of training rows, from a file that stands before a run begins.

No run asks a model for any: it would cost unasked, and come out otherwise on another machine. They
are written by people, or once by a model (`harness record --paraphrases`). Knows what such a model
is asked for; knows no arms and asks nobody.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from harness.errors import Fault
from harness.files.hashing import sha256_of
from harness.files.yaml_source import Source
from harness.metrics.reading import without_thoughts
from harness.store.finding import Finding
from harness.store.recorded_answers import RECORDED
from harness.task.audit.near_duplicates import nearly_in
from harness.task.columns import absent_from
from harness.task.curve_keys import PARAPHRASE, Augment
from harness.task.rows import Row, as_text, read_rows
from harness.task.same_input import key_of, normalised
from harness.task.training_rows import MADE, kinds_of
from harness.types import Query, Split

FILE = "recorded/paraphrases.jsonl"
"""Where a model's are kept, unless the task names another file."""
COLUMNS = ("id", "text")
KIND = "paraphrases"
SHOWN = 3
"""Rows that a sentence names."""
INSTRUCTION = (
    "Rewrite the text as the first line says. Keep its meaning, its language, and every name,"
    " number, date and code in it. Write the new text alone, without quotation marks or remarks."
)
STYLES = (
    "In other words",
    "Shorter, in other words",
    "More formally",
    "More casually, as in a chat",
    "With another beginning",
    "As somebody in a hurry would write it",
    "More politely",
    "With simpler words",
    "As one sentence",
)
"""What a model is asked for, for the first, the second … paraphrase of a row: answers are greedy,
and the same words would be answered with the same text."""
_MADE_ID = re.compile(rf"(?P<row>.+){MADE}{PARAPHRASE}-(?P<number>[1-9]\d*)", re.DOTALL)


@dataclass(frozen=True)
class Paraphrases:
    """What a task has of them."""

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the id of the training row that they say in other words."""
    findings: tuple[Finding, ...] = ()
    """What is worth knowing of them before a run."""

    @cached_property
    def sha256(self) -> str | None:
        """Hash of all of them; None where there are none."""
        if not self.texts:
            return None
        return sha256_of([[row, *self.texts[row]] for row in sorted(self.texts)])


def wanted_of(row_id: str, augment: Augment) -> int:
    """Return how many paraphrases of a row `augment` takes."""
    return kinds_of(row_id, augment.factor, augment.kinds).count(PARAPHRASE)


def asked_for(row: Query, number: int) -> Query:
    """Return what a model is asked for the paraphrase of a row that has a number, from 1."""
    text = f"{STYLES[(number - 1) % len(STYLES)]}:\n\n{row.text}"
    return Query(f"{row.id}{MADE}{PARAPHRASE}-{number}", text)


def read_paraphrases(
    augment: Augment | None, source: Source, splits: Mapping[str, Split], faults: list[Fault]
) -> Paraphrases:
    """Read a task's paraphrases.

    Args:
        augment: as the task file has it.
        source: where its keys stand.
        splits: the task's rows.
        faults: receives what is wrong.
    """
    if augment is None or PARAPHRASE not in augment.kinds:
        if augment is not None and augment.paraphrases is not None:
            where = source.where(["augment", "paraphrases"])
            faults.append(Fault(where, "no kind of `augment` reads it", "add paraphrase to kinds"))
        return Paraphrases()
    command = f"python -m harness record {source.path} --arm ARM --{KIND}"
    if augment.paraphrases is None:
        what = "paraphrases stand in a file, and none is named"
        fix = f"add paraphrases: {FILE} here, and have a model write it: {command}"
        faults.append(Fault(source.where(["augment"]), what, fix))
        return Paraphrases()
    file = source.path.parent / augment.paraphrases
    if not file.exists():
        what = f"there is no file {augment.paraphrases}"
        fix = f"name one of rows with id and text, or have a model write it: {command}"
        faults.append(Fault(source.where(["augment", "paraphrases"]), what, fix))
        return Paraphrases()
    wrong = len(faults)
    rows = read_rows(file, faults, source.path.parent)
    read = _Read(file, splits)
    for row in rows:
        faults.extend(read.take(row))
    faults.extend(read.strangers())
    if len(faults) > wrong:
        return Paraphrases()
    texts = {row: tuple(read.texts[row]) for row in read.train if row in read.texts}
    return Paraphrases(texts, tuple(read.findings(augment, command)))


class _Read:
    """One file of paraphrases, row by row."""

    def __init__(self, file: Path, splits: Mapping[str, Split]):
        self.file = file
        self.splits = splits
        self.train = {query.id: query for query in splits["train"].queries}
        self.home = {row.query.id: name for name, rows in splits.items() for row in rows}
        self.texts: defaultdict[str, list[str]] = defaultdict(list)
        self.strange: defaultdict[str, list[str]] = defaultdict(list)
        """Ids that are of no training row, by the split that has them or none."""
        self.left_out: Counter[str] = Counter()
        """Why a paraphrase is left out to how many are."""

    def take(self, row: Row) -> Iterator[Fault]:
        """Read a row; yield what is wrong with it."""
        if RECORDED in row.values and "id" not in row.values:
            return  # the first line of a recorded file, which says how it was asked for
        if absent := absent_from(row, COLUMNS):
            yield from absent
            return
        given, text = (as_text(row.values[column]) for column in COLUMNS)
        if given is None or text is None:
            yield Fault(row.where, "`id` and `text` must be texts", "write one text of each")
            return
        row_id, number = self._named(given)
        if row_id not in self.train:
            self.strange[self.home.get(row_id, "")].append(row_id)
            return
        text = without_thoughts(text).strip()
        if why := self._unfit(row_id, text, number, row):
            self.left_out[why] += 1
        else:
            self.texts[row_id].append(text)

    def _named(self, given: str) -> tuple[str, int | None]:
        """Return the row that an id names, or that the id of a made row begins with, and which."""
        made = None if given in self.home else _MADE_ID.fullmatch(given)
        return (given, None) if made is None else (made["row"], int(made["number"]))

    def _unfit(self, row_id: str, text: str, number: int | None, row: Row) -> str | None:
        """Return why a text is no paraphrase to learn from; None where it is one."""
        if row.values.get("error"):
            return "failed"
        if row.values.get("finish_reason") == "length":
            return "were cut"
        if not text:
            return "are empty"
        asked = row.values.get("query_sha256")
        if asked and number and asked_for(self.train[row_id], number).sha256 != asked:
            return "are of rows that have changed since"
        same = normalised(text)
        if same == normalised(self.train[row_id].text):
            return "say the same as their row"
        return "repeat an earlier one" if same in map(normalised, self.texts[row_id]) else None

    def strangers(self) -> Iterator[Fault]:
        """Yield a fault for rows of each split that no arm may learn from, and for unknown ones."""
        for home, ids in self.strange.items():
            n, named = len(ids), _named(ids)
            if home:
                what = (
                    f"{n} of its rows paraphrase rows of {home} ({named}): an arm that learnt from"
                    " them would know what it is asked"
                )
            else:
                what = f"{n} of its ids are of no row of the task ({named})"
            yield Fault(str(self.file), what, "leave these out: paraphrase training rows alone")

    def findings(self, augment: Augment, command: str) -> Iterator[Finding]:
        """Yield what is worth knowing of the paraphrases that are left."""
        name = self.file.name
        wanted = {row: n for row in self.train if (n := wanted_of(row, augment))}
        fewer = [row for row, n in wanted.items() if len(self.texts.get(row, ())) < n]
        if fewer:
            text = (
                f"{name}: {len(fewer)} of {len(wanted)} training rows that `augment` makes"
                f" paraphrases of have too few ({_named(fewer)}); none is made in their place"
            )
            yield Finding.of(KIND, text, fewer, remedy=f"ask for them: {command}")
        if self.left_out:
            why = ", ".join(f"{n} {why}" for why, n in self.left_out.items())
            n = self.left_out.total()
            text = f"{name}: {n} of its paraphrases are left out: {why}"
            yield Finding(kind=KIND, text=text, count=n)
        yield from self._leaks()

    def _leaks(self) -> Iterator[Finding]:
        """Say which paraphrases are, or nearly are, what the test asks."""
        tests = self.splits["test"].queries
        made = [
            replace(self.train[row], id=row, text=text)
            for row, texts in self.texts.items()
            for text in texts
        ]
        known = {key_of(query) for query in tests}
        same = [query.id for query in made if key_of(query) in known]
        others = [query for query in made if key_of(query) not in known]
        for what, ids in (
            ("the same as", same),
            ("nearly the same as", list(_near(others, tests))),
        ):
            if ids:
                text = (
                    f"{self.file.name}: {len(ids)} of {len(made)} paraphrases are {what} a test"
                    f" input ({_named(ids)}): `augment` would seem to help more than it does"
                )
                remedy = "leave these out of the file"
                yield Finding.of(KIND, text, ids, severity="warning", remedy=remedy)


def _near(made: Sequence[Query], tests: Sequence[Query]) -> Iterator[str]:
    numbered = [replace(query, id=str(at)) for at, query in enumerate(made)]
    return (made[int(at)].id for at in nearly_in(numbered, tests))


def _named(ids: Sequence[str]) -> str:
    """Return the first of some ids, and how many there are beside."""
    shown = ", ".join(f"'{row_id}'" for row_id in ids[:SHOWN])
    return f"{shown} and {len(ids) - SHOWN} more" if len(ids) > SHOWN else shown
