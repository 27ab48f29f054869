"""Single test rows as a report shows them: what was asked, what is right, what each arm said.

A text that the task does not let be shown (`report.examples`, `data.groups`) is None.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.analysis.schema import Conclusion

Shown = Literal["none", "ids", 12, "all"]
"""The values of `report.examples`, see `harness/task/report_keys.py`."""


class FieldDiff(Conclusion):
    """One field of a JSON answer beside the right one."""

    path: str
    """ "address.city", "items[]"."""
    wanted: tuple[str, ...] = ()
    """The right values, as JSON writes them; several where the path leads through a list."""
    said: tuple[str, ...] = ()
    """The answered values, likewise."""
    same: bool
    """Whether the two are the same."""


class Passage(Conclusion):
    """A document that answers rest on."""

    id: str
    """Its id."""
    title: str | None = None
    """Its title, if it has one."""
    text: str | None = None
    """What it says."""


class PromptPart(Conclusion):
    """One text of a prompt: what all rows' prompts begin and end with there."""

    role: str
    """system, user, assistant, or text: one that a model goes on with."""
    begin: str
    """What all begin with."""
    end: str
    """What all end with."""


class PromptTemplate(Conclusion):
    """What the prompts of an arm have in common; a row's slot fills it."""

    parts: tuple[PromptPart, ...]
    """In their order."""


class PromptSlot(Conclusion):
    """What a row's prompt has of its own."""

    template: int
    """Number among the arm's templates."""
    texts: tuple[str, ...]
    """One a part."""


class ExampleAnswer(Conclusion):
    """What one arm answered to a row; of several trainings, the one that is shipped."""

    strategy: str
    """The arm's name."""
    state: Literal["ok", "failed", "declined"]
    """ok; failed: there is none; declined: it says that there is none."""
    score: float | None = None
    """What the row is worth by `Examples.metric`; None: it does not count."""
    right: bool
    """Worth the highest score there is."""
    right_trainings: int | None = None
    """Of how many trainings the answer is right; None: there is one."""
    label: str | None = None
    """What was read of it, for choices."""
    sure: float | None = None
    """The probability of that label."""
    text: str | None = None
    """As it was given."""
    error: str | None = None
    """Why there is none."""
    fields: tuple[FieldDiff, ...] = ()
    """For JSON answers that can be read."""
    sources: tuple[str, ...] = ()
    """Ids of the documents that it names; they stand in `Examples.passages`."""
    prompt: PromptSlot | None = None
    """None: none was put, or none is shown."""


class Example(Conclusion):
    """One test row."""

    item: str
    """Its id."""
    rule: str
    """Why it was picked."""
    input: str | None = None
    """What was asked."""
    fields: dict[str, str] = Field({})
    """The visible fields, as a model reads them."""
    targets: tuple[str, ...] | None = None
    """The right answers."""
    slices: dict[str, str] = Field({})
    """Column to value, of the columns of `data.slices`."""
    withheld: str | None = None
    """Why its texts are not shown; None: they are."""
    answers: tuple[ExampleAnswer, ...] = ()
    """One an arm."""


class Examples(Conclusion):
    """Rows that were picked by rule, and what is needed to show them."""

    shown: Shown
    """As `report.examples` has it."""
    metric: str
    """What single rows are scored by: accuracy where the task's metric weighs labels alike."""
    rows_n: int
    """Test rows there are."""
    picked: tuple[Example, ...] = ()
    """In the order of the rules."""
    passages: tuple[Passage, ...] = ()
    """The documents that answers of these rows name."""
    prompts: dict[str, tuple[PromptTemplate, ...]] = Field({})
    """Arm to the templates of its prompts."""
    lacks: str | None = None
    """Why there are no texts at all, if so."""
