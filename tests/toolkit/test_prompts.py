"""The words put to a model: shared by all prompting strategies, and whole."""

import json
from dataclasses import asdict, replace

import pytest

from harness.lm.chat import messages, running_text
from harness.toolkit.prompts import (
    Shown,
    conversation,
    ended,
    full_prompt,
    instruction_block,
    written,
)
from harness.types import Prediction, Query, RunningText, TaskInfo

CHOICE = TaskInfo("t", "Which team?", "choice", {"quay": "deliveries", "bench": ""})
TEXT = TaskInfo("t", "Answer briefly.", "text", {})
QUERY = Query("1", "Where is it?", {"channel": "mail", "stars": 3})


def test_a_choice_lists_every_label_with_what_it_means():
    assert instruction_block(CHOICE) == (
        "Which team?\nAnswer with exactly one of these labels:\n- quay: deliveries\n- bench"
    )


def test_a_text_task_is_its_instruction():
    assert instruction_block(TEXT) == "Answer briefly."


def test_visible_fields_follow_the_text_one_a_line():
    assert QUERY.full_text == "Where is it?\nchannel: mail\nstars: 3"


def test_zero_shot_is_instruction_input_and_an_open_answer():
    assert full_prompt(TEXT, QUERY) == (
        "Answer briefly.\n\nInput: Where is it?\nchannel: mail\nstars: 3\nAnswer:"
    )


def test_a_question_is_put_as_one_and_the_next_ends_its_answer():
    task, asked = replace(TEXT, asks_questions=True), Shown(Query("3", "When?"), ["A page."])
    assert written(task, "plain", asked, [Shown(Query("2", "Who?"), target="Ada")]).text == (
        "Answer briefly.\n\nQuestion: Who?\nAnswer: Ada\n\n"
        "Passages:\n[1] A page.\nQuestion: When?\nAnswer:"
    )
    assert ended(task, "plain").stop == ("\nQuestion:", "\nPassages:")


def test_demonstrations_are_earlier_turns_and_change_nothing_else():
    shown = [Shown(Query("2", "Broken"), target="bench"), Shown(Query("3", "Late"), target="quay")]
    assert conversation(CHOICE, Shown(QUERY), shown) == (
        f"{instruction_block(CHOICE)}\n\nInput: Broken\nAnswer:",
        "bench",
        "Input: Late\nAnswer:",
        "quay",
        "Input: Where is it?\nchannel: mail\nstars: 3\nAnswer:",
    )
    assert conversation(CHOICE, Shown(QUERY), []) == full_prompt(CHOICE, QUERY)


def test_each_input_stands_under_its_own_passages():
    shown = [Shown(Query("2", "Who?"), ["A page."], "Ada")]
    asked = Shown(Query("3", "When?"), ["B page.", "C page."])
    assert conversation(TEXT, asked, shown) == (
        "Answer briefly.\n\nPassages:\n[1] A page.\nInput: Who?\nAnswer:",
        "Ada",
        "Passages:\n[1] B page.\n[2] C page.\nInput: When?\nAnswer:",
    )


def test_a_conversation_is_messages_by_turns():
    assert messages(("a", "b", "c")) == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    assert messages("a") == [{"role": "user", "content": "a"}]


def test_a_model_without_turns_reads_a_conversation_as_running_text():
    shown = [Shown(Query("2", "x"), target="y"), Shown(Query("3", "z"), target="w")]
    assert running_text(conversation(TEXT, Shown(Query("1", "v")), shown)) == (
        "Answer briefly.\n\nInput: x\nAnswer: y\n\nInput: z\nAnswer: w\n\nInput: v\nAnswer:"
    )
    assert running_text("one turn") == "one turn"


SHOWN = [Shown(Query("2", "Broken"), target="bench"), Shown(Query("3", "Late"), target="quay")]
BARE = "Input: Broken\nAnswer: bench\n\nInput: Late\nAnswer: quay\n\nInput: Where?\nAnswer:"


def test_a_form_changes_how_the_same_is_written():
    asked, block = Shown(Query("1", "Where?")), instruction_block(CHOICE)
    forms = ("turns", "one_turn", "plain", "bare")
    prompts = {form: written(CHOICE, form, asked, SHOWN) for form in forms}
    assert prompts["turns"] == conversation(CHOICE, asked, SHOWN)
    assert prompts["one_turn"] == f"{block}\n\n{BARE}"
    assert prompts["plain"] == RunningText(f"{block}\n\n{BARE}", "\n\n")
    assert prompts["bare"] == RunningText(BARE, "\n\n")
    assert running_text(prompts["turns"]) == running_text(prompts["plain"])
    assert written(CHOICE, "plain", asked).text == full_prompt(CHOICE, asked.query)


@pytest.mark.parametrize("prompt", ["one turn", ("a", "b", "c"), RunningText("a", "\n"), None])
def test_a_prompt_is_read_as_it_was_recorded(prompt):
    given = Prediction("x", prompt=prompt, notes=("y",))
    assert Prediction.from_row(json.loads(json.dumps(asdict(given)))) == given


def test_the_targets_decide_what_ends_running_text():
    lines = replace(TEXT, one_line=True, stop=("END",))
    assert ended(lines, "plain").stop == ("END", "\n")
    assert ended(TEXT, "bare").stop == ended(TEXT, "one_turn").stop == ("\nInput:", "\nPassages:")
    assert ended(lines, "turns") == lines
    assert ended(CHOICE, "plain") == CHOICE


def test_no_target_or_id_of_the_query_is_in_its_prompt():
    prompt = conversation(
        TEXT, Shown(Query("id-77", "Where?")), [Shown(Query("id-78", "x"), target="y")]
    )
    assert "id-7" not in running_text(prompt)
    assert prompt[-1].endswith("Answer:")


def test_a_json_task_shows_its_schema_in_one_line_and_in_its_order():
    schema = {"type": "object", "properties": {"größe": {"type": "integer"}, "a": {}}}
    assert instruction_block(TaskInfo("t", "What?", "json", {}, schema=schema)) == (
        "What?\nAnswer with a JSON object of this schema:\n"
        '{"type":"object","properties":{"größe":{"type":"integer"},"a":{}}}'
    )


def test_a_text_task_says_what_to_say_where_there_is_no_answer():
    facts = TaskInfo("t", "What?", "text", {}, no_answer="not in the handbook")
    assert instruction_block(facts) == (
        "What?\nIf there is no answer, say exactly: not in the handbook"
    )
