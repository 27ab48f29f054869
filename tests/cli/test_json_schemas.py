"""The JSON schemas: current, with a description of every key, and true of the files that ship."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import harness
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from task_folder import KEYS, task_text

from harness.cli.json_schemas import KINDS, schema_text
from harness.cli.key_docs import docs_of, models_in
from harness.task.schema import TaskFile

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs/reference/schema"
SHIPPED = {
    "task": [*ROOT.glob("tasks/*/task.yaml"), *ROOT.glob("benchmarks/**/task.yaml")],
    "prices": [ROOT / "tasks/prices.yaml"],
    "comparison": [*ROOT.glob("reports/examples/**/comparison.json")],
}


def read(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))


def faults(kind, value):
    schema = json.loads(schema_text(kind))
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_schema_is_current(kind):
    path = COMMITTED / f"{kind}.json"
    assert path.read_text(encoding="utf-8") == schema_text(kind), (
        f"python -m harness schema {kind} > {path.relative_to(ROOT)}"
    )
    printed = harness("schema", kind)
    assert json.loads(printed.stdout) == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_schema_and_every_key_has_a_description(kind):
    schema = json.loads(schema_text(kind))
    Draft202012Validator.check_schema(schema)
    parts = {"": schema, **schema["$defs"]}
    assert len(parts) > 3
    lacking = [
        f"{part}.{key}"
        for part, one in parts.items()
        for key, value in one.get("properties", {}).items()
        if not value.get("description")
    ]
    assert lacking == []


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_ship_are_valid(kind):
    assert SHIPPED[kind]
    for path in SHIPPED[kind]:
        assert faults(kind, read(path)) == [], path


VALID = [
    "answer: {kind: choice, labels: {a: first, b: [1, 2], c: }}",
    "answer: {kind: choice, labels: [true, 1, 1.5]}",
    "answer: {kind: json, schema: {type: object}}",
    "data: {train: [a.jsonl, {hub: x/y}], test: t.csv, input: text, target: label}",
    "data: {all: a.csv, read: {sheet: 2}, corpus: {file: d.csv, text: body}}",
    "split: {column: part, values: {train: a, test: [b, c]}}",
    "split: {column: part, values: {train: 1, test: [true, 2.5]}}",
    "effort: none",
    "effort: {trials: 12}",
    "curve: {sizes: [25, all]}",
    "generation: {stop: END}",
    "needs: {licence: mit}",
    "model: [smollm2, {provider: openai, base_url: 'http://x/v1', model: m, key_env: }]",
    "strategies: [majority, {use: lora, name: a, rank: 8, model: x}, {use: 'own.py:Mine'}]",
    "facts: {forgetting: false}",
    "chat_template_kwargs: {enable_thinking: true, n: [1]}",
    "seeds: [0, 1]",
]
WRONG = [
    "margin: 5",
    "modle: x",
    "answer: {kind: list}",
    "strategies: []",
    "strategies: [{name: x}]",
    "limits: {max_p95_ms: 0}",
    "seeds: 0",
    "curve: {sizes: [few]}",
    "effort: {trials: 0}",
    "data: {train: 7}",
]


@pytest.mark.parametrize(("lines", "valid"), [(VALID, True), (WRONG, False)])
def test_it_agrees_with_what_is_checked(lines, valid):
    yaml = YAML(typ="safe", pure=True)
    for line in lines:
        keys = yaml.load(task_text(**{line.split(":")[0]: None}) + line + "\n")
        assert (faults("task", keys) == []) == valid, line


def test_every_needed_key_is_needed():
    for key in KEYS:
        keys = YAML(typ="safe", pure=True).load(task_text(**{key: None}))
        assert faults("task", keys) == [f"'{key}' is a required property"]


def test_texts_below_fields_are_those_that_pydantic_reads_itself():
    """The reader of docstrings beside pydantic's own, on every part of the task file."""
    from pydantic._internal._docs_extraction import extract_docstrings_from_cls

    models = models_in(TaskFile)
    assert len(models) > 15
    for model in models:
        theirs = extract_docstrings_from_cls(model, True)
        assert docs_of(model) == {name: " ".join(text.split()) for name, text in theirs.items()}


def test_a_strategys_page_shows_needs_parameters_defaults_and_spaces():
    done = harness("list", "strategies", "lora")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "needs: labelled rows (data.train), a language model (model)" in lines
    assert "learns: weights; provides: offline; family: tuned" in lines
    place = lines.index("- learning_rate: null")
    assert lines[place + 1] == "  `effort` tries: null, 0.0002, 0.001, 0.002"
    found = json.loads(harness("list", "strategies", "lora", "--json").stdout)
    rank = next(one for one in found["parameters"] if one["name"] == "rank")
    assert (rank["default"], rank["required"]) == (16, False)
    assert "section 7.2" in rank["description"]


def test_every_strategy_that_is_installed_has_a_page():
    names = [e["name"] for e in json.loads(harness("list", "strategies", "--json").stdout)]
    assert len(names) > 20
    for name in names:
        page = harness("list", "strategies", name)
        assert page.returncode == 0
        assert page.stdout.startswith(f"{name}: ")


def test_a_page_of_what_there_is_not_is_refused():
    for words, said in [
        (["strategies", "lroa"], "did you mean 'lora'?"),
        (["metrics", "accuracy"], "only strategies have pages"),
    ]:
        done = harness("list", *words)
        assert done.returncode == 2
        assert said in done.stderr
