"""A file of answers that a model gave once: how it was asked, then one answer a line.

The first line says who was asked and under which prompt, so that a task whose prompt has changed
is refused. Each other line is a prediction with the hash of the query that it answers. It holds no
key, and no variable's value. Knows nothing of tasks and servers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from harness.errors import UserError
from harness.files.atomic import atomic_write
from harness.files.bounded import MIB, RefusedFileError, read_bounded
from harness.store.base import Record
from harness.types import Prediction

FORMAT = 1
RECORDED = "recorded"
"""Key of the first line, which holds the `Recording`."""
MOST_BYTES = 1024 * MIB
EMPTY = asdict(Prediction(""))


class Recording(Record):
    """Who was asked, how and since when."""

    format: int = FORMAT
    task: str
    arm: str
    model: str
    """As its server calls it."""
    base_url: str | None
    """None: the model ran here."""
    started_on: str
    """ISO 8601: the day of the first answer."""
    prompt_sha256: str
    """Hash of what the task puts to every model: instruction, form of the answer, system turn."""
    arm_sha256: str
    """Hash of what the arm adds: its strategy, parameters, model, and rows that it learnt from."""
    max_new_tokens: int
    """After so many tokens an answer was cut."""


class Recorded(NamedTuple):
    """One answer, and what it answers."""

    prediction: Prediction
    query_sha256: str
    asked_at: str
    """UTC, ISO 8601: when the answer was written down."""

    def line(self, row_id: str) -> str:
        """Return the line of a row's answer; fields of which nothing is known are left out."""
        known = {k: v for k, v in asdict(self.prediction).items() if v != EMPTY[k] or k == "text"}
        more = {"query_sha256": self.query_sha256, "asked_at": self.asked_at}
        return json.dumps({"id": row_id, **known, **more}, ensure_ascii=False)


class RecordedAnswers:
    """A file of recorded answers, which grows by a line an answer and is put in order at the end.

    Args:
        path: of the file; it need not exist.
    """

    def __init__(self, path: Path):
        self.path = path
        self.recording: Recording | None = None
        self.answers: dict[str, Recorded] = {}
        """By the row's id; failed ones too, which have an error."""
        if path.exists():
            self._read()

    def begin(self, recording: Recording) -> None:
        """Lay the file down with what it holds so far, before the first answer is asked for."""
        self.recording = recording
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.settle(())

    def add(self, answers: Mapping[str, Recorded]) -> None:
        """Append answers by their rows' ids: what was paid for is on disk before more is."""
        self.answers.update(answers)
        text = "".join(f"{one.line(row_id)}\n" for row_id, one in answers.items())
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(text)

    def settle(self, order: Iterable[str]) -> None:
        """Write the file anew: each row once, those of `order` first and in their order."""
        assert self.recording is not None
        first = json.dumps({RECORDED: self.recording.model_dump()}, ensure_ascii=False)
        ids = dict.fromkeys((*(i for i in order if i in self.answers), *self.answers))
        lines = (self.answers[row_id].line(row_id) for row_id in ids)
        atomic_write(self.path, "".join(f"{line}\n" for line in (first, *lines)))

    def _read(self) -> None:
        self.recording, rows = read_recorded(self.path)
        if self.recording is None:
            raise UserError(
                f"{self.path} is no file of recorded answers → name another one with --out"
            )
        known = {field.name for field in fields(Prediction)}
        for row in rows:
            given = {key: value for key, value in row.items() if key in known}
            answer = Prediction.from_row(given)
            self.answers[row["id"]] = Recorded(answer, row["query_sha256"], row["asked_at"])


def read_recorded(path: Path) -> tuple[Recording | None, list[dict[str, Any]]]:
    """Return how the answers of a file were asked for, and its lines; None of any other file.

    A last line that was being written when its process was killed is left out.

    Raises:
        UserError: it cannot be read, or is damaged.
    """
    try:
        text = read_bounded(path, MOST_BYTES).decode("utf-8")
    except RefusedFileError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror} → {problem.fix}") from None
    except (UnicodeDecodeError, OSError) as problem:
        raise UserError(f"{path} cannot be read: {problem} → name another file") from None
    first, _, rest = text.partition("\n")
    if not first.startswith(f'{{"{RECORDED}"'):
        return None, []
    try:
        recording = Recording.model_validate(json.loads(first)[RECORDED])
    except (ValueError, KeyError, TypeError, ValidationError) as problem:
        why = str(problem).split("\n")[0]
        raise UserError(
            f"{path}:1: does not say how the answers were asked for ({why})"
            " → take the file away, and record again"
        ) from None
    return recording, list(_rows(path, rest))


def _rows(path: Path, text: str) -> Iterator[dict[str, Any]]:
    lines = text.split("\n")
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            for key in ("id", "text", "query_sha256", "asked_at"):
                if not isinstance(row[key], str):
                    raise TypeError(f"'{key}' is no text")
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            if number == len(lines) + 1:
                return  # killed while it was written
            raise UserError(
                f"{path}:{number}: is no recorded answer ({problem})"
                " → remove the line: its row is asked again"
            ) from None
        yield row
