"""The nouns that a strategy meets: what is asked, what is answered, what it may know.

Knows nothing of models, files or HTML. `None` always means "not known", never 0 or NaN.
"""

from harness.types.context import RESUMED_S, Build, Context
from harness.types.model_ref import (
    EFFORT,
    THOUGHT_SWITCHES,
    ChatSettings,
    Endpoint,
    ModelRef,
    model_name,
)
from harness.types.prediction import FinishReason, Prediction
from harness.types.prompts import (
    Conversation,
    Prompt,
    PromptForm,
    RunningText,
    prompt_value,
    read_prompt,
)
from harness.types.rows import Document, Example, Query, Split, content_of
from harness.types.task_info import NEW_TOKENS, AnswerKind, TaskInfo

__all__ = [
    "EFFORT",
    "NEW_TOKENS",
    "RESUMED_S",
    "THOUGHT_SWITCHES",
    "AnswerKind",
    "Build",
    "ChatSettings",
    "Context",
    "Conversation",
    "Document",
    "Endpoint",
    "Example",
    "FinishReason",
    "ModelRef",
    "Prediction",
    "Prompt",
    "PromptForm",
    "Query",
    "RunningText",
    "Split",
    "TaskInfo",
    "content_of",
    "model_name",
    "prompt_value",
    "read_prompt",
]
