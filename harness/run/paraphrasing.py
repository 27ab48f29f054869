"""Has a model write paraphrases of a task's training rows, as `record` has it answer test rows.

What is asked is a task of its own: its rows are the paraphrases that are wanted, and its only arm
asks the model in one prompt for each. So keys, prices, retries and going on where it stopped are as
`record` has them. Knows nothing of how paraphrases are read (harness/task/paraphrases.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.files.temporary_folder import temporary_folder
from harness.run.record import Request, arm_named, at_server
from harness.task import Task, limited, load_task
from harness.task.curve_keys import PARAPHRASE, Augment
from harness.task.model_spec import Hosted
from harness.task.paraphrases import INSTRUCTION, asked_for, wanted_of

ARM = "paraphrases"
"""The only arm of the task that asks for them."""
ONE_EACH = Augment(factor=2, kinds=[PARAPHRASE])
"""What is written where the task asks for no paraphrases."""


def to_paraphrase(task: Task, request: Request, limit: int | None = None) -> Task:
    """Return the task of writing another one's paraphrases, whose test rows are what is wanted.

    Args:
        task: whose training rows are paraphrased; no other row's text is sent anywhere.
        request: the arm whose model is asked, and where.
        limit: ask for so many alone, a seeded sample; None: for all.

    Raises:
        UnknownNameError: the task has no such arm.
        UserError: the arm has no model, or there are no rows to paraphrase.
    """
    arm = arm_named(task, request.arm)
    model = arm.model
    if model is None:
        others = ", ".join(one.name for one in task.arms if one.model is not None)
        fix = f"name one that has: {others}" if others else "add one, e.g. zero_shot"
        raise UserError(f"the arm '{arm.name}' has no model → {fix}")
    if isinstance(model, Hosted):
        model = at_server(model, request)
    elif request.base_url is not None:
        raise UserError(f"the model of '{arm.name}' runs here → leave --base-url out")
    if not len(task.train):
        raise UserError("there are no training rows to paraphrase → add data.train")
    writing = _written(task)
    [asks] = writing.arms
    writing = replace(
        writing,
        path=task.path,
        prices=task.prices,
        arms=(asks.model_copy(update={"model": model}),),
    )
    return writing if limit is None else limited(writing, limit)


def wanted(task: Task) -> Augment:
    """Return what is written: what the task's `augment` takes, else one of each training row."""
    augment = task.spec.augment
    return augment if augment is not None and PARAPHRASE in augment.kinds else ONE_EACH


def _written(task: Task) -> Task:
    """Write the task of paraphrasing, and load it.

    The texts are its training targets too: they tell how much room their paraphrases need.
    """
    augment = wanted(task)
    rows = [query for query in task.train.queries if query.text.strip()]
    asked = [
        asked_for(query, number + 1)
        for query in rows
        for number in range(wanted_of(query.id, augment))
    ]
    with temporary_folder() as folder:
        _lines(folder / "train.jsonl", ({"input": row.text, "target": row.text} for row in rows))
        _lines(
            folder / "test.jsonl",
            ({"id": query.id, "input": query.text, "target": "none"} for query in asked),
        )
        keys = {
            "name": task.spec.name,
            "instruction": INSTRUCTION,
            "answer": {"kind": "text"},
            "data": {"train": "train.jsonl", "test": "test.jsonl"},
            "metric": "token_f1",
            "chat_template_kwargs": dict(task.spec.chat_template_kwargs),
            "dtype": task.spec.dtype,
            "strategies": [{"use": "zero_shot", "name": ARM}],
        }
        path = folder / "task.yaml"
        path.write_text(json.dumps(keys), encoding="utf-8")
        return load_task(path)


def _lines(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with file.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{json.dumps(row)}\n" for row in rows)
