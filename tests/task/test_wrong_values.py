"""Every kind of error that the schemas of task and price files can raise, in real bad files."""

from __future__ import annotations

import re

import pytest
from task_folder import faults_of, rows, task_text, told, write

from harness.errors import TaskError
from harness.prices import Prices, read_prices
from harness.task.schema import TaskFile
from harness.wording.wrong_value import FIX, WHAT, meant_number, wrong_value

LONG = "x" * 101
HOSTED = "provider: openai, base_url: 'http://x/v1', model: m"
# The line of the task file, the kind of pydantic's error, what is said of it, and the remedy.
TASKS = [
    ("margin: 5", "less_than", "must be less than 1 (5)", "write 0.05 (0.05 is five points)"),
    ("margin: 1", "less_than", "must be less than 1 (1)", "write 0.01 (0.01 is one point)"),
    ("margin: 2.5", "less_than", "(2.5)", "write 0.025 (0.025 is 2.5 points)"),
    ("margin: 500", "less_than", "(500)", "e.g. 0.05 (0.05 is five points)"),
    ("margin: -1", "greater_than_equal", "must be at least 0 (-1)", "0.05 is five points"),
    ("margin: 5 %", "float_parsing", 'must be a number ("5 %")', "write 0.05: 100% is 1"),
    ("margin: [1]", "float_type", "must be a number ([1])", "write a number"),
    ("margin: .nan", "finite_number", "must be a finite number (.nan)", "0.05 is five points"),
    ("split: {test: 30}", "less_than", "must be less than 1 (30)", "write 0.3: it is a share"),
    ("noise: 30", "less_than", "must be less than 1 (30)", "e.g. noise: 0.1"),
    ("limits: {max_p95_ms: 0}", "greater_than", "must be more than 0 (0)", "write more than 0"),
    ("limits: {max_p95_ms: 400 ms}", "float_parsing", "a number", "write 400: the key names its"),
    ("limits: {max_p95_ms: '1,500'}", "float_parsing", "must be a number", "write 1500"),
    ("limits: {max_usd_per_1k: $2}", "float_parsing", 'must be a number ("$2")', "write 2"),
    ("limits: []", "model_type", "must be a mapping of keys to values ([])", "{min_score: …}"),
    ("limits: fast", "model_type", "must be a mapping", "its keys: min_score, max_p95_ms"),
    ("labour: {hours: 5}", "dict_type", "must be a mapping of keys to values (5)", "write"),
    ("traffic: {requests_per_month: 20k}", "float_parsing", '("20k")', "leave `traffic` out"),
    ("traffic: {}", "missing", "this key is missing", "requests_per_month: 20000"),
    ("needs: {offline: maybe}", "bool_parsing", "must be true or false", "write true or false"),
    ("needs: {offline: [1]}", "bool_type", "must be true or false ([1])", "write true or false"),
    ("seeds: 0", "list_type", "must be a list (0)", "e.g. [0, 1, 2]"),
    ("seeds: []", "too_short", "has no items ([])", "e.g. [0, 1, 2]"),
    (f"seeds: {[*range(101)]}", "too_long", "has 101 items, and 100 are the most", "e.g. [0"),
    ("seeds: [1.5]", "int_from_float", "must be a whole number (1.5)", "e.g. [0, 1, 2]"),
    ("seeds: [x]", "int_parsing", 'must be a whole number ("x")', "e.g. [0, 1, 2]"),
    ("run: {memory_gib: 8GB}", "float_parsing", '("8GB")', "write 8: the key names its unit"),
    ("generation: {max_new_tokens: {}}", "int_type", "must be a whole number ({})", "write"),
    ("generation: {max_new_tokens: 2.6}", "int_from_float", "(2.6)", "write e.g. 3"),
    (f"generation: {{max_new_tokens: '{'1' * 5000}'}}", "int_parsing_size", "fewer d", "write"),
    ("dtype: int8", "literal_error", "must be 'auto', 'float32'", "write auto or float32"),
    ("dtype: bfloat", "literal_error", "'bfloat16'", "write bfloat16"),
    ("prices: ''", "string_too_short", 'is empty ("")', "write a text, or leave the key out"),
    ("system: ' '", "string_pattern_mismatch", 'is blank (" ")', "or leave `system` out"),
    ("prices: 5", "string_type", "must be text (5)", 'quote it: "5"'),
    ("prices: [a]", "string_type", 'must be text (["a"])', "write one text"),
    (f"strategies: [{{use: majority, name: {LONG}}}]", "string_too_long",
     "has 101 characters, and 100 are the most", "write 100 characters or fewer"),
    ("strategies: [{use: majority, name: A b}]", "string_pattern_mismatch",
     'must be of small letters, digits, _ . @ and - alone ("A b")', 'write e.g. "a-b"'),
    ("modle: x", "extra_forbidden", "no key is called 'modle'", "rename it to 'model'"),
    ("model: 5", "model", "must be a model's name, a mapping", 'quote it: "5"'),
    ("model: [5]", "model", "must be a model's name, or a mapping", 'quote it: "5"'),
    (f"model: {{{HOSTED}, key_env: sk-x}}", "unshown", "must be the name of the env", "API_KEY"),
    ("model: {provider: openai, base_url: h, model: m}", "unshown", "must be an http(s)", "/v1"),
    (f"model: {{{HOSTED}, max_retries: -1}}", "greater_than_equal", "(-1)", "write 0 or more"),
    ("effort: {}", "value_error", "gives no limit ({})", "write none, {trials: 12}"),
    ("effort: 5", "effort", "must be none, or a mapping of trials", "write none, {trials: 12}"),
    ("curve: {sizes: [0]}", "curve_size", "must be a number of labelled rows", "[25, 50, 100"),
    ("curve: {sizes: [9, 9]}", "curve_sizes", "must name each size once", "[25, 50, 100"),
    ("curve: {sizes: [5], repeats: 99}", "less_than_equal", "must be at most 20", "20 or less"),
    ("chat_template_kwargs: {tools: 1}", "template_kwargs", "tools is given by the engine", "e.g."),
    ("chat_template_kwargs: {a: 2024-01-01}", "invalid-json-value", "a value of JSON", "quote"),
    ("answer: {kind: choice, labels: 7}", "labels", "must be a list of labels", "leave `labels`"),
    ("answer: {kind: json, schema: 7}", "schema", "must be a JSON schema, or the path", "write"),
    ("data: {train: 7, test: test.jsonl}", "rows", "must be a path, a pattern", "rows.jsonl"),
    ("data: {test: test.jsonl, corpus: 7}", "corpus", "must be the path of a folder", "write"),
    ("data: {test: t.jsonl, read: {sheet: []}}", "any_of", "must be text or a whole number", "or"),
    ("data: {test: t.jsonl, read: {encoding: x}}", "value_error", "no encoding has", "utf-8"),
]  # fmt: skip
PRICE = "name: m, usd_per_hour: 1, source: page, read_on: 2026-01-31"
PRICE_FILES = [
    (f"machines: [{{{PRICE.replace('2026-01-31', '12:30')}}}]", "date_from_datetime_parsing",
     "must be a day", "e.g. 2026-01-31"),
    (f"machines: [{{{PRICE.replace('2026-01-31', '2026-01-31 12:30:00')}}}]",
     "date_from_datetime_inexact", "must be a day, without a time", "write e.g. 2026-01-31"),
    (f"machines: [{{{PRICE.replace('2026-01-31', '[]')}}}]", "date_type", "must be a day ([])",
     "e.g. 2026-01-31"),
    (f"machines: [{{{PRICE.replace('2026-01-31', '2999-01-01')}}}]", "future_date",
     "after today (2999-01-01)", "the day on which it was read"),
    (f"machines: [{{{PRICE.replace('hour: 1', 'hour: 0')}}}]", "greater_than", "more than 0 (0)",
     "write what you pay"),
    ("machines: [{name: m}]", "missing", "this key is missing", "add it, or remove the row"),
    (f"machines: [{{{PRICE}, stands_for: {{gpus: A10}}}}]", "extra_forbidden", "no key is called",
     "rename it to 'gpu'"),
    (f"machines: [{{{PRICE}, stands_for: {{gpu: 40}}}}]", "string_type", "must be text (40)",
     'quote it: "40"'),
    (f"machines: [{{{PRICE}, stands_for: {{cores: two}}}}]", "int_parsing", "a whole number",
     "write a whole number"),
    (f"machines: [{{{PRICE}, stands_for: 40}}]", "model_type", "must be a mapping", "write"),
    ("machines: 5", "list_type", "must be a list (5)", "write"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind", "what", "fix"), TASKS, ids=lambda text: str(text)[:40])
def test_a_wrong_key_of_a_task_is_told_in_the_projects_words_with_a_remedy(
    tmp_path, line, kind, what, fix
):
    text = task_text(**{line.split(":")[0]: None}) + line + "\n"
    faults = [fault for fault in faults_of(write(tmp_path, text)) if what in fault.what]
    assert faults, told(tmp_path / "task.yaml")
    for fault in faults:
        assert fix in fault.fix
        assert "Input should" not in fault.what
        assert re.search(r":\d+ \S+$", fault.where)


@pytest.mark.parametrize(("text", "kind", "what", "fix"), PRICE_FILES)
def test_a_wrong_key_of_a_price_file_is_told_likewise(tmp_path, text, kind, what, fix):
    (tmp_path / "prices.yaml").write_text(text)
    with pytest.raises(TaskError) as caught:
        read_prices(tmp_path / "prices.yaml")
    (fault, *_) = [fault for fault in caught.value.faults if what in fault.what]
    assert fix in fault.fix


OF_TYPES = {
    "bool": {"bool_type", "bool_parsing"},
    "date": {"date_type", "date_from_datetime_parsing", "date_from_datetime_inexact"},
    "dict": {"dict_type"},
    "float": {"float_type", "float_parsing"},
    "int": {"int_type", "int_parsing", "int_from_float", "int_parsing_size"},
    "list": {"list_type"},
    "literal": {"literal_error"},
    "model": {"model_type", "missing", "extra_forbidden"},
    "str": {"string_type"},
}
"""What a type of pydantic's core schemas can raise; https://docs.pydantic.dev/latest/errors/."""
OF_BOUNDS = {
    "gt": "greater_than",
    "ge": "greater_than_equal",
    "lt": "less_than",
    "le": "less_than_equal",
    "pattern": "string_pattern_mismatch",
}


def raised_by(schema):
    """Return the kinds of errors that a core schema can raise."""
    found = set()
    if isinstance(schema, list | tuple):
        return set().union(*map(raised_by, schema))
    if not isinstance(schema, dict):
        return found
    kind = schema.get("type")
    if isinstance(kind, str):
        found |= OF_TYPES.get(kind, set())
        found |= {OF_BOUNDS[bound] for bound in OF_BOUNDS if schema.get(bound) is not None}
        of = "string_too" if kind == "str" else "too"
        lengths = (f"{of}_short", f"{of}_long")
        if kind in ("str", "list"):
            ends = (schema.get("min_length"), schema.get("max_length"))
            found |= {name for name, end in zip(lengths, ends, strict=True) if end}
        if kind in ("tagged-union", "union") and schema.get("custom_error_type"):
            found.add(schema["custom_error_type"])
    for value in schema.values():
        found |= raised_by(value)
    return found


def test_every_kind_of_error_that_the_schemas_can_raise_stands_in_the_tables():
    can = raised_by(TaskFile.__pydantic_core_schema__) | raised_by(Prices.__pydantic_core_schema__)
    assert len(can) > 25
    tried = {kind for _, kind, *_ in (*TASKS, *PRICE_FILES)}
    assert can - tried == set()
    own = {"labels", "schema", "rows", "corpus", "model", "effort", "invalid-json-value"}
    plain = can - own - {"extra_forbidden"}
    assert plain - set(WHAT) == set()
    assert plain - set(FIX) == set()


def test_faults_stand_in_the_order_of_the_file_also_on_one_line(tmp_path):
    text = task_text() + "limits: {zzz: 1, max_p95_ms: 0, min_score: x}\ndtype: int8\nmargin: 5\n"
    places = [fault.where.split()[-1] for fault in faults_of(write(tmp_path, text))]
    assert places == ["limits.zzz", "limits.max_p95_ms", "limits.min_score", "dtype", "margin"]


BAD_ROW = [*rows("test", 5), {"id": "t9", "text": "x", "label": "nope"}]


@pytest.mark.parametrize(
    "line",
    [
        "margin: 5",
        "data: {inputt: text, target: label, train: train.jsonl, test: test.jsonl}",
        "data: {input: text, target: label, train: train.jsonl, test: test.jsonl, visible: 5}",
        "data: {input: text, target: label, train: train.jsonl, test: test.jsonl, corpus: 7}",
        "answer: {kind: choice, labels: [a, b], zzz: 1}",
        "strategies: [{use: majority, name: A b}]",
    ],
)
def test_faults_of_keys_hide_no_fault_of_a_row(tmp_path, line):
    text = task_text(**{line.split(":")[0]: None}) + line + "\n"
    lines = told(write(tmp_path, text, test_jsonl=BAD_ROW))
    assert len(lines) == 2, lines
    assert lines[1].startswith("test.jsonl:6: no label is called 'nope'")


def test_faults_of_keys_hide_no_arm_and_no_metric_that_there_is_not(tmp_path):
    text = task_text(metric="acuracy", strategies=["mayority", "own.py:Mine"]) + "margin: 5\n"
    lines = told(write(tmp_path, text))
    assert [line.split(": ")[0] for line in lines] == [
        "task.yaml:5 metric", "task.yaml:6 strategies.0", "task.yaml:7 margin",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "number"),
    [("5 %", 0.05), ("85%", 0.85), ("20k", 20000), ("1,500", 1500), ("$0.10", 0.1), ("400 ms", 400),
     ("2M", 2e6), ("ten", None), ("1.2.3", None), ("", None), ("-3", -3)],
)  # fmt: skip
def test_the_number_that_a_text_means(text, number):
    assert meant_number(text) == number


def test_a_value_that_is_a_secret_is_not_repeated():
    error = {"type": "float_type", "loc": ("a",), "input": "secret", "msg": ""}
    assert wrong_value(error, "").what == "must be a number"
