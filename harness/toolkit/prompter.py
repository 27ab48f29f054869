"""How prompting arms put a task to a model: in which form, with which words, and calibrated.

What they share besides demonstrations, passages and instructions, which are their own. Knows no
rows but those that it calibrates on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from pydantic import Field, PositiveInt

from harness.errors import StrategyError
from harness.lm.model import Model, Spans
from harness.search_space import search
from harness.strategy import Params
from harness.toolkit.answer import answer
from harness.toolkit.calibration import (
    CONTENT_FREE,
    Calibration,
    CalibrationKind,
    equal_shares,
    match_answers,
    match_shares,
    shares_of,
)
from harness.toolkit.context_window import fitted
from harness.toolkit.prompts import Shown, ended, written
from harness.toolkit.selection import some, surviving
from harness.types import (
    Context,
    Example,
    Prediction,
    Prompt,
    PromptForm,
    Query,
    Split,
    TaskInfo,
)
from harness.workload import Prospect

LabelWording = Literal["names", "descriptions", "described"]
"""names: the labels alone are listed; described: with what they mean; descriptions: what a label
means stands for it, in the list, in demonstrations and as the answer."""
FEWEST_A_LABEL = 3
"""Labelled rows of a label below which none is fitted on answers: a choice of ours."""


class PromptParams(Params):
    """What every prompting arm lets its user set of how the task is put."""

    template: PromptForm | None = Field(
        None, json_schema_extra=search([None, "plain", "bare", "turns"])
    )
    """How demonstrations and input are written. turns: as turns of a chat; one_turn: in one; plain:
    as running text, without a chat template; bare: that without the instruction. None: plain for
    models below a billion weights, unless the task sets chat_template_kwargs, and for those whose
    template shows no conversation; else turns, and so where answers are written and none is
    shown."""
    labels: LabelWording = Field(
        "described", json_schema_extra=search(["described", "names", "descriptions"])
    )
    """For a choice. names: the labels alone; described: with their descriptions; descriptions:
    these in place of the labels."""
    calibrate: CalibrationKind = "prior_matched"
    """For a choice: how the model's liking for some labels is taken out. prior_matched: on inputs
    of training rows, so that each label comes up as often as in these; contextual: on inputs that
    say nothing; vector: on the validation rows' answers; off: not at all."""
    calibration_rows: PositiveInt = 100
    """The most rows that this is done on."""


def form_of(task: TaskInfo, default: PromptForm, shows: bool) -> PromptForm:
    """Return the form in which a task is put, unless the user names one.

    Where answers are written and none is demonstrated, a model is asked in turns: behind running
    text it goes on in any way that such a text may go on, and only its chat tells it to answer.

    Args:
        task: which.
        default: `Model.default_form`.
        shows: whether answers are demonstrated.
    """
    return default if shows or task.answer_kind == "choice" else "turns"


@dataclass
class Prompter:
    """A task as it is put to a model."""

    context: Context
    params: PromptParams
    model: Model
    task: TaskInfo
    """In the words that are put, with the form's stop strings."""
    words: Mapping[str, str]
    """Label to the words that are put for it; empty where answers are no choice."""
    form: PromptForm
    calibration: Calibration = field(default_factory=Calibration)

    @classmethod
    def of(
        cls, context: Context, params: PromptParams, model: Model, shows: bool = True
    ) -> Prompter:
        """Return how a strategy with these parameters puts its task.

        Args:
            context: the strategy's.
            params: likewise.
            model: which is asked.
            shows: whether it demonstrates answers.

        Raises:
            StrategyError: two labels would be put in the same words.
        """
        form = params.template or form_of(context.task, model.default_form, shows)
        if params.template is None:
            context.note("template", f"template = {form}, as by default for this model")
        words = put_labels(context.task, params.labels)
        return cls(context, params, model, as_put(context.task, params.labels, form), words, form)

    def prompt(self, asked: Shown, demonstrations: Sequence[Shown] = ()) -> tuple[Prompt, int]:
        """Return a prompt that fits the model, and how many demonstrations are in it.

        The first ones are left out first.
        """

        def build(kept: int) -> Prompt:
            return self.written(asked, demonstrations[len(demonstrations) - kept :])

        return fitted(self.model, self.task, build, len(demonstrations))

    def written(self, asked: Shown, demonstrations: Sequence[Shown] = ()) -> Prompt:
        """Return a prompt with all of its demonstrations, whether or not it fits the model."""
        shown = [
            replace(row, target=self.words.get(row.target or "", row.target))
            for row in demonstrations
        ]
        return written(self.task, self.form, asked, shown)

    def equivalents(self) -> dict[str, list[str]]:
        """Return what comes to the same as its parameters (`Strategy.equivalents`).

        The form that was left open is the model's; how labels are worded says nothing where none is
        described.
        """
        found: dict[str, list[str]] = {}
        if self.params.template is None:
            found["template"] = [self.form]
        if not any(self.context.task.labels.values()):
            found["labels"] = list(get_args(LabelWording))
        return found

    def answers(
        self, prompts: Sequence[Prompt], spans: Sequence[Spans | None] = ()
    ) -> list[Prediction]:
        """Answer prompts, calibrated, in the task's own labels.

        Args:
            prompts: as they stand.
            spans: what the answer to each is copied from, of texts; none: answers are free.
        """
        given = [self._read(one) for one in answer(self.model, prompts, self.task, spans)]
        return [self.calibration.applied(one) for one in given]

    def _read(self, given: Prediction) -> Prediction:
        """Return an answer with the task's labels in place of the words that were put for them."""
        label = {words: name for name, words in self.words.items()}
        logprobs = given.label_logprobs
        if logprobs is not None:
            logprobs = {label[text]: value for text, value in logprobs.items()}
        return replace(
            given, text=label.get(given.text.strip(), given.text), label_logprobs=logprobs
        )

    def calibrate(
        self,
        ask: Callable[[Sequence[Query]], Sequence[Prediction]],
        train: Sequence[Example],
        validation: Split,
        labelled: bool = True,
    ) -> Calibration:
        """Find what is to be taken out of the scores, and answer with it from now on.

        Args:
            ask: answers queries as they will be asked; a row is no demonstration of its own.
            train: rows whose inputs may be looked at.
            validation: rows whose answers may.
            labelled: whether the training rows' answers may say how frequent labels are. An arm
                that is to need no labels takes them for equally frequent.
        """
        self.calibration = Calibration()
        if calibrates(self.context, self.params):
            self.calibration = self._found(ask, train, validation, labelled)
        return self.calibration

    def _found(
        self,
        ask: Callable[[Sequence[Query]], Sequence[Prediction]],
        train: Sequence[Example],
        validation: Split,
        labelled: bool,
    ) -> Calibration:
        params, context = self.params, self.context
        labels, kind = list(context.task.labels), params.calibrate
        if kind == "vector":
            fewest = min(map([row.targets[0] for row in validation].count, labels))
            if fewest >= FEWEST_A_LABEL:
                return self._vector(ask, validation)
            context.note(
                "calibration",
                f"prior_matched in place of vector: a label has {fewest} validation rows, of"
                f" {FEWEST_A_LABEL} at the least",
            )
        if kind != "contextual" and train:
            rows = some(Split("train", tuple(train)), params.calibration_rows, context.seed)
            given = surviving(ask, rows.queries)
            if not labelled:
                how = f"on the inputs of {len(rows)} training rows, without their answers"
                context.note("calibration", f"to equal shares of the labels, {how}")
                return match_shares(given, equal_shares(labels))
            kept = [row.targets[0] for row, one in zip(rows, given, strict=True) if not one.error]
            among_all = shares_of([row.targets[0] for row in train], equal_shares(labels))
            context.note(
                "calibration", f"to the labels' shares, on the inputs of {len(kept)} training rows"
            )
            return match_shares(given, shares_of(kept, among_all))
        if kind != "contextual":
            what = "no training rows: labels are taken for equally frequent"
            context.note("calibration", what)
        given = surviving(ask, [Query(f"content-free {text}", text) for text in CONTENT_FREE])
        return match_shares(given, equal_shares(labels))

    def _vector(
        self, ask: Callable[[Sequence[Query]], Sequence[Prediction]], validation: Split
    ) -> Calibration:
        given = surviving(ask, validation.queries)
        pairs = zip(given, validation, strict=True)
        right = [row.targets[0] for one, row in pairs if one.label_logprobs]
        self.context.note("calibration", f"on the answers of {len(right)} validation rows")
        return match_answers(given, right)


def calibrates(context: Context, params: PromptParams) -> bool:
    """Tell whether there is anything to calibrate; say so where there is, and it cannot be."""
    if context.task.answer_kind != "choice":
        for name in ("calibrate", "labels"):
            if getattr(params, name) != PromptParams.model_fields[name].default:
                context.note(name, f"{name} has no effect: answers are not chosen among labels")
        return False
    if params.calibrate == "off":
        return False
    if context.model is not None and context.model.hosted is not None:
        context.note(
            "calibration",
            f"calibration is not possible there: '{context.model.name}' is hosted, and gives no"
            " probabilities of labels; arms on local models are calibrated",
        )
        return False
    return True


def foreseen(params: PromptParams, prospect: Prospect) -> bool:
    """Tell whether a fit is going to calibrate, for a forecast."""
    chosen = prospect.task.answer_kind == "choice" and params.calibrate != "off"
    return chosen and prospect.scores_labels


def as_put(task: TaskInfo, labels: LabelWording, form: PromptForm) -> TaskInfo:
    """Return a task in the words that are put for its labels, with a form's stop strings."""
    task = ended(task, form)
    if task.answer_kind != "choice" or labels == "described":
        return task
    if labels == "names":
        return replace(task, labels=dict.fromkeys(task.labels, ""))
    return replace(task, labels=dict.fromkeys(put_labels(task, labels).values(), ""))


def put_labels(task: TaskInfo, labels: LabelWording) -> Mapping[str, str]:
    """Return each label with the words that are put for it; its name where it has no description.

    Raises:
        StrategyError: two would be put in the same words.
    """
    if labels != "descriptions":
        return {label: label for label in task.labels}
    put: dict[str, str] = {}
    for label, text in task.labels.items():
        words = " ".join(text.split()) or label
        if words in put.values():
            other = next(name for name, known in put.items() if known == words)
            raise StrategyError(
                f"labels: descriptions: {other!r} and {label!r} are described alike ({words!r})"
                " → describe them apart, or write labels: described"
            )
        put[label] = words
    return put
