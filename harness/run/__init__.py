"""Plan trials, spawn workers, measure, record, resume. Knows nothing of scores and prices."""

from harness.run.folder_lock import drop_large_artifacts, opened
from harness.run.predict_new import answer_with
from harness.run.runner import Audience, Invocation

__all__ = ["Audience", "Invocation", "answer_with", "drop_large_artifacts", "opened"]
