"""The contract of a strategy: all that the author of a plugin needs to read.

A strategy turns training examples into an artifact on disk, and an artifact into predictions.
The two halves run in two fresh processes, so only what `fit` writes under `artifact` survives.
Test targets reach neither half.

    class Echo(Strategy):
        \"\"\"Answer with the input itself.\"\"\"

        answers = frozenset({"text"})

        def predict(self, queries):
            return [Prediction(query.text) for query in queries]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from harness.types import Context, Prediction, Prompt, Query, Split
from harness.workload import Estimate, Prospect

T = TypeVar("T")

OFFERS: Mapping[str, str] = {
    "per_user_data": "answers from each user's own data",
    "citations": "citations",
    "offline": "offline use",
}
"""What a task's `needs` may ask of an arm, and its strategy may say it `provides`, in words."""


class Params(BaseModel):
    """Parameters of a strategy: typed, with defaults, unknown keys refused.

    A validator that raises `ValueError` is shown to the user: say what is wrong, then " → " and
    what to write instead.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )

    def refuse_idle(self, *names: str, why: str) -> None:
        """Refuse parameters that were set and have no effect beside the others.

        Args:
            names: those that do nothing here, unless at their defaults.
            why: the setting that makes them idle, e.g. "hybrid: false".

        Raises:
            ValueError: one is set.
        """
        for name in names:
            if getattr(self, name) != type(self).model_fields[name].default:
                value = getattr(self, name)
                raise ValueError(f"{name} ({value}) has no effect with {why} → remove one of them")


def _distinct(values: list[T]) -> list[T]:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise ValueError(f"{value} stands twice → name each candidate once")
    return values


Candidates = Annotated[list[T], Field(min_length=1), AfterValidator(_distinct)]
"""Type of a parameter that lists values of which one is chosen on validation rows."""


INPUT_FILE = "input file"
InputFile = Annotated[str, Field(min_length=1), INPUT_FILE]
"""Type of a parameter that names a file beside the task file: the harness checks that it is there,
hands it over as an absolute path, and takes its content, not its name, for what decides a fit."""

ROWS_FILE = "rows file"
RowsFile = Annotated[str, Field(min_length=1), INPUT_FILE, ROWS_FILE]
"""Type of a parameter that names a file of inputs without answers, rows as the task's are: the
harness reads it, leaves out what also stands in the task's splits, and hands `fit` the others as
`Context.unlabelled`."""

MODEL_NAME = "model name"
OWN_MODEL = "lm"
ModelName = Annotated[str, Field(min_length=1), MODEL_NAME]
"""Type of a parameter that names a model which is not the arm's own, an embedder say: a folder
beside the task file is handed over as an absolute path, and its files count, not its name. Its
licence is held against `needs.licence`, as the arm's own model's is. `OWN_MODEL` names the arm's
own, where a strategy takes that: it is no further model."""


FIT_MODEL = "fit model"
FitModel = Annotated[str | dict[str, Any], FIT_MODEL]
"""Type of a parameter that names a language model which is asked during `fit` and never while it
serves: one that rewrites prompts, say. Written as the task's `model` is, a hosted one too, and
found in `Context.models`."""


@dataclass(frozen=True)
class Part:
    """A strategy that another one builds."""

    strategy: str
    params: Mapping[str, Any]
    model: str | Mapping[str, Any] | None = None
    """Its own language model, written as the task's `model` is; None: that of the arm."""
    serves: bool = True
    """Whether it is asked while the arm serves; a teacher is not."""
    refits: bool = False
    """Whether it may learn from the validation rows as an arm may: nothing is set on its answers to
    them, and it is built with what its whole is told of `Context.holds_out_validation`."""


@dataclass(frozen=True)
class Floor:
    """A cheap strategy that another one is not below where it works: a warning if it is.

    The harness has the floor's answers made once all arms' are closed, or takes those of an arm
    that is the same. They take part in no comparison, and are in no time, memory or cost.
    """

    strategy: str
    """As a task file names it. Where it cannot answer a task, it is no floor there."""
    params: Mapping[str, Any]
    """Those of its parameters that are not its defaults."""
    what: str
    """What it does, to stand after "is below": "copying the nearest training row"."""
    means: str
    """What it means to be below it: "its prompt does not work here"."""
    only_as_arm: bool = False
    """Whether it is a floor only where the task names it as an arm too: one that takes minutes
    must not make every run longer."""


def marked(params: Params, marker: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of the parameters that name something of a kind, and are given."""
    for name, field in type(params).model_fields.items():
        value = getattr(params, name) if marker in field.metadata else None
        if value and not (marker == MODEL_NAME and value == OWN_MODEL):
            yield name, value


class Strategy(ABC):
    """One way of doing the task."""

    answers: ClassVar[frozenset[str]] = frozenset({"choice", "text", "json"})
    """The answer kinds it can give."""
    needs_train: ClassVar[bool] = False
    """It uses labelled rows: their price burdens it, and a task without them is refused."""
    needs_corpus: ClassVar[bool] = False
    needs_model: ClassVar[bool] = False
    learns: ClassVar[Literal["nothing", "index", "weights"]] = "nothing"
    complexity: ClassVar[int] = 1
    """0 a rule … 5 weights and an index: breaks ties towards the simpler."""
    family: ClassVar[Literal["prompted", "retrieval", "classic", "encoder", "tuned"] | None] = None
    """With which arms it shares a task's `effort`; None: told from what it needs and learns."""
    replays: ClassVar[bool] = False
    """It gives answers that were made elsewhere: their own times and charges count, and what they
    do not say is unknown."""
    provides: ClassVar[frozenset[str]] = frozenset()
    """What it offers beyond answers: keys of `OFFERS`."""

    class Params(Params):
        """No parameters unless a strategy defines its own."""

    def __init__(self, params: Any, context: Context):
        self.params = params
        self.context = context

    def fit(  # noqa: B027 - a method with nothing to learn needs none
        self, train: Split, validation: Split, artifact: Path
    ) -> None:
        """Learn from `train`, choose settings on `validation`, write under `artifact`.

        Args:
            train: the labelled rows to learn from.
            validation: the labelled rows to choose settings on.
            artifact: an existing, empty folder; its size is reported as the cost of shipping it.
        """

    def load(self, artifact: Path) -> None:  # noqa: B027 - nor anything to load
        """Read what `fit` wrote. Called in a fresh process, on a fresh instance.

        Args:
            artifact: the folder that `fit` wrote, possibly at another path.
        """

    @abstractmethod
    def predict(self, queries: Sequence[Query]) -> Sequence[Prediction]:
        """Answer each query.

        Keep no clock here: the harness accounts for time and charges, those of a hosted model that
        is asked several times for an answer included, and of answers that are replayed.

        Args:
            queries: one or many; called with one at a time for latency, with all for throughput.

        Returns:
            One prediction for each query, in the same order.
        """

    def equivalents(self) -> Mapping[str, Sequence[Any]]:
        """Return, after `load`, values that come to the same as its parameters do. Optional.

        A search (`effort`) spends no trial on them: of a parameter that was left open, the value
        that was found for it; of one that changes nothing on the task, all others.

        Returns:
            Name of a parameter to some of the values of its space.
        """
        return {}

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt. Optional.

        Raises:
            NotImplementedError: where the strategy has no likelihoods to give.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no likelihoods")

    @classmethod
    def needs(cls, params: Any) -> frozenset[str]:
        """Return what it needs with these parameters.

        "train": training rows; "validation": labelled rows to choose on, where it learns from none;
        "corpus"; "model"; "states": what a model's layers make of a text, which no hosted model
        shows; "weights": a pretrained model's weights, which it tunes: a hosted model's
        cannot be, and the verdict counts it as fine-tuning; "four_bits": the model's weights in
        NF4, made before anything is measured. What the class says, unless a strategy knows better:
        one that shows no demonstrations needs no training rows. What its `parts` need is added by
        the harness.
        """
        flags = {
            "train": cls.needs_train,
            "corpus": cls.needs_corpus,
            "model": cls.needs_model,
            "weights": cls.needs_model and cls.learns == "weights",
        }
        return frozenset(name for name, needed in flags.items() if needed)

    @classmethod
    def refits(cls, params: Any) -> bool:
        """Return whether it learns from the validation rows too, its settings once chosen.

        As a part of another strategy it must not (`Context.holds_out_validation`), and no fit of an
        arm that did is taken over for one. That of `parts` that may (`Part.refits`) is added by the
        harness.
        """
        return False

    @classmethod
    def is_random(cls, params: Any) -> bool:
        """Tell whether another seed (`Context.seed`) trains it to something else.

        Such an arm is trained with several seeds where the task names none, or one training would
        be taken for the method. By default whatever learns weights here: one that finds them
        exactly, like a logistic regression, says False. That of its `parts` is added by the
        harness.
        """
        return cls.learns == "weights" and not cls.replays

    @classmethod
    def fit_usd(cls, params: Any) -> float:
        """Return what making it cost, or would, where somebody else made it: a vendor's fee.

        What the harness measures or is charged while it fits is none of this. That of its `parts`
        is added by the harness.
        """
        return 0.0

    @classmethod
    def models(cls, params: Any) -> tuple[str, ...]:
        """Return the models that it uses beside the arm's own with these parameters.

        Those of its parameters of the type `ModelName`, unless a strategy knows better: one that
        does not search needs no embedder. What its `parts` use is added by the harness.
        """
        return tuple(name for _, name in marked(params, MODEL_NAME))

    @classmethod
    def parts(cls, params: Any) -> tuple[Part | tuple[str, Mapping[str, Any]], ...]:
        """Return the strategies that it builds through its context: `Part`s, or (strategy,
        parameters) of those that work with the arm's own model and are asked while it serves.
        """
        return ()

    @classmethod
    def floors(cls, params: Any) -> tuple[Floor, ...]:
        """Return the cheap strategies that it is not below with these parameters, if it works."""
        return ()

    @classmethod
    def estimate(cls, params: Any, prospect: Prospect) -> Estimate:
        """Declare what `fit` and serving are going to do, for forecasts. Optional.

        In the words of `harness/workload.py`, or in figures; what is None cannot be said.
        """
        return Estimate()
