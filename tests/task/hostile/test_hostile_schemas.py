"""Schemas that never end, lead elsewhere or are none."""

from __future__ import annotations

import json

import pytest
from task_folder import faults_of, task_text, write

pytestmark = pytest.mark.timeout(120)


def schema_of(**part):
    return json.dumps({"type": "object", "properties": {"a": {"type": "string", **part}}})


SCHEMAS = {
    "nested": ('{"properties": ' * 5000 + "{}" + "}" * 5000, "nested|recursion|JSON"),
    "nested a little": ('{"properties": {"a": ' * 20 + "{}" + "}}" * 20, None),
    "nested more": ('{"properties": {"a": ' * 200 + "{}" + "}}" * 200, "nested too deeply"),
    "a reference to itself": ('{"$ref": "#"}', "itself"),
    "a reference elsewhere": ('{"$ref": "file:///etc/passwd"}', "which is not in it|refer"),
    "a pattern without end": (schema_of(pattern="^(a+)+$"), "takes more than|pattern"),
    "alternatives without end": (schema_of(pattern="^(a|a)*$"), "takes more than|pattern"),
    "a pattern that is none": (schema_of(pattern="("), "pattern|cannot be read|regex"),
    "a property's pattern": (
        json.dumps({"patternProperties": {"^(a+)+$": {"type": "string"}}}),
        None,
    ),
    "100,000 values": (schema_of(enum=[f"v{n}" for n in range(100_000)]), "enum|not one of"),
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_a_schema_is_refused_or_holds(tmp_path, monkeypatch, what):
    monkeypatch.setattr("harness.metrics.objects.PATTERNS_S", 0.3)
    schema, said = SCHEMAS[what]
    answers = [
        {"id": f"{n}", "text": "t", "label": json.dumps({"a": "a" * 40 + "b"})} for n in range(3)
    ]
    answer = {"kind": "json", "schema": "schema.json"}
    path = write(
        tmp_path, task_text(answer=answer, metric="exact_match"), schema_json=schema,
        train_jsonl=answers, test_jsonl=[{**one, "id": f"t{one['id']}"} for one in answers],
    )  # fmt: skip
    told = [str(fault) for fault in faults_of(path)]
    if said is None:
        assert told == []
    else:
        assert any(word in line for line in told for word in said.split("|")), told
