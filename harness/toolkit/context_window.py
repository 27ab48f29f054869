"""Makes prompts that fit a model's context: parts are left out, none is cut through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.lm.model import Model
from harness.types import Prompt, TaskInfo

Built = TypeVar("Built", bound=Prompt)


def fitted(
    model: Model, task: TaskInfo, build: Callable[[int], Built], parts: int
) -> tuple[Built, int]:
    """Return the prompt with as many parts as the model's context takes, and how many those are.

    A model that does not say how long its context is gets all parts: it will tell by itself.

    Args:
        model: which.
        task: says how long an answer can be.
        build: number of parts → prompt; it grows with the number.
        parts: the most to take.

    Returns:
        `build(n)` and n; n is 0 where not even one part fits, whether or not the rest does.
    """
    if model.context_tokens is not None:
        longest = _longest_answer(model, task, build(0))
        while parts and not model.has_room(model.count_tokens(build(parts)), longest):
            parts -= 1
    return build(parts), parts


def _longest_answer(model: Model, task: TaskInfo, prompt: Prompt) -> int:
    """Return the most tokens that an answer to a prompt can have."""
    if task.answer_kind == "choice":
        return max(model.count_answer_tokens(label, prompt) for label in task.labels)
    return task.max_new_tokens
