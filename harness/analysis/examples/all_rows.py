"""All test rows by all arms, as the browser of a report reads them: an index, and texts in chunks.

The index holds a few bytes a row and arm, so that ten thousand rows are filtered without their
texts: numbers of labels and scores, packed as base64. What a chunk holds of a row is what
`Policy` lets be shown. Writes no file and no HTML.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.analysis.examples.make import Shop, answer_of, fields_of, passage
from harness.analysis.examples.picked import Pick, cast_of
from harness.analysis.examples.row_table import ArmRows
from harness.analysis.examples.shown import cut
from harness.analysis.schema.examples import ExampleAnswer

IN_ONE_FILE = 500
"""Rows up to which all texts stand in the report itself."""
IN_A_CHUNK = 1000
STEPS = 250
"""Steps of a score or a probability between the lowest and the highest."""
NONE_8, NONE_16 = 255, 65_535
"""Stands for no value."""
PASSAGE_CHARACTERS = 2000
"""Of a document that an answer names; the whole one is in the corpus."""


@dataclass(frozen=True)
class AllRows:
    """What the browser is given."""

    index: dict[str, Any]
    chunks: tuple[dict[str, Any], ...]
    """Texts of `index["size"]` rows each, in order; see `_row`."""

    @property
    def fits_one_file(self) -> bool:
        """Whether there are so few rows that their texts stand in the report itself."""
        return bool(self.index["n"] <= IN_ONE_FILE)


def all_rows(shop: Shop, picks: Sequence[Pick], choice: str | None) -> AllRows | None:
    """Return all rows as the browser reads them; None where none may be shown, or no arm finished.

    Args:
        shop: what they are made of.
        picks: the rows whose texts are shown under `12`.
        choice: the chosen arm.
    """
    if not (shop.policy.rows and shop.table.arms):
        return None
    rows_n = len(shop.table.run.gold.ids)
    size = IN_ONE_FILE if rows_n <= IN_ONE_FILE else IN_A_CHUNK
    picked = {pick.row: pick.rule for pick in picks}
    chunks = [
        _chunk(shop, picked, range(at, min(at + size, rows_n))) for at in range(0, rows_n, size)
    ]
    index = {**_index(shop, choice), "size": size, "picked": [[r, picked[r]] for r in picked]}
    return AllRows(index, tuple(chunks) if any(c["rows"] for c in chunks) else ())


def _index(shop: Shop, choice: str | None) -> dict[str, Any]:
    table, gold = shop.table, shop.table.run.gold
    metric, task = table.metric, table.run.task
    labels = {label: number for number, label in enumerate(task.answer.labels)}
    cast = cast_of(table, choice)
    names = [arm.name for arm in table.arms]
    return {
        "n": len(gold.ids),
        "shown": shop.policy.shown,
        "kind": task.answer.kind,
        "metric": metric.name,
        "binary": metric.binary,
        "low": metric.lowest,
        "high": metric.highest,
        "labels": list(labels),
        "first": names.index(cast.first.name),
        "rival": names.index(cast.rival.name) if cast.rival else None,
        "choice": choice,
        "ids": list(gold.ids),
        "gold": _numbers([labels.get(accepted[0]) for accepted in gold.targets])
        if labels
        else None,
        "several": [row for row, accepted in enumerate(gold.targets) if len(accepted) > 1],
        "slices": [_slice(column, gold.slices) for column in task.slices],
        "arms": [_arm(shop, arm, labels) for arm in table.arms],
    }


def _slice(column: str, slices: Sequence[Any]) -> dict[str, Any]:
    values = [row.get(column) for row in slices]
    known = {
        value: number for number, value in enumerate(sorted({v for v in values if v is not None}))
    }
    return {"column": column, "values": list(known), "of": _numbers([known.get(v) for v in values])}


def _arm(shop: Shop, arm: ArmRows, labels: dict[str, int]) -> dict[str, Any]:
    metric = shop.table.metric
    span = (metric.highest - metric.lowest) or 1.0
    scores = [None if a.score is None else (a.score - metric.lowest) / span for a in arm.answers]
    sures = [_step(answer.sure) for answer in arm.answers]
    known = shop.prompts.get(arm.name)
    return {
        "name": arm.name,
        "tuned": arm.arm.plan.tunes,
        "seed": arm.seed,
        "trainings": len(arm.arm.predictions),
        "score": _bytes([_step(score) for score in scores]),
        "sure": _bytes(sures) if any(s is not None for s in sures) else None,
        "said": _numbers([labels.get(a.label or "") for a in arm.answers]) if labels else None,
        "failed": _rows_of(arm, "failed"),
        "declined": _rows_of(arm, "declined"),
        "prompts": [
            [[part.role, cut(part.begin), cut(part.end)] for part in template.parts]
            for template in (known.templates if known else ())
        ],
    }


def _rows_of(arm: ArmRows, state: str) -> list[int]:
    return [row for row, answer in enumerate(arm.answers) if answer.state == state]


def _step(value: float | None) -> int | None:
    """Return a share as a number of steps; only what is the highest has the highest step."""
    if value is None:
        return None
    step = round(STEPS * min(1.0, max(0.0, value)))
    return min(step, STEPS - 1) if value < 1 - 1e-9 else step


def _bytes(values: Sequence[int | None]) -> str:
    return _packed(values, np.uint8, NONE_8)


def _numbers(values: Sequence[int | None]) -> dict[str, Any]:
    """Return numbers packed, with the bytes that each takes."""
    wide = max((value for value in values if value is not None), default=0) >= NONE_8
    packed = _packed(values, np.uint16, NONE_16) if wide else _packed(values, np.uint8, NONE_8)
    return {"bytes": 2 if wide else 1, "of": packed}


def _packed(values: Sequence[int | None], kind: Any, none: int) -> str:
    held = np.array([none if value is None else value for value in values], dtype=kind)
    return b64encode(held.astype(held.dtype.newbyteorder("<")).tobytes()).decode()


def _chunk(shop: Shop, picked: dict[int, str], rows: range) -> dict[str, Any]:
    """Return the texts of some rows, and the documents that their answers name."""
    found: dict[str, Any] = {}
    named: dict[str, None] = {}
    for row in rows:
        asked = shop.asked(row)
        why = shop.policy.withheld(asked, was_picked=row in picked)
        if asked is None or why is not None:
            continue
        answers = [answer_of(shop, arm, row, open_=True) for arm in shop.table.arms]
        named |= dict.fromkeys(source for answer in answers for source in answer.sources)
        found[str(row)] = {
            "i": cut(asked.text),
            "f": fields_of(asked),
            "t": list(map(cut, shop.table.run.gold.targets[row])),
            "a": [_answer(one, asked.text) for one in answers],
        }
    return {"rows": found, "documents": dict(_documents(shop, list(named)))}


def _answer(answer: ExampleAnswer, asked: str) -> dict[str, Any]:
    """Return an answer without what the index or the row's input says already."""
    found: dict[str, Any] = {}
    if answer.text is not None and answer.text.strip() != answer.label:
        found["x"] = answer.text
    if answer.error is not None:
        found["e"] = answer.error
    if differing := [one for one in answer.fields if not one.same]:
        found["d"] = [[one.path, list(one.wanted), list(one.said)] for one in differing]
    if answer.sources:
        found["s"] = list(answer.sources)
    if answer.right_trainings is not None:
        found["r"] = answer.right_trainings
    if answer.prompt is not None:
        texts = [0 if text == asked else text for text in answer.prompt.texts]
        found["p"] = [answer.prompt.template, texts]
    return found


def _documents(shop: Shop, ids: list[str]) -> Iterator[tuple[str, list[str]]]:
    for document_id in ids:
        found = passage(shop, document_id)
        if found.text is not None:
            yield document_id, [found.title or "", found.text[:PASSAGE_CHARACTERS]]
