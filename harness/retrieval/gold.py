"""Which passages hold the answer of a labelled row: by its evidence, or by the answer's words.

Knows nothing of how passages are found or shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.retrieval.chunking import Passage
from harness.types import Example
from harness.wording.word_runs import holds


def is_gold(passage: Passage, row: Example, evidence: Sequence[str] = ()) -> bool:
    """Tell whether a passage is one that a row needs.

    Args:
        passage: any.
        row: a labelled one.
        evidence: ids of the documents that hold its answer. Where there are none, a passage that
            has an accepted answer in its words is right.
    """
    if evidence:
        return not {passage.document_id, *passage.copies}.isdisjoint(evidence)
    return any(holds(passage.headed_text, target) for target in row.targets)


def gold_passage(
    found: Sequence[Passage], row: Example, evidence: Sequence[str] = ()
) -> tuple[Passage, str] | None:
    """Return the passage to show above a row as a demonstration, and the target to show below.

    Args:
        found: what was found for the row, the best first.
        row: a labelled one.
        evidence: ids of the documents that hold its answer.

    Returns:
        The first passage of the evidence that holds an accepted answer in its words, with that
        answer; else the first of the evidence with the row's first answer. Without evidence the
        first of all that holds one; None if there is none such.
    """
    right = [passage for passage in found if not evidence or is_gold(passage, row, evidence)]
    for passage in right:
        for target in row.targets:
            if holds(passage.headed_text, target):
                return passage, target
    return (right[0], row.targets[0]) if evidence and right else None
