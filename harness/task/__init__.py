"""task.yaml → `Task`: strict schema, all faults at once, data, frozen splits, audit."""

from harness.task.audit.near_duplicates import near_copies, near_duplicates
from harness.task.gold import GoldRow
from harness.task.load import Task, load_task
from harness.task.new_inputs import read_inputs
from harness.task.subsample import limited

__all__ = [
    "GoldRow",
    "Task",
    "limited",
    "load_task",
    "near_copies",
    "near_duplicates",
    "read_inputs",
]
