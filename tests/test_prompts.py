"""The words put to a model: shared by all prompting strategies, and whole."""

from harness.prompts import full_prompt, instruction_block, query_text
from harness.types import Example, Query, TaskFacts

CHOICE = TaskFacts("t", "Which team?", "choice", {"quay": "deliveries", "bench": ""})
TEXT = TaskFacts("t", "Answer briefly.", "text", {})
QUERY = Query("1", "Where is it?", {"channel": "mail", "stars": 3})


def test_a_choice_lists_every_label_with_what_it_means():
    assert instruction_block(CHOICE) == (
        "Which team?\nAnswer with exactly one of these labels:\n- quay: deliveries\n- bench"
    )


def test_a_text_task_is_its_instruction():
    assert instruction_block(TEXT) == "Answer briefly."


def test_visible_fields_follow_the_text_one_a_line():
    assert query_text(QUERY) == "Where is it?\nchannel: mail\nstars: 3"


def test_zero_shot_is_instruction_input_and_an_open_answer():
    assert full_prompt(TEXT, QUERY) == (
        "Answer briefly.\n\nInput: Where is it?\nchannel: mail\nstars: 3\nAnswer:"
    )


def test_demonstrations_stand_between_and_change_nothing_else():
    shown = [
        Example(Query("2", "Broken"), ("bench", "quay")),
        Example(Query("3", "Late"), ("quay",)),
    ]
    bare, shot = full_prompt(CHOICE, QUERY), full_prompt(CHOICE, QUERY, shown)
    between = "Input: Broken\nAnswer: bench\n\nInput: Late\nAnswer: quay\n\n"
    assert shot.replace(between, "") == bare
    assert shot.index(between) == len(instruction_block(CHOICE)) + 2


def test_no_target_or_id_of_the_query_is_in_its_prompt():
    prompt = full_prompt(TEXT, Query("id-77", "Where?"), [Example(Query("id-78", "x"), ("y",))])
    assert "id-7" not in prompt
    assert prompt.endswith("Answer:")


def test_a_json_task_shows_its_schema_in_one_line_and_in_its_order():
    schema = {"type": "object", "properties": {"größe": {"type": "integer"}, "a": {}}}
    assert instruction_block(TaskFacts("t", "What?", "json", {}, schema=schema)) == (
        "What?\nAnswer with a JSON object of this schema:\n"
        '{"type":"object","properties":{"größe":{"type":"integer"},"a":{}}}'
    )


def test_a_text_task_says_what_to_say_where_there_is_no_answer():
    facts = TaskFacts("t", "What?", "text", {}, no_answer="not in the handbook")
    assert instruction_block(facts) == (
        "What?\nIf there is no answer, say exactly: not in the handbook"
    )
