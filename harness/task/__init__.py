"""task.yaml → `Task`: strict schema, all faults at once, data, frozen splits, audit."""

from harness.task.inputs import read_inputs
from harness.task.load import Task, load_task
from harness.task.near import near_duplicates
from harness.task.sample import limited
from harness.task.truth import TruthRow

__all__ = ["Task", "TruthRow", "limited", "load_task", "near_duplicates", "read_inputs"]
