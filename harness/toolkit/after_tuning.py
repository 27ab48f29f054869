"""What follows a training, on validation rows: calibration of labels, and a look at merging.

Training's own logits are memorised, so nothing is fitted on training rows here. Knows an arm's
prompts as they are given; which weights were trained the model says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.lm.local_model import LanguageModel
from harness.lm.training.merge_check import ROWS, can_merge, compared, merged_meanwhile
from harness.toolkit.answer import choose
from harness.toolkit.calibration import Calibration, match_answers
from harness.types import Context, Prediction, Prompt

if TYPE_CHECKING:
    from harness.toolkit.tune import ChoiceParams

FILE = "calibration.json"
ROWS_A_LABEL = 3
"""Validation rows below which biases of labels would follow single rows: a choice of ours."""


def finish_tuning(
    lm: LanguageModel,
    context: Context,
    params: ChoiceParams,
    held_out: Sequence[tuple[Prompt, str]],
    artifact: Path,
) -> None:
    """Fit the calibration, find whether merging is harmless, and keep both in the artifact.

    Args:
        lm: the tuned model; what it learnt is saved by now.
        context: gives the task; is told what was found.
        params: whether labels are calibrated.
        held_out: prompts and answers of validation rows; those without room are left out.
        artifact: the folder that `save_trained` wrote to.
    """
    labels = list(context.task.labels) if context.task.answer_kind == "choice" else []
    rows = _with_room(lm, held_out, labels)
    given = choose(lm, [prompt for prompt, _ in rows], labels) if labels else []
    found = _calibration(context, params, given, [answer for _, answer in rows])
    found.save(artifact / FILE)
    if not rows or not can_merge(lm):
        return
    some = rows[:ROWS]
    beside = _numbers(given[:ROWS]) if labels else _likelihoods(lm, some)
    with merged_meanwhile(lm):
        again = choose(lm, [prompt for prompt, _ in some], labels) if labels else []
        merged = _numbers(again) if labels else _likelihoods(lm, some)
    compared(beside, merged, bool(labels)).save(artifact)


def read_calibration(artifact: Path) -> Calibration:
    """Return what `finish_tuning` fitted."""
    return Calibration.load(artifact / FILE)


def _with_room(
    lm: LanguageModel, held_out: Sequence[tuple[Prompt, str]], labels: Sequence[str]
) -> list[tuple[Prompt, str]]:
    """Return the rows whose answers, and all labels that are scored as text, fit the model."""
    scored = [] if lm.head is not None else labels
    longest = max(map(lm.count_answer_tokens, scored), default=0)
    return [
        (prompt, answer)
        for prompt, answer in held_out
        if lm.has_room(lm.count_tokens(prompt), max(longest, lm.count_answer_tokens(answer)))
    ]


def _calibration(
    context: Context, params: ChoiceParams, given: Sequence[Prediction], right: Sequence[str]
) -> Calibration:
    """Return biases and a temperature that suit the validation rows, where there are enough."""
    if not given or params.calibrate == "off":
        return Calibration()
    if params.class_weight != "none":
        context.note("calibration", "none: the rows of rare labels were weighted in training")
        return Calibration()
    wanted = ROWS_A_LABEL * len(context.task.labels)
    if len(given) < wanted:
        what = f"none: {len(given)} validation rows, of {wanted} that so many labels need"
        context.note("calibration", what)
        return Calibration()
    context.note("calibration", f"on the answers of {len(given)} validation rows")
    return match_answers(given, right)


def _numbers(given: Sequence[Prediction]) -> list[list[float]]:
    return [list((answer.label_logprobs or {}).values()) for answer in given]


def _likelihoods(lm: LanguageModel, rows: Sequence[tuple[Prompt, str]]) -> list[list[float]]:
    """Return each answer's log-likelihood per token."""
    found = lm.log_likelihood([prompt for prompt, _ in rows], [answer for _, answer in rows])
    tokens = [max(1, lm.count_answer_tokens(answer) - 1) for _, answer in rows]
    return [[value / count] for value, count in zip(found, tokens, strict=True)]
