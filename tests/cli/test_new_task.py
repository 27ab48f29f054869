"""`new task` of each kind and of tables: valid, commented, and on to a verdict."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest
from command_line import harness
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from ruamel.yaml import YAML

from harness.cli.json_schemas import schema_text
from harness.cli.scaffold import new_task
from harness.cli.table_file import task_of_table
from harness.errors import TaskError, UserError
from harness.task import load_task
from harness.task.schema import TaskFile, arm_of

KINDS = ("choice", "text", "json")


def keys_of(text):
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.torch
@pytest.mark.parametrize("kind", KINDS)
def test_a_starter_reaches_a_verdict_with_cheap_arms(tmp_path, kind):
    """A whole run, with an embedder for texts: that a verdict is reached, nothing cheaper shows."""
    done = harness("new", "task", "mine", "--kind", kind, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    task = load_task(tmp_path / "mine/task.yaml")
    rows = len(task.train) + len(task.validation) + len(task.test)
    assert (rows, len(task.test) >= 24, task.spec.answer.kind) == (60, True, kind)
    done = harness("run", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "runs/mine/comparison.json").read_text())["recommendation"]
    assert found["verdict"] == "choose"
    assert found["choice"] != "majority"


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_line_names_a_schema_beside_the_file_and_it_is_valid_under_it(tmp_path, kind):
    new_task("mine", tmp_path, kind)
    text = (tmp_path / "mine/task.yaml").read_text()
    name = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", text.splitlines()[0])[1]
    schema = (tmp_path / "mine" / name).read_text()
    assert schema == schema_text("task")
    Draft202012Validator(json.loads(schema)).validate(keys_of(text))


def names_in(annotation):
    """All keys of a part of the task file and of the parts in it."""
    found = set()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            found |= {field.alias or name} | names_in(field.annotation)
    for part in get_args(annotation):
        found |= names_in(part)
    return found


def test_every_key_stands_in_a_new_task(tmp_path):
    new_task("mine", tmp_path)
    text = (tmp_path / "mine/task.yaml").read_text()
    written = set(re.findall(r"(?:^|[{,])[ #]*(\w+):(?= |$)", text, re.M))
    written |= set(re.findall(r"(\w+): ", text))
    of_arms = {"use", "params"}  # an arm's own keys stand in `list strategies`
    hub = {"hub", "config", "revision"}
    missing = names_in(TaskFile) - written - of_arms - hub
    assert missing == set()


def uncommented(text):
    """Yield the file with one comment made a key at a time."""
    lines = text.splitlines()
    for line in lines:
        match = re.fullmatch(r"( *)# (\w+): .+", line)
        if match and not line.startswith("# Check"):
            key, indent = match[2], match[1]
            kept = [one for one in lines if not one.startswith(f"{indent}{key}:")]
            at = kept.index(line)
            yield key, "\n".join([*kept[:at], line.replace("# ", "", 1), *kept[at + 1 :]])


def test_each_comment_is_a_valid_key_once_its_mark_is_taken_away(tmp_path):
    new_task("mine", tmp_path)
    text = (tmp_path / "mine/task.yaml").read_text()
    tried = []
    for key, changed in uncommented(text):
        keys = keys_of(changed)
        assert Draft202012Validator(json.loads(schema_text("task"))).is_valid(keys), changed
        keys["strategies"] = [arm_of(one) for one in keys["strategies"]]
        TaskFile.model_validate(keys)
        tried.append(key)
    assert len(tried) > 30


def table(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def csv(rows, header):
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def test_a_table_of_labels_becomes_a_choice(tmp_path):
    rows = [(f"m{n}", f"message number {n} about things", "ab"[n % 2], "web") for n in range(40)]
    file = table(tmp_path, "mail.csv", csv(rows, "id,Message,team,channel"))
    done = harness("new", "task", "mail", "--from", file, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the input is the column 'Message', the target 'team', by their names" in done.stdout
    assert "answers are a choice: 40 targets are of 2 different texts" in done.stdout
    assert "30% of the rows are test rows" in done.stdout
    assert "not used: 'channel'" in done.stdout
    task = load_task(tmp_path / "mail/task.yaml")
    assert list(task.labels) == ["a", "b"]
    assert len(task.train) + len(task.validation) + len(task.test) == 40
    assert done.stdout.splitlines()[-1] == "python -m harness run mail/task.yaml"


def test_columns_without_telling_names_are_guessed_by_what_stands_in_them(tmp_path):
    rows = [(f"some longer words {n} of a text", "yes" if n % 3 else "no") for n in range(30)]
    file = table(tmp_path, "x.csv", csv(rows, "erste,zweite"))
    lines = task_of_table("x", tmp_path, file, None)
    assert any("'erste', the target 'zweite', by what stands in them" in line for line in lines)
    assert load_task(tmp_path / "x/task.yaml").spec.answer.kind == "choice"


def test_objects_become_json_with_a_schema_and_long_answers_text(tmp_path):
    rows = [{"text": f"order {n}", "record": {"item": "ab"[n % 2], "n": n}} for n in range(10)]
    file = table(tmp_path, "o.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    task_of_table("orders", tmp_path, file, None)
    task = load_task(tmp_path / "orders/task.yaml")
    assert task.spec.answer.kind == "json"
    assert set(task.schema["properties"]) == {"item", "n"}
    rows = [{"question": f"what is {n}?", "answer": f"it is number {n}"} for n in range(10)]
    file = table(tmp_path, "q.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    task_of_table("questions", tmp_path, file, None)
    task = load_task(tmp_path / "questions/task.yaml")
    assert (task.spec.answer.kind, task.spec.metric) == ("text", "token_f1")


def test_a_column_of_splits_is_used(tmp_path):
    rows = [(f"text {n}", "ab"[n % 2], "test" if n % 4 == 0 else "train") for n in range(40)]
    file = table(tmp_path, "s.csv", csv(rows, "text,label,split"))
    lines = task_of_table("s", tmp_path, file, None)
    assert "- the column 'split' says which row is in which split → `split`" in lines
    task = load_task(tmp_path / "s/task.yaml")
    assert (len(task.train), len(task.test)) == (30, 10)


def test_the_kind_that_the_user_says_holds(tmp_path):
    rows = [(f"text {n}", "ab"[n % 2]) for n in range(40)]
    file = table(tmp_path, "s.csv", csv(rows, "text,label"))
    task_of_table("as_text", tmp_path, file, "text")
    assert load_task(tmp_path / "as_text/task.yaml").spec.answer.kind == "text"
    with pytest.raises(UserError, match="--kind json: 40 of 40 targets are no JSON objects"):
        task_of_table("as_json", tmp_path, file, "json")
    assert not (tmp_path / "as_json").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("one.csv", "text\na\nb\n", "one column"),
        ("few.csv", "text,label\na,b\n", "a task needs at least 2"),
    ],
)
def test_too_little_to_make_a_task_of_is_refused(tmp_path, name, text, said):
    with pytest.raises(UserError, match=said):
        task_of_table("t", tmp_path, table(tmp_path, name, text), None)
    assert not (tmp_path / "t").exists()


def test_a_file_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(TaskError, match="not a known format"):
        task_of_table("t", tmp_path, table(tmp_path, "a.pdf", "x"), None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["strategy", "mine", "--kind", "text"], "--from and --kind make a task"),
        (["task", "mine", "--model", "ft:x"], "go with --from FILE"),
        (["task", "mine", "--from", "t.csv", "--model", "ft:x"], "holds no chats"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, words, said):
    table(tmp_path, "t.csv", "text,label\na,b\nc,d\n")
    done = harness("new", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
