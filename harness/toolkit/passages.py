"""Passages beside a question: found, put in order, and copied from.

What the arms that answer from documents share, whether they are prompted or tuned. Knows nothing of
how a prompt is worded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness import retrieval
from harness.errors import StrategyError
from harness.lm.model import Spans
from harness.retrieval.params import Weight
from harness.search_space import search
from harness.strategy import Candidates
from harness.toolkit.selection import demonstrations
from harness.types import Context, Example, TaskInfo
from harness.wording.word_runs import holds, lines

Order = Literal["auto", "best_first", "best_last"]
LAST_FROM = 3
"""Passages from which `order: auto` shows the best last: a small model heeds what stands next to
the question most."""
COPIED = 0.8
"""Share of training targets in a passage's words from which `extract: auto` copies: a target in
other words could no longer be given."""
GUESSED = 10
"""Passages found for a row without evidence among which its own is looked for: further down, a
short answer stands in many that have nothing to do with it."""
FOUND = 100
"""Likewise for a row with evidence."""

Gold = tuple[str, str]
"""A passage's text and the answer that it holds."""


class PassageParams(retrieval.RetrievalParams):
    """Retrieval's, and how passages are shown and answered from."""

    meaning_weight: Candidates[Weight] = Field(list(retrieval.WEIGHTS))
    """As retrieval's, of several; chosen on the labelled rows that the arm uses anyway."""
    order: Order = "auto"
    """Of the passages above a question; auto: the best last where there are three or more."""
    extract: Literal["auto", "on", "off"] = Field("auto", json_schema_extra=search(["auto", "off"]))
    """Whether answers are copied from the passages, word for word. auto: where at least 80% of the
    training targets stand in a passage. Texts only, and no server of a hosted model can be held to
    it."""


def open_search(
    context: Context,
    params: PassageParams,
    rows: Sequence[Example],
    depths: Sequence[int],
    folder: Path,
) -> retrieval.Retriever:
    """Index the documents, choose the weight of meaning, and save both.

    Args:
        context: of the arm.
        params: its own.
        rows: labelled rows that it uses anyway; none where it uses none.
        depths: numbers of passages that may be shown.
        folder: where the index is saved.
    """
    retriever = retrieval.Retriever.build(
        context.documents, params, context.device, context.note, context.log
    )
    telling = [row for row in rows if _tells_its_passage(context, row)]
    drawn = demonstrations(telling, retrieval.MOST_ROWS, context.seed)
    retrieval.choose_meaning_weight(retriever, drawn, context.evidence, depths, context.note)
    retriever.save(folder)
    return retriever


def _tells_its_passage(context: Context, row: Example) -> bool:
    """Tell whether a right passage can be told for a row: by evidence, or by a text's words.

    A label's name says nothing of where it comes from, and neither does a missing answer.
    """
    task = context.task
    is_text = task.answer_kind == "text" and task.no_answer not in row.targets
    return is_text or row.query.id in context.evidence


def gold_of(
    context: Context, retriever: retrieval.Retriever, rows: Sequence[Example]
) -> list[Gold | None]:
    """Return the passage that holds each row's answer, with that answer; None if none was found.

    A row that has no answer stands under what was found first: that is how such questions look.
    Answers that are no texts have their passage from the evidence alone.

    Args:
        context: says which documents are the rows' evidence.
        retriever: finds passages; its reranker is not asked.
        rows: labelled ones.
    """
    found = retriever.search([row.query for row in rows], FOUND, rerank=False)
    golds: list[Gold | None] = []
    for row, hits in zip(rows, found, strict=True):
        evidence, nothing = context.evidence.get(row.query.id, ()), context.task.no_answer
        if nothing is not None and nothing in row.targets:
            golds.append((hits[0].passage.headed_text, nothing) if hits else None)
            continue
        if not _tells_its_passage(context, row):
            golds.append(None)
            continue
        passages = [hit.passage for hit in hits][: FOUND if evidence else GUESSED]
        gold = retrieval.gold_passage(passages, row, evidence)
        golds.append(None if gold is None else (gold[0].headed_text, gold[1]))
    return golds


def copies(
    context: Context, params: PassageParams, rows: Sequence[Example], golds: Sequence[Gold | None]
) -> bool:
    """Tell whether answers are to be copied from the passages, and note why.

    Args:
        context: of the arm.
        params: its own.
        rows: labelled ones.
        golds: as `gold_of` gives them for these.

    Raises:
        StrategyError: it is asked for, and answers are no texts.
    """
    task = context.task
    if params.extract == "off":
        return False
    if task.answer_kind != "text":
        if params.extract == "on":
            what = f"extract: on copies texts, and answers are of kind {task.answer_kind}"
            raise StrategyError(f"{what} → write extract: auto")
        return False
    if params.extract == "on":
        return True
    if context.model is not None and context.model.hosted is not None:
        context.note("extract", "answers are free: a hosted model cannot be held to the passages")
        return False
    stands = [
        gold is not None and holds(*gold)
        for row, gold in zip(rows, golds, strict=True)
        if task.no_answer not in row.targets
    ]
    if not stands:
        return False
    share = sum(stands) / len(stands)
    copied = "copied from the passages" if share >= COPIED else "free"
    text = f"{share:.0%} of {len(stands)} targets stand in a passage found for them"
    context.note("extract", f"answers are {copied}: {text}")
    return share >= COPIED


def in_order(texts: Sequence[str], order: Order) -> list[str]:
    """Return passages, given the best first, as they are to stand above a question."""
    last = order == "best_last" or (order == "auto" and len(texts) >= LAST_FROM)
    return list(reversed(texts)) if last else list(texts)


def spans_of(task: TaskInfo, texts: Sequence[str]) -> Spans | None:
    """Return what an answer copied from these passages may be; None if they hold no words.

    Saying that there is no answer is always possible, where the task has a sentence for it.
    """
    if not any(True for text in texts for _ in lines(text)):
        return None
    return Spans(tuple(texts), () if task.no_answer is None else (task.no_answer,))
