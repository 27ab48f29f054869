"""What of single rows is shown: as the task says, and never more."""

from __future__ import annotations

import json

import pytest
from hand_made import Arm, right, write_run

from harness.analysis.analyse import analysis_of
from harness.analysis.examples.field_diff import field_diff
from harness.analysis.examples.prompts import arm_prompts
from harness.analysis.examples.shown import MOST_CHARACTERS, cut
from harness.analysis.schema.examples import FieldDiff
from harness.store.prompt_templates import packed
from harness.store.run_folder import write_jsonl
from harness.types import Conversation, Prediction, RunningText

N = 30
TARGETS = ["yes", "no"] * (N // 2)
SECRET = "private text"


def run(folder, *, old=False, **task):
    truth = {
        "input": [f"{SECRET} {n}" for n in range(N)],
        "fields": [{"sender": f"{SECRET} of a field", "none": None}] * N,
        "groups": [["hr"] if n == 0 else [] for n in range(N)],
    }
    answers = [
        Prediction(one, prompt=f"Which? {SECRET} {n}", sources=("open", "closed"))
        for n, one in enumerate(right(TARGETS, range(12)))
    ]
    arms = [Arm("one", [answers]), Arm("two", [right(TARGETS, range(14))])]
    made = write_run(folder, TARGETS, arms, truth={} if old else truth, **task)
    documents = [
        {"id": "open", "title": "Open", "text": "open to all"},
        {"id": "closed", "title": "Closed", "text": "closed to most", "allow": ["hr"]},
    ]
    write_jsonl(made.documents, documents)
    return made


def found(folder, shown):
    analysis = analysis_of(folder, shown=shown)
    return analysis.comparison().examples, analysis.rows_shown.all


def test_none_shows_no_row(tmp_path):
    examples, rows = found(run(tmp_path), "none")
    assert (examples.picked, rows) == ((), None)


def test_ids_show_no_text(tmp_path):
    examples, rows = found(run(tmp_path), "ids")
    assert len(examples.picked) == 12
    assert all(one.answers[0].label for one in examples.picked)
    text = examples.model_dump_json() + json.dumps([rows.index, rows.chunks])
    assert SECRET not in text
    assert "open to all" not in text
    assert rows.index["ids"] == [f"r{n}" for n in range(N)]


def test_twelve_shows_the_texts_of_picked_rows_but_not_of_those_for_groups(tmp_path):
    examples, rows = found(run(tmp_path), 12)
    by_id = {one.item: one for one in examples.picked}
    closed = by_id.pop("r0")
    assert closed.input is closed.answers[0].text is closed.answers[0].prompt is None
    assert closed.withheld.startswith("the row is for groups")
    assert {one.input for one in by_id.values()} == {f"{SECRET} {i[1:]}" for i in by_id}
    assert by_id["r1"].fields == {"sender": f"{SECRET} of a field"}
    assert {one.id: one.text for one in examples.passages} == {
        "open": "open to all", "closed": None,
    }  # fmt: skip
    assert set(rows.chunks[0]["rows"]) == {i[1:] for i in by_id}
    assert set(rows.chunks[0]["documents"]) == {"open"}


def test_all_shows_everything(tmp_path):
    _, rows = found(run(tmp_path), "all")
    assert len(rows.chunks[0]["rows"]) == N
    assert rows.chunks[0]["documents"]["closed"] == ["Closed", "closed to most"]


def test_the_task_decides_where_nobody_else_does(tmp_path):
    folder = run(tmp_path, report={"examples": "ids"})
    assert found(folder, None)[0].shown == "ids"
    assert found(folder, "all")[0].shown == "all"


def test_a_run_of_an_earlier_version_has_no_texts_and_says_so(tmp_path):
    examples, rows = found(run(tmp_path, old=True), "all")
    assert examples.lacks.startswith("an earlier version ran this")
    assert len(examples.picked) == 12
    assert {one.input for one in examples.picked} == {None}
    assert rows.chunks == ()


def test_a_very_long_text_is_cut_and_says_so():
    assert cut("a" * MOST_CHARACTERS) == "a" * MOST_CHARACTERS
    assert cut("a" * (MOST_CHARACTERS + 1234)).endswith("a… (1,234 more characters)")


def test_the_index_takes_a_few_bytes_a_row_and_arm(tmp_path):
    _, rows = found(run(tmp_path), "ids")
    arms = rows.index["arms"]
    assert all(len(arm["score"]) == 40 for arm in arms)  # 30 bytes as base64
    assert arms[0]["said"]["bytes"] == 1


def test_prompts_are_shown_as_templates_and_slots():
    prompts = [("sys? a x", "said", "b x"), ("sys? a y", "said", "b y"), None, RunningText("go a")]
    values = zip("1234", packed(prompts), strict=True)
    made = arm_prompts(values)
    turns, text = made.templates
    assert [part.role for part in turns.parts] == ["user", "assistant", "user"]
    assert [(part.begin, part.end) for part in turns.parts][:2] == [("sys? a ", ""), ("said", "")]
    assert made.slots["2"].texts == ("y", "", "y")
    assert [part.role for part in text.parts] == ["text"]  # and not where it ends
    assert "3" not in made.slots


def test_prompts_of_an_earlier_version_stand_whole_and_are_packed():
    made = arm_prompts([("1", "ask a?"), ("2", "ask b?")])
    assert made.templates[0].parts[0].begin == "ask "
    assert made.slots["2"].texts == ("b",)
    system = arm_prompts([("1", {"system": "s", "turns": ["a"]})])
    assert [part.role for part in system.templates[0].parts] == ["system", "user"]
    assert arm_prompts(zip("1", packed([Conversation("s", ("a",))]), strict=True)) == system


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"a": 1, "b": {"c": "x"}}', []),
        ('{"a": "1", "b": {"c": "x"}}', [("a", ("1",), ('"1"',))]),
        ('{"a": 1}', [("b.c", ('"x"',), ())]),
        ('{"a": 1, "b": {"c": "x"}, "d": [2, 1]}', [("d[]", (), ("2", "1"))]),
        ("no object", []),
    ],
)
def test_a_json_answer_is_set_beside_the_right_one_field_by_field(answer, found):
    diff = field_diff(answer, ['{"a": 1, "b": {"c": "x"}}'])
    assert [(one.path, one.wanted, one.said) for one in diff if not one.same] == found


def test_of_several_right_answers_it_is_the_nearest():
    (diff,) = field_diff('{"a": 2}', ['{"b": 1}', '{"a": 2}'])
    assert diff == FieldDiff(path="a", wanted=("2",), said=("2",), same=True)


def test_the_order_of_a_list_does_not_count():
    assert all(one.same for one in field_diff('{"a": [2, 1]}', ['{"a": [1, 2]}']))
