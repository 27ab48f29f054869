"""Whether a local model's answers can be held to the task's schema, and be right.

Knows the schema and the targets; knows nothing of models, since no tokenizer changes the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import ModelError

EXAMINED = 500
"""Test rows whose targets are tried."""
SHOWN_CHARACTERS = 200


def can_be_followed(schema: Mapping[str, Any], targets: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Say how many rows have no target that an answer held to the schema could be.

    Args:
        schema: the task's.
        targets: the accepted answers of each test row.

    Raises:
        ModelError: the schema cannot be followed, or no target can be written under it.
    """
    from harness.lm.inference.json_grammar import unwritable

    rows = targets[:EXAMINED]
    beyond = set(unwritable(schema, [text for row in rows for text in row]))
    lost = [row for row in rows if beyond.issuperset(row)]
    if not lost:
        return
    told = (
        f"{len(lost)} of {len(rows)} test targets can never be answered by a local model, whose"
        " answers hold no other keys than the schema's `properties` name, in the order in which"
        f" they stand there (e.g. {lost[0][0][:SHOWN_CHARACTERS]}) → name every key of the targets"
        " under `properties`"
    )
    if len(lost) == len(rows):
        raise ModelError(told)
    yield told
