"""Arms that cite are shown citing: their first answers, with the documents that they name."""

from __future__ import annotations

from html import escape

import pytest
from hand_made import Arm, right, rows_of, write_run
from test_report_pages import EVIL, Page, cells, tables

from harness.analysis import Comparison, analyse
from harness.types import Prediction
from reports import html
from reports import whole_markdown as markdown

TARGETS = ["yes", "no"] * 20
TITLE = "Answers and the sources they name"


def citing(answers=TARGETS, sources=("manual-3", "faq-1"), **first):
    given = [Prediction(answer, sources=tuple(sources)) for answer in answers]
    if first:
        given[0] = Prediction(**{"text": "", **first})
    return Arm("rag", [given])


def run(path, *arms, **task):
    return analyse(write_run(path, TARGETS, [*arms, Arm("plain", [right(TARGETS)])], **task))


def test_the_first_rows_are_shown_in_their_order_whatever_they_are_worth(tmp_path):
    wrong_first = right(TARGETS, [0, 2])
    found = rows_of(run(tmp_path, citing(wrong_first)))["rag"].cited
    assert [(one.item, one.answer) for one in found] == [("r0", "no"), ("r1", "no"), ("r2", "no")]
    assert {one.sources for one in found} == {("manual-3", "faq-1")}


def test_both_reports_show_id_answer_and_sources_of_the_arms_that_cite(tmp_path):
    comparison = run(tmp_path, citing())
    text = markdown(comparison)
    assert "| rag | r0 | yes | manual-3, faq-1 |" in text
    assert "| plain | r0" not in text
    assert (
        '<th scope="row">rag</th>'
        in html(comparison).split('<details id="sources"')[1].split("</table>")[0]
    )
    for page in (text, html(comparison)):
        assert page.index(TITLE) > page.index("What would change the choice")


def test_where_no_arm_cites_nothing_is_shown(tmp_path):
    comparison = run(tmp_path)
    assert all(row.cited == () for row in comparison.arms)
    assert TITLE not in markdown(comparison) + html(comparison)


def test_an_answer_that_failed_or_cites_nothing_stays_in_its_place(tmp_path):
    comparison = run(tmp_path / "1", citing(error="broke", sources=("secret",)))
    assert "| rag | r0 | failed | – |" in markdown(comparison)
    comparison = run(tmp_path / "2", citing(text="yes", sources=()))
    assert "| rag | r0 | yes | none |" in markdown(comparison)


def test_a_long_answer_is_cut_and_many_sources_are_counted(tmp_path):
    arm = citing(text="word\n" * 100, sources=tuple(f"d{n}" for n in range(9)))
    comparison = run(tmp_path, arm)
    (one, *_) = rows_of(comparison)["rag"].cited
    assert len(one.answer) <= 160
    assert one.answer.startswith("word word")
    assert one.answer.endswith("…")
    assert "| d0, d1, d2, d3, d4 and 4 more |" in markdown(comparison)


def test_of_several_seeds_the_first_is_shown(tmp_path):
    seeds = [[Prediction(answer, sources=("d",))] * len(TARGETS) for answer in ("yes", "no")]
    folder = write_run(tmp_path, TARGETS, [Arm("rag", seeds)], seeds=(0, 1))
    assert {one.answer for one in analyse(folder).arms[0].cited} == {"yes"}


def test_hostile_answers_and_ids_are_only_text(tmp_path):
    comparison = run(tmp_path, citing([EVIL] * len(TARGETS), sources=(EVIL,)))
    page = Page(html(comparison))
    assert page.open == []
    assert not {"script", "img"} & set(page.tags)
    assert not page.loads
    assert "".join(page.text).count("<script>") == 6  # three answers and their sources
    assert escape("<script>") in html(comparison)
    (table,) = [table for table in tables(markdown(comparison)) if "question" in table[0]]
    assert {len(cells(row)) for row in table} == {4}


def test_a_judgement_of_an_earlier_version_shows_none(tmp_path):
    values = run(tmp_path, citing()).model_dump(mode="json")
    for row in values["rows"]:
        del row["cited"]
    assert TITLE not in markdown(Comparison.model_validate(values))


@pytest.mark.parametrize("render", [markdown, html])
def test_no_question_is_shown_in_full(tmp_path, render):
    folder = write_run(tmp_path, TARGETS, [citing()])
    prompts = folder.path / "trials" / "rag"
    (file,) = prompts.glob("*/*/predictions.jsonl")
    file.write_text(file.read_text().replace('"prompt": null', '"prompt": "my private question"'))
    assert "my private question" in file.read_text()
    assert "my private question" not in render(analyse(folder))
