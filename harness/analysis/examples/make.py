"""Makes of picked rows what a report shows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.analysis.examples.field_diff import field_diff
from harness.analysis.examples.picked import Pick
from harness.analysis.examples.prompts import ArmPrompts
from harness.analysis.examples.row_table import Answered, ArmRows, RowTable
from harness.analysis.examples.shown import NOT_KEPT, Policy, cut
from harness.analysis.schema.examples import (
    Example,
    ExampleAnswer,
    Examples,
    Passage,
    PromptSlot,
)
from harness.metrics import without_thoughts
from harness.types import Query
from harness.wording.values import value_text


@dataclass(frozen=True)
class Shop:
    """What examples are made of."""

    table: RowTable
    policy: Policy
    prompts: Mapping[str, ArmPrompts] = field(default_factory=dict)
    """By the arm's name."""

    def asked(self, row: int) -> Query | None:
        """Return what a row asks; None: it was not kept."""
        asked = self.table.run.gold.asked
        return None if asked is None else asked[row]


def examples_of(shop: Shop, picks: Sequence[Pick]) -> Examples:
    """Return the picked rows as they are shown."""
    table, policy = shop.table, shop.policy
    rows_n = len(table.run.gold.ids)
    none = Examples(shown=policy.shown, metric=table.metric.name, rows_n=rows_n)
    if not policy.rows:
        return none
    found = tuple(_example(shop, pick) for pick in picks)
    used = {answer.strategy for one in found for answer in one.answers if answer.prompt}
    update = {
        "picked": found,
        "passages": passages(shop, found),
        "prompts": {name: shop.prompts[name].templates for name in shop.prompts if name in used},
        "lacks": NOT_KEPT if table.run.gold.asked is None else None,
    }
    return none.model_copy(update=update)


def passages(shop: Shop, rows: Sequence[Example]) -> tuple[Passage, ...]:
    """Return the documents that answers of these rows name."""
    named = (source for row in rows for answer in row.answers for source in answer.sources)
    return tuple(passage(shop, one) for one in dict.fromkeys(named))


def passage(shop: Shop, document_id: str) -> Passage:
    """Return a document as it is shown; of one that the corpus lacks, its id alone."""
    document = shop.table.run.documents.get(document_id)
    if document is None or not shop.policy.shows(document):
        return Passage(id=document_id)
    return Passage(id=document_id, title=cut(document.title), text=cut(document.text))


def _example(shop: Shop, pick: Pick) -> Example:
    gold, row = shop.table.run.gold, pick.row
    asked = shop.asked(row)
    withheld = shop.policy.withheld(asked, was_picked=True)
    open_ = withheld is None and asked is not None
    labels = shop.table.run.task.answer.kind == "choice"
    return Example(
        item=gold.ids[row],
        rule=pick.rule,
        input=cut(asked.text) if open_ and asked else None,
        fields=fields_of(asked) if open_ and asked else {},
        targets=tuple(map(cut, gold.targets[row])) if open_ or labels else None,
        slices=dict(gold.slices[row]),
        withheld=withheld,
        answers=tuple(answer_of(shop, arm, row, open_=open_) for arm in shop.table.arms),
    )


def fields_of(asked: Query) -> dict[str, str]:
    """Return the visible fields of a row, as a model reads them."""
    known = ((name, value) for name, value in asked.fields.items() if value is not None)
    return {name: cut(value_text(value)) for name, value in known}


def answer_of(shop: Shop, arm: ArmRows, row: int, *, open_: bool) -> ExampleAnswer:
    """Return an arm's answer to a row.

    Args:
        shop: what it is made of.
        arm: whose.
        row: which.
        open_: whether its texts are shown.
    """
    answer, gold = arm.answers[row], shop.table.run.gold
    found = ExampleAnswer(
        strategy=arm.name,
        state=answer.state,
        score=answer.score,
        right=shop.table.is_right(answer),
        right_trainings=answer.right_trainings,
        label=answer.label,
        sure=answer.sure,
    )
    if not open_:
        return found
    given = answer.given
    update = {
        "text": cut(given.text),
        "error": None if given.error is None else cut(given.error),
        "fields": _fields(shop, answer, gold.targets[row]),
        "sources": tuple(map(str, given.sources or ())),
        "prompt": _slot(shop, arm, row),
    }
    return found.model_copy(update=update)


def _fields(shop: Shop, answer: Answered, targets: tuple[str, ...]) -> object:
    if shop.table.run.task.answer.kind != "json" or answer.state == "failed":
        return ()
    return field_diff(without_thoughts(answer.given.text), targets)


def _slot(shop: Shop, arm: ArmRows, row: int) -> PromptSlot | None:
    known = shop.prompts.get(arm.name)
    slot = known.slots.get(shop.table.run.gold.ids[row]) if known else None
    if slot is None:
        return None
    return slot.model_copy(update={"texts": tuple(map(cut, slot.texts))})
