"""Makes prompts that fit a model's context: parts are left out, none is cut through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.hosted import HostedModel
from harness.lm.local_model import LanguageModel
from harness.types import Prompt, TaskInfo

Built = TypeVar("Built", bound=Prompt)


def fitted(
    lm: LanguageModel | HostedModel, task: TaskInfo, build: Callable[[int], Built], parts: int
) -> tuple[Built, int]:
    """Return the prompt with as many parts as the model's context takes, and how many those are.

    A hosted model counts its tokens itself: it is sent all parts.

    Args:
        lm: the model.
        task: say how long an answer can be.
        build: number of parts → prompt; it grows with the number.
        parts: the most to take.

    Returns:
        `build(n)` and n; n is 0 where not even one part fits, whether or not the rest does.
    """
    if isinstance(lm, LanguageModel) and lm.context_tokens is not None:
        longest = _longest_answer(lm, task)
        while parts and not lm.has_room(len(prompt_tokens(lm, build(parts))), longest):
            parts -= 1
    return build(parts), parts


def _longest_answer(lm: LanguageModel, task: TaskInfo) -> int:
    if task.answer_kind == "choice":
        return max(len(answer_tokens(lm, label)) for label in task.labels)
    return task.max_new_tokens
