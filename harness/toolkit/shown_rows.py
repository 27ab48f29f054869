"""Rows that are shown as demonstrations, each under the passage that holds its answer.

A demonstration under a passage without its answer teaches to answer from nowhere. And a long answer
teaches to write long ones, where most are short. Knows nothing of prompts' words or models.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from harness.retrieval import Embedder, NearestNeighbours, count_words
from harness.toolkit.passages import Gold
from harness.toolkit.prompts import Shown
from harness.toolkit.selection import demonstrations
from harness.types import Context, Example, Query, Split

LONG = 0.75
"""Targets longer than this share of all are not shown."""


@dataclass(frozen=True)
class ShownRows:
    """Rows to show: the same for every query, or for each those nearest to it."""

    rows: tuple[Shown, ...]
    """Those that are drawn; or all that may be shown."""
    near: NearestNeighbours | None = None
    """Finds among them; None: all are shown to every query."""

    def of(self, queries: Sequence[Query], most: int) -> list[list[Shown]]:
        """Return the demonstrations for each query, the most telling last."""
        if self.near is None:
            # While an arm is calibrated, a row may be asked that is shown.
            return [[row for row in self.rows[:most] if row.query != query] for query in queries]
        known = {row.query.id: row for row in self.rows}
        return [
            [known[row.query.id] for row, _ in reversed(found)]
            for found in self.near.search(queries, most)
        ]

    def save(self, folder: Path) -> None:
        """Write the rows into a folder, and what finds among them."""
        folder.mkdir(exist_ok=True)
        with (folder / "shown.jsonl").open("w", encoding="utf-8") as stream:
            for row in self.rows:
                kept = {"id": row.query.id, "text": row.query.text, "fields": row.query.fields}
                line = {"query": kept, "passages": row.passages, "target": row.target}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        if self.near is not None:
            self.near.save(folder / "rows")

    @classmethod
    def load(cls, folder: Path, embedder: Embedder) -> ShownRows:
        """Read what was saved."""
        with (folder / "shown.jsonl").open(encoding="utf-8") as stream:
            lines = [json.loads(line) for line in stream]
        rows = tuple(
            Shown(Query.from_row(row["query"]), tuple(row["passages"]), row["target"])
            for row in lines
        )
        nearest = folder / "rows"
        near = NearestNeighbours.load(nearest, embedder) if nearest.is_dir() else None
        return cls(rows, near)


def shown_rows(
    context: Context,
    train: Split,
    golds: Sequence[Gold | None],
    shots: int,
    embedder: Embedder | None,
) -> ShownRows:
    """Return rows to show, each under its gold passage.

    Rows that only some askers may see are left out, and so are long answers and rows without a gold
    passage, unless too few are left: then others are shown too, without a passage.

    Args:
        context: gives the seed; is told where gold passages lack.
        train: the training rows.
        golds: the passage and the answer to show with each.
        shots: how many demonstrations a prompt has.
        embedder: finds the nearest rows; None: they are drawn.
    """
    pairs = [(row, gold) for row, gold in zip(train, golds, strict=True) if not row.query.groups]
    most = _longest([row.targets[0] for row, _ in pairs])
    rows = [
        Shown(row.query, (gold[0],), gold[1])
        for row, gold in pairs
        if gold is not None and (count_words(gold[1]) <= most or gold[1] == context.task.no_answer)
    ]
    if len(rows) < min(shots, len(pairs)):
        if context.task.answer_kind == "text":
            what = f"{len(rows)} of {len(pairs)} training rows have a short answer in a passage"
            context.note("shots", f"{what}: others are shown too, without a passage")
        known = {row.query.id for row in rows}
        rest = [row for row, _ in pairs if row.query.id not in known]
        rows += [Shown(row.query, (), row.targets[0]) for row in rest]
    examples = [Example(row.query, (row.target or "",)) for row in rows]
    if embedder is not None and examples:
        return ShownRows(tuple(rows), NearestNeighbours.build(examples, embedder))
    known_rows = {row.query.id: row for row in rows}
    drawn = demonstrations(examples, shots, context.seed)
    return ShownRows(tuple(known_rows[row.query.id] for row in drawn))


def _longest(targets: Sequence[str]) -> int:
    """Return the most words of a target that is shown."""
    lengths = sorted(map(count_words, targets))
    return lengths[ceil(LONG * len(lengths)) - 1] if lengths else 0
