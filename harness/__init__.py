"""The public door: all that a strategy is written with.

`from harness import Strategy, Params, Prediction, Query, Example, Estimate` for the contract;
`from harness import toolkit` for what strategies are composed from (`toolkit.prompts`: the one
instruction block that all share; `toolkit.selection`: settings chosen on validation rows),
`from harness import lm` for the engine (torch is loaded only when a model is), `from harness import
retrieval` for what finds passages and rows, `harness.workload` for what an estimate is made of,
`harness.testing` for the contract as a test; `search` and `log` for the values of a parameter that
are worth trying (`effort` in a task file).
"""

from __future__ import annotations

from harness.search_space import log, search
from harness.strategy import (
    Candidates,
    FitModel,
    Floor,
    InputFile,
    ModelName,
    Params,
    Part,
    RowsFile,
    Strategy,
)
from harness.types import (
    Context,
    Conversation,
    Document,
    Example,
    Prediction,
    Prompt,
    PromptForm,
    Query,
    RunningText,
    Split,
    TaskInfo,
)
from harness.workload import Estimate, Prospect

__version__ = "0.1.0"
__all__ = [
    "Candidates",
    "Context",
    "Conversation",
    "Document",
    "Estimate",
    "Example",
    "FitModel",
    "Floor",
    "InputFile",
    "ModelName",
    "Params",
    "Part",
    "Prediction",
    "Prompt",
    "PromptForm",
    "Prospect",
    "Query",
    "RowsFile",
    "RunningText",
    "Split",
    "Strategy",
    "TaskInfo",
    "log",
    "search",
]
