"""How many answers of an arm say nothing that could be right, by the reader that metrics have.

Knows nothing of scores.
"""

from __future__ import annotations

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.scores import AnswerCounts
from harness.metrics import read_choice
from harness.metrics.objects import read_object


def answer_counts(run: RunData, arm: ArmData) -> AnswerCounts:
    """Count the answers of an arm that finished, over all its seeds; failed ones are left out."""
    task, rows = run.task.info, range(len(run.gold.ids))
    given = [one for seed in arm.predictions for one in seed]
    read = [text for seed in arm.predictions for text in run.items(seed, rows).texts]
    kept = [(one, text) for one, text in zip(given, read, strict=True) if text is not None]
    cut = [one.finish_reason == "length" for one, _ in kept]
    empty = [not text.strip() for _, text in kept]
    unread = invalid = None
    if task.answer_kind == "choice":
        unread = lost = [read_choice(text, task.labels) is None for _, text in kept]
    elif task.answer_kind == "json":
        invalid = lost = [read_object(text) is None for _, text in kept]
    else:
        blank = [False] * len(kept) if task.no_answer == "" else empty
        lost = [ended or nothing for ended, nothing in zip(cut, blank, strict=True)]
    told = any(one.finish_reason is not None for one, _ in kept)
    return AnswerCounts(
        n=len(kept),
        unread=None if unread is None else sum(unread),
        cut=sum(cut) if told else None,
        invalid_json=None if invalid is None else sum(invalid),
        empty=None if task.no_answer == "" else sum(empty),
        lost=sum(lost),
    )
