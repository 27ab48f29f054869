"""Plan trials, spawn workers, measure, record, resume. Knows nothing of scores and prices."""

from harness.run.answering import answer_with
from harness.run.custody import drop_large_artifacts, opened
from harness.run.invocation import Audience, Invocation

__all__ = ["Audience", "Invocation", "answer_with", "drop_large_artifacts", "opened"]
