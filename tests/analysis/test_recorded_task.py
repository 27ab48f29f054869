"""The recorded task is the task file's, read tolerantly."""

from __future__ import annotations

import pytest
from hand_made import TARGETS, cheap_and_good, write_run
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from harness.analysis import analyse
from harness.analysis.recorded_task import RecordedTask
from harness.task.schema import TaskFile

ELSEWHERE = {"answer.labels", "slices"}
"""Fields that a run resolves or that stand elsewhere in the file."""


def fields_of(model, path=""):
    """Yield each field's path, and its default where it is a value."""
    for name, field in model.model_fields.items():
        parts = [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = [p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)]
        if inner:
            yield from fields_of(inner[0], f"{path}{name}.")
        elif f"{path}{name}" not in ELSEWHERE:
            default = field.get_default(call_default_factory=True)
            yield f"{path}{name}", None if default is PydanticUndefined else default


def test_every_field_is_one_of_the_task_file_and_has_its_default():
    strict = dict(fields_of(TaskFile))
    read = dict(fields_of(RecordedTask))
    assert len(read) > 25
    assert {path: strict[path] for path in read} == read


def test_a_task_of_an_earlier_version_is_read_with_todays_defaults():
    task = RecordedTask.of(
        {
            "name": "old",
            "instruction": "Yes or no?",
            "answer": {"kind": "choice", "labels": {"yes": "", "no": ""}},
            "metric": "accuracy",
            "limits": {"max_p95_ms": 5},
            "a_key_that_is_gone": {"x": 1},
            "facts": {"calibration": False},
        }
    )
    assert list(task.info.labels) == ["yes", "no"]
    assert dict(task.limits.are_set()) == {"max_p95_ms": 5}
    assert (task.margin, task.traffic, task.slices, task.needs.licence) == (0, None, [], None)
    assert (task.diagnostics.calibration, task.diagnostics.robustness) == (False, True)


@pytest.mark.parametrize("gone", ["diagnostics", "labour", "needs", "limits", "traffic", "margin"])
def test_a_run_whose_task_lacks_a_key_is_analysed_all_the_same(tmp_path, gone):
    folder = write_run(tmp_path, TARGETS, cheap_and_good())
    header = folder.last_header()
    task = {key: value for key, value in header.task.items() if key != gone}
    folder.append(header.model_copy(update={"task": task}))
    assert analyse(folder).recommendation.choice == "good"
