"""The prompts of an arm as a report shows them: templates, and each row's slot.

They lie packed on disk (store/prompt_templates.py), and are read when a report is to show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.analysis.damage import ANSWERS
from harness.analysis.schema.examples import PromptPart, PromptSlot, PromptTemplate
from harness.store.predictions_file import each_prompt
from harness.store.prompt_templates import ENDS, LIKE, SLOT, TEMPLATE, packed, unpacked
from harness.store.records import TrialRecord
from harness.store.run_folder import RunFolder


@dataclass(frozen=True)
class ArmPrompts:
    """The prompts of one training of an arm."""

    templates: tuple[PromptTemplate, ...] = ()
    slots: Mapping[str, PromptSlot] = field(default_factory=dict)
    """Row's id to its slot."""


def prompts_of(folder: RunFolder, record: TrialRecord) -> ArmPrompts:
    """Return the prompts of a trial whose answers were read; none where its file went since."""
    path = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / ANSWERS
    try:
        return arm_prompts(each_prompt(path))
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return ArmPrompts()


def arm_prompts(found: Iterable[tuple[str, Any]]) -> ArmPrompts:
    """Return the prompts of answers; those of earlier versions, which stand whole, are packed.

    Args:
        found: id and prompt of each answer, in the order of the file.
    """
    given = [(row_id, value) for row_id, value in found if value is not None]
    if any(not (isinstance(value, Mapping) and TEMPLATE in value) for _, value in given):
        templates: dict[int, Any] = {}
        whole = [unpacked(templates, value) for _, value in given]
        given = [(one[0], value) for one, value in zip(given, packed(whole), strict=True)]
    made: dict[int, tuple[list[int], PromptTemplate]] = {}
    slots = {}
    for row_id, value in given:
        number = value[TEMPLATE]
        if ENDS in value:
            made[number] = _template(value)
        kept = made[number][0]
        slots[row_id] = PromptSlot(template=number, texts=tuple(value[SLOT][at] for at in kept))
    return ArmPrompts(tuple(made[number][1] for number in sorted(made)), slots)


def _template(value: Mapping[str, Any]) -> tuple[list[int], PromptTemplate]:
    """Return which texts of a prompt are shown, and the template of these."""
    roles = _roles(value[LIKE])
    kept = [at for at, role in enumerate(roles) if role is not None]
    parts = (
        PromptPart(role=str(roles[at]), begin=value[ENDS][at][0], end=value[ENDS][at][1])
        for at in kept
    )
    return kept, PromptTemplate(parts=tuple(parts))


def _roles(like: Any) -> list[str | None]:
    """Return who says each text; None: it is no part of what is said."""
    if isinstance(like, str):
        return ["user"]
    if isinstance(like, Mapping):
        if "system" in like:
            return ["system", *_turns(len(like["turns"]))]
        return ["text" if key == "text" else None for key in like]
    return _turns(len(like))


def _turns(n: int) -> list[str | None]:
    return ["assistant" if at % 2 else "user" for at in range(n)]
