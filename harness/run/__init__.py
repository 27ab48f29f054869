"""Plan trials, have them done, measure, record, resume. Knows nothing of scores and prices."""

from harness.run.folder_lock import drop_large_artifacts, opened
from harness.run.opening import Leave
from harness.run.predict_new import answer_with
from harness.run.runner import Progress, Runner

__all__ = ["Leave", "Progress", "Runner", "answer_with", "drop_large_artifacts", "opened"]
