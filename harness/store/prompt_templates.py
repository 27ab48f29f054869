"""Prompts of many answers kept as what they share, once, and what each has of its own.

The prompts of an arm differ in the input and, with passages or chosen examples, in little else:
ten thousand of them took 178 MB of repeats. Those of one shape (a text, so many turns) make one
template: for each of its texts the longest beginning and the longest end that all of them share.
What stands between is a prompt's slot. Knows nothing of files and of how a prompt is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.types import Prompt, read_prompt
from harness.types.prompts import prompt_value

TEMPLATE, SLOT, ENDS, LIKE = "template", "slot", "ends", "like"
"""Keys of a packed prompt: the number of its template, and its own texts. The first of a template
holds the template too: the beginning and the end of each text, and what the prompt looks like."""
Ends = list[list[str]]
"""Of each text of a prompt, in order, its beginning and its end."""
Templates = dict[int, tuple[Ends, Any]]
"""By their numbers, as far as they were met: ends and look."""


def packed(prompts: Sequence[Prompt | None]) -> list[Any]:
    """Return each prompt as a value of JSON, for `unpacked` in the same order; None stays None.

    Args:
        prompts: one an answer.
    """
    values = [prompt_value(prompt) for prompt in prompts]
    shapes: dict[Any, list[int]] = {}
    for at, value in enumerate(values):
        if value is not None:
            shapes.setdefault(_shape(value), []).append(at)
    found: list[Any] = [None] * len(values)
    for number, members in enumerate(shapes.values()):
        texts = [_texts(values[at]) for at in members]
        ends = [_shared(column) for column in zip(*texts, strict=True)]
        for at, own in zip(members, texts, strict=True):
            found[at] = {TEMPLATE: number, SLOT: _slot(own, ends)}
        like = _filled(values[members[0]], iter([""] * len(ends)))
        found[members[0]] |= {ENDS: ends, LIKE: like}
    return found


def unpacked(templates: Templates, value: Any) -> Prompt | None:
    """Return the prompt that a value of JSON holds, packed or, in earlier versions, as it is.

    Args:
        templates: those that were met in this file; one that is met now is added.
        value: of one answer.

    Raises:
        ValueError: there is no such template, or the slot does not fit it.
    """
    if not (isinstance(value, Mapping) and TEMPLATE in value):
        return None if value is None else read_prompt(value)
    number = value[TEMPLATE]
    if ENDS in value:
        templates[number] = value[ENDS], value[LIKE]
    if number not in templates:
        raise ValueError(f"there is no template {number}")
    ends, like = templates[number]
    texts = [f"{begin}{own}{end}" for (begin, end), own in zip(ends, value[SLOT], strict=True)]
    return read_prompt(_filled(like, iter(texts)))


def _shape(value: Any) -> Any:
    """Return what two prompts have in common that differ in their texts alone."""
    if isinstance(value, Mapping):
        return tuple((key, _shape(part)) for key, part in value.items())
    return "text" if isinstance(value, str) else len(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
    return [text for part in parts for text in _texts(part)]


def _filled(value: Any, texts: Any) -> Any:
    """Return a value with these texts in the places of its own."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, Mapping):
        return {key: _filled(part, texts) for key, part in value.items()}
    return [_filled(part, texts) for part in value]


def _shared(texts: Sequence[str]) -> list[str]:
    """Return the longest beginning and the longest end of all texts; they do not overlap in any.

    Texts that are all the same are all beginning.
    """
    begin = _beginning(texts)
    rests = [text[len(begin) :][::-1] for text in texts]
    return [begin, _beginning(rests)[::-1]]


def _beginning(texts: Sequence[str]) -> str:
    """Return what all texts begin with: what the first and the last of them in order do."""
    first, last = min(texts), max(texts)
    unlike = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(unlike, len(first))]


def _slot(texts: Sequence[str], ends: Ends) -> list[str]:
    return [
        text[len(begin) : len(text) - len(end)]
        for text, (begin, end) in zip(texts, ends, strict=True)
    ]
