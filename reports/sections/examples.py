"""Single test rows, picked by rule: what was asked, what is right, and what each arm answered.

All texts here are of data and of models. The template escapes them; acting characters are shown as
escapes first.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from harness.analysis import Comparison, Example, ExampleAnswer, Examples
from harness.wording import numbers
from harness.wording.visible import on_one_line, visible
from reports.section import Embedded, Section, Table, Text
from reports.templating import template

PICKED = "picked-rows"
"""The section's key."""
LINE = 30
"""Characters of an input that stand beside its row's id."""
PASSAGE = 600
"""Characters of a document that stand in the page."""


def examples(comparison: Comparison) -> Section | None:
    """The picked rows; the browser over all rows stands below them where there is a run folder."""
    found = comparison.examples
    if found is None or found.shown == "none":
        return None
    if not found.picked:
        text = Text("No row tells the arms apart: none failed, and no arm that finished is wrong.")
        return Section(PICKED, "F", "Picked rows", (text,))
    choice = comparison.recommendation.choice
    drawn = template("examples.html.j2").render(
        examples=[_example(one, found, choice) for one in found.picked], metric=found.metric
    )
    html = Markup(drawn)  # noqa: S704 - a template that escapes
    note = Text(_note(found), small=True)
    words = "; ".join(f"{one.item}: {one.rule}" for one in found.picked)
    return Section(PICKED, "F", "Picked rows", (note, Embedded(html, words)))


def picked_table(comparison: Comparison) -> Table | None:
    """Return the picked rows as a table of labels and scores, for a page that folds nothing."""
    found = comparison.examples
    if found is None or not found.picked:
        return None
    rows = tuple((one.item, one.rule) for one in found.picked)
    return Table(("row", "picked because"), rows)


def _note(found: Examples) -> str:
    n = len(found.picked)
    text = f"{n} of {found.rows_n} test rows, picked by rule."
    if found.lacks:
        return f"{text} They have no texts: {found.lacks}."
    if found.shown == "ids":
        return f"{text} Texts are left out, as report.examples is 'ids'."
    return f"{text} They hold texts of your data: `report RUN_DIR --examples ids` leaves them out."


def _example(one: Example, found: Examples, choice: str | None) -> dict[str, Any]:
    about = [f"{column}: {value}" for column, value in one.slices.items()]
    return {
        "item": on_one_line(one.item),
        "rule": on_one_line(one.rule),
        "line": _line(one.input) if one.input else "",
        "about": on_one_line(" · ".join(about)),
        "withheld": one.withheld if found.shown != "ids" else None,
        "input": None if one.input is None else visible(one.input),
        "fields": [(on_one_line(name), visible(value)) for name, value in one.fields.items()],
        "targets": None if one.targets is None else visible(" | ".join(one.targets)),
        "answers": [_answer(answer, found, choice) for answer in one.answers],
    }


def _line(text: str) -> str:
    line = on_one_line(" ".join(text.split()))
    return line if len(line) <= LINE else line[: LINE - 1] + "…"


def _answer(answer: ExampleAnswer, found: Examples, choice: str | None) -> dict[str, Any]:
    mark, state = _state(answer)
    chosen = " (chosen)" if answer.strategy == choice else ""
    return {
        "arm": f"{answer.strategy}{chosen}",
        "text": visible(_said(answer)),
        "mark": mark,
        "state": state,
        "error": None if answer.error is None else visible(answer.error),
        "score": numbers.NOT_MEASURED if answer.score is None else f"{answer.score:.2f}",
        "sure": numbers.NOT_MEASURED if answer.sure is None else numbers.percent(answer.sure),
        "differing": [
            (on_one_line(one.path), _values(one.wanted), _values(one.said))
            for one in answer.fields
            if not one.same
        ],
        "passages": [_passage(source, found) for source in answer.sources],
        "prompt": _prompt(answer, found),
    }


def _said(answer: ExampleAnswer) -> str:
    if answer.state == "failed":
        return ""
    if answer.text is not None:
        return answer.text
    return answer.label or "(text not shown)"


def _state(answer: ExampleAnswer) -> tuple[str, str]:
    """Return how an answer is marked, and with which word."""
    if answer.state == "failed":
        return "bad", "failed"
    if answer.right:
        several = answer.right_trainings
        return "good", "right" if several is None else f"right, as in {several} trainings"
    return ("part", "in part") if answer.score else ("bad", "wrong")


def _values(values: tuple[str, ...]) -> str:
    return visible(", ".join(values)) or "(nothing)"


def _passage(source: str, found: Examples) -> tuple[str, str]:
    known = next((one for one in found.passages if one.id == source), None)
    if known is None or known.text is None:
        return on_one_line(source), "(text not shown)"
    title = f"{source}: {known.title}" if known.title else source
    text = known.text if len(known.text) <= PASSAGE else known.text[: PASSAGE - 1] + "…"
    return on_one_line(title), visible(text)


def _prompt(answer: ExampleAnswer, found: Examples) -> list[tuple[str, str, str, str]]:
    if answer.prompt is None:
        return []
    parts = found.prompts[answer.strategy][answer.prompt.template].parts
    return [
        (part.role, visible(part.begin), visible(slot), visible(part.end))
        for part, slot in zip(parts, answer.prompt.texts, strict=True)
    ]
