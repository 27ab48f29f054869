"""Which objective a task is tuned to: for a choice its labels in one of three ways, else tokens.

Knows the task's labels and the arm's parameters; the losses are the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from harness import lm as engine
from harness.errors import ModelError
from harness.lm.chat import label_tokens
from harness.lm.inference.label_head import new_head
from harness.lm.local_model import LanguageModel
from harness.lm.training.label_loss import balanced_weights
from harness.lm.training.loss import Pair
from harness.types import TaskInfo

if TYPE_CHECKING:
    from harness.strategy import Params

Named = Literal["label_softmax", "head", "label_text"]
Objective = Literal["auto"] | Named
MOST_IN_SOFTMAX = 32
"""Labels above which `auto` takes a head: scoring all labels of a row costs more than reading the
row by then. A choice of ours."""


def objective_named(
    task: TaskInfo, params: Params
) -> Literal["label_softmax", "head", "label_text"]:
    """Return which objective `auto` means for a task, or the named one.

    Raises:
        ModelError: the task has no labels, and the parameters ask for something that needs them.
    """
    given: Any = getattr(params, "objective", "label_text")
    if task.answer_kind != "choice":
        _refuse_labels(params, given)
        return "label_text"
    if given == "auto":
        return "label_softmax" if len(task.labels) <= MOST_IN_SOFTMAX else "head"
    named: Named = given
    if named == "label_text" and getattr(params, "class_weight", "none") != "none":
        raise ModelError(
            "class_weight: label text is learnt token by token, without weights of labels →"
            " leave `class_weight` out, or write `objective: label_softmax`"
        )
    return named


def _refuse_labels(params: Params, objective: str) -> None:
    """Refuse what would be ignored on a task without labels."""
    weight = getattr(params, "class_weight", "none")
    for name, value, ignored in (
        ("objective", objective, objective in ("label_softmax", "head")),
        ("class_weight", weight, weight != "none"),
    ):
        if ignored:
            raise ModelError(
                f"{name}: '{value}' is for tasks with labels, and this one has none →"
                f" leave `{name}` out"
            )


def choice_options(lm: LanguageModel, task: TaskInfo) -> list[list[int]]:
    """Return each label's tokens with the end of its turn; none for a task without labels."""
    if task.answer_kind != "choice":
        return []
    return [label_tokens(lm, label) for label in task.labels]


def objective_of(
    lm: LanguageModel,
    task: TaskInfo,
    params: Params,
    train: Sequence[Pair],
    options: Sequence[list[int]],
) -> engine.Objective:
    """Return what a training makes smaller; a head is put on the model.

    Args:
        lm: the model that is tuned.
        task: whose labels are learnt.
        params: of the arm.
        train: the pairs that are trained on.
        options: the labels' tokens where pairs end in them; none: running text.

    Raises:
        ModelError: as `objective_named` raises it.
    """
    name = objective_named(task, params)
    if name == "label_text" or not options:
        return engine.TokenLoss(options)
    weights = [1.0] * len(options)
    if getattr(params, "class_weight", "none") == "balanced":
        place_of = {tuple(option): place for place, option in enumerate(options)}
        weights = balanced_weights([place_of[tuple(text)] for _, text in train], len(options))
    smoothing = float(getattr(params, "label_smoothing", 0.0))
    if name == "label_softmax":
        return engine.LabelSoftmax(options, weights, smoothing)
    lm.head = new_head(lm, tuple(task.labels))
    return engine.HeadLoss(lm.head, options, weights, smoothing)
