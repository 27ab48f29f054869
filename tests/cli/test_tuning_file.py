"""`harness new task NAME --from FILE`: a task of what a hosted model was tuned on."""

from __future__ import annotations

import json

import pytest
from command_line import harness, rows_of

from harness.task import load_task

SORT = "You sort mail into teams."


def said(role, content, **more):
    return {"role": role, "content": content, **more}


def chat(text, answer, system=SORT, **more):
    first = [said("system", system)] if system is not None else []
    return {"messages": [*first, said("user", text), said("assistant", answer)], **more}


def choices(n=40, **more):
    return [chat(f"letter number {i} {'pay' if i % 2 else 'box'}", ("money", "post")[i % 2 == 0],
                 **more) for i in range(n)]  # fmt: skip


def new(folder, rows, *words, name="tuned.jsonl"):
    text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
    (folder / name).write_text(text, encoding="utf-8")
    return harness("new", "task", "mine", "--from", name, *words, cwd=folder)


def task_of(folder):
    return load_task(folder / "mine" / "task.yaml")


@pytest.mark.torch  # `check` reads the tokenizer of the model that the task names
def test_labels_that_repeat_are_a_choice_and_the_task_runs_with_the_cheap_arms(tmp_path):
    done = new(tmp_path, choices())
    assert done.returncode == 0, done.stderr
    assert "answers are a choice: 40 targets are of 2 different texts" in done.stdout
    assert "the system message of all rows is the instruction" in done.stdout
    assert "has seen the test rows" in done.stdout
    task = task_of(tmp_path)
    assert task.spec.instruction == SORT
    assert dict(task.labels) == {"money": "", "post": ""}
    assert len(task.train) + len(task.validation) + len(task.test) == 40
    *_, check, run = done.stdout.splitlines()
    assert harness(*check.split()[3:], cwd=tmp_path).returncode == 0
    assert run.split()[3:] == ["run", "mine/task.yaml", "--only", "majority", "tfidf"]
    ran = harness("run", "mine/task.yaml", "--only", "majority", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert rows_of(tmp_path / "runs" / "mine")["majority"]["status"] == "ok"


def test_rows_that_were_held_out_are_the_test(tmp_path):
    held = [chat(f"new letter {i}", "post") for i in range(6)]
    (tmp_path / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))
    done = new(tmp_path, choices(60), "--validation", "held.jsonl")
    assert done.returncode == 0, done.stderr
    assert "the 6 rows that were held out are the test" in done.stdout
    task = task_of(tmp_path)
    assert [query.text for query in task.test.queries] == [f"new letter {i}" for i in range(6)]
    assert len(task.train) + len(task.validation) == 60
    assert 0 < len(task.validation) < 15


def test_the_hosted_model_is_entered_as_it_was_tuned_and_its_key_by_name(tmp_path):
    words = ("--model", "ft:gpt-4o-mini:us::1", "--base-url", "http://127.0.0.1:9/v1")
    done = new(tmp_path, choices(), *words)
    assert "record mine/task.yaml --arm hosted" in done.stdout
    [hosted] = [arm for arm in task_of(tmp_path).arms if arm.name == "hosted"]
    assert hosted.params == {"as_tuned": "instruction"}
    assert (hosted.model.model, hosted.model.key_env) == ("ft:gpt-4o-mini:us::1", None)


@pytest.mark.parametrize(
    ("rows", "said_of_it", "kind", "metric"),
    [
        (
            [chat(f"call {i}", json.dumps({"who": f"n{i}", "n": i, "ok": None})) for i in range(9)],
            "answers are JSON objects", "json", "field_f1",
        ),
        ([chat(f"ask {i}", f"reply {i}") for i in range(9)], "answers are texts", "text",
         "token_f1"),
        ([chat(f"ask {i}", f"{'many words ' * 9}{i}") for i in range(9)], "scored by rouge_l",
         "text", "rouge_l"),
        ([chat(f"ask {i}", f"[{i}]") for i in range(9)], "answers are texts", "text", "token_f1"),
    ],
)  # fmt: skip
def test_the_kind_of_answer_is_guessed_and_said(tmp_path, rows, said_of_it, kind, metric):
    done = new(tmp_path, rows)
    assert done.returncode == 0, done.stderr
    assert said_of_it in done.stdout
    spec = task_of(tmp_path).spec
    assert (spec.answer.kind, spec.metric) == (kind, metric)


def test_a_schema_is_inferred_that_all_targets_are_valid_under(tmp_path):
    targets = [
        {"a": 1, "tags": [], "in": {"x": "y"}},
        {"a": 1.5, "tags": ["t"], "in": {"x": None, "z": True}},
        {"a": None, "tags": ["u", 2], "in": {"x": "y"}, "more": "m"},
    ] * 3
    rows = [chat(f"call {i}", json.dumps(target)) for i, target in enumerate(targets)]
    assert new(tmp_path, rows).returncode == 0
    schema = task_of(tmp_path).schema
    assert schema["properties"]["a"]["type"] == ["null", "number"]
    assert schema["required"] == ["a", "tags", "in"]
    assert schema["properties"]["in"]["required"] == ["x"]
    assert schema["properties"]["tags"]["items"]["type"] == ["integer", "string"]


def test_each_row_keeps_its_own_system_message_and_earlier_turns(tmp_path):
    rows = choices(20)
    rows[3]["messages"][0]["content"] = "You sort urgent mail."
    rows[5]["messages"] = rows[5]["messages"][1:]
    rows[7]["messages"][1:1] = [said("user", "Hello"), said("assistant", "Yes?", weight=0)]
    done = new(tmp_path, rows)
    assert done.returncode == 0, done.stderr
    assert "2 different system messages, and 1 rows have none" in done.stdout
    task = task_of(tmp_path)
    by_id = {
        row.query.id: row.query for split in (task.train, task.validation, task.test)
        for row in split
    }  # fmt: skip
    assert by_id["row-4"].fields["system"] == "You sort urgent mail."
    assert by_id["row-6"].fields["system"] is None
    assert [turn["content"] for turn in by_id["row-8"].fields["earlier"]] == ["Hello", "Yes?"]
    assert '"as_tuned": "system"' in (tmp_path / "mine" / "task.yaml").read_text()


def test_messages_without_weight_are_no_targets(tmp_path):
    rows = choices(40)
    rows[0]["messages"] += [said("user", "and?"), said("assistant", "bye", weight=0)]
    rows[1]["messages"][-1]["weight"] = 0
    done = new(tmp_path, rows)
    assert done.returncode == 0, done.stderr
    assert "1 rows are left out: no message in them has a weight" in done.stdout
    assert "in 1 rows messages of weight 0 at the end are left out" in done.stdout
    assert dict(task_of(tmp_path).labels) == {"money": "", "post": ""}


@pytest.mark.parametrize(
    "shape",
    [
        lambda text, answer: {"system": SORT, "messages": chat(text, answer, None)["messages"]},
        lambda text, answer: {
            "systemInstruction": {"parts": [{"text": SORT}]},
            "contents": [
                {"role": "user", "parts": [{"text": text}]},
                {"role": "model", "parts": [{"text": answer}]},
            ],
        },
        lambda text, answer: {
            "conversations": [
                {"from": "system", "value": SORT},
                {"from": "human", "value": text},
                {"from": "gpt", "value": answer},
            ]
        },
        lambda text, answer: {
            "messages": [
                said("developer", [{"type": "text", "text": SORT}]),
                said("user", [{"type": "input_text", "text": text}]),
                said("assistant", [{"type": "text", "text": answer}], weight=1, name="x"),
            ]
        },
    ],
    ids=["bedrock", "gemini", "sharegpt", "parts"],
)
def test_other_providers_copies_of_the_format_are_the_same_task(tmp_path, shape):
    rows = [shape(f"letter {i}", ("money", "post")[i % 2]) for i in range(20)]
    done = new(tmp_path, rows)
    assert done.returncode == 0, done.stderr
    task = task_of(tmp_path)
    assert task.spec.instruction == SORT
    assert {query.text for query in task.test.queries} <= {f"letter {i}" for i in range(20)}


def test_a_byte_order_mark_and_line_ends_of_windows_are_read(tmp_path):
    text = "\ufeff" + "\r\n".join(json.dumps(row) for row in choices(20))
    assert new(tmp_path, text).returncode == 0


IMAGE = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "x"}}]
CALL = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f"}}]}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("", "has no rows"),
        ("\n\n", "has no rows"),
        (choices(1), "has 1 row to make a task of → add rows"),
        ([chat("same", "a")] * 4, "has 4 rows to make a task of → add rows, with different inputs"),
        ('{"messages": [', "is not JSON"),
        ("[1]", "is not a JSON object"),
        ([{"text": "x", "label": "y"}], "tuned.jsonl has 1 row → a task needs at least 2"),
        ([{"messages": "hi"}], "has no list of `messages`"),
        ([{"messages": ["hi"]}], 'a message is no object: "hi"'),
        ([{"messages": [said("bot", "hi")]}], 'a message has the role "bot" → use'),
        ([{"messages": [said(["user"], "hi")]}], "a message has the role"),
        ([{"messages": [said("user", "hi")]}], "has no assistant's message → add"),
        ([{"messages": [said("assistant", "hi")]}], "does not begin with a user's message"),
        ([{"messages": [*chat("a", "b")["messages"], said("user", "c")]}], "ends with no assist"),
        ([chat("a", " ")], "the assistant's message is empty"),
        ([chat("a", None)], "the assistant's message is empty"),
        ([chat("a", 5)], "a message's content is 5"),
        ([chat(IMAGE, "b")], "holds what is no text (image_url) → leave such rows out"),
        ([{"messages": [said("user", "a"), CALL]}], "calls a tool → leave such rows out"),
        ([{"messages": [said("user", "a"), said("tool", "b", tool_call_id="1")]}], "calls a tool"),
        ([{"messages": [said("user", "a"), said("assistant", "b", weight=2)]}], "has the weight 2"),
        ([{"messages": [said("user", "a"), said("assistant", "b", weight=0)]}], "has a weight ab"),
        ([{"input": {}, "preferred_output": [], "non_preferred_output": []}], "of preferences"),
        (
            [{"messages": [said("user", "a"), said("system", "s"), said("assistant", "b")]}],
            "has a system message behind the first turn",
        ),
    ],
)
def test_what_is_no_training_file_is_refused_in_one_line_and_nothing_is_written(
    tmp_path, rows, words
):
    done = new(tmp_path, rows)
    assert done.returncode == 2, done.stdout
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "mine").exists()


def test_rows_with_the_same_fault_are_one_line_with_a_count(tmp_path):
    rows = [*choices(20), *[{"messages": [said("user", "a"), CALL]}] * 5]
    done = new(tmp_path, rows)
    assert done.returncode == 2
    [line] = done.stderr.strip().splitlines()
    assert "tuned.jsonl:21: calls a tool → leave such rows out" in line
    assert "(and 4 more like it, lines 22, 23, 24, 25)" in line


def test_other_words_without_a_file_are_refused(tmp_path):
    done = harness("new", "task", "mine", "--model", "ft:x", cwd=tmp_path)
    assert (done.returncode, "go with --from FILE" in done.stderr) == (2, True)
    done = harness("new", "strategy", "mine", "--from", "x.jsonl", cwd=tmp_path)
    assert (done.returncode, "--from and --kind make a task" in done.stderr) == (2, True)
    done = harness("new", "task", "mine", "--from", "none.jsonl", cwd=tmp_path)
    assert (done.returncode, "none.jsonl" in done.stderr) == (2, True)
