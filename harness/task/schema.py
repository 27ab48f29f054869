"""The task file: every key, its type, its unit and its default.

Knows nothing of data files or strategies' insides. A key that is not here is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from harness.task.criteria import Labour, Limits, Needs, Traffic
from harness.task.curve_keys import Augment, Curve, Noise
from harness.task.effort import EffortOrNone
from harness.task.model_spec import Model, Models
from harness.task.report_keys import Report
from harness.task.rows_schema import CorpusFiles, Read, Rows
from harness.task.spec import (
    Column,
    Listed,
    Seed,
    Spec,
)
from harness.task.split_spec import SplitSpec
from harness.task.template_kwargs import TemplateKwargs
from harness.task.trial_keys import Diagnostics, Run
from harness.wording.values import nfc, value_text

NAME_PATTERN = r"^[a-z0-9_.@-]+$"
LONGEST_NAME = 100
"""Characters; names of tasks and arms are names of folders too."""
MOST_ARMS = 1000
MOST_SEEDS = 100


def _shape(value: Any) -> str | None:
    names = {list: "list[]", dict: "dict[]", str: "str[]", type(None): "none[]"}
    return names.get(type(value))


def _described(value: Any) -> Any:
    return value_text(value) if isinstance(value, list | dict) else "" if value is None else value


Label = Annotated[str, AfterValidator(nfc)]
Description = Annotated[str, BeforeValidator(_described, json_schema_input_type=Any)]

Labels = Annotated[
    Annotated[list[Label], Tag("list[]")]
    | Annotated[dict[Label, Description], Tag("dict[]")]
    | Annotated[str, Tag("str[]")]
    | Annotated[None, Tag("none[]")],
    # Distinguished by shape, so that a fault speaks of the shape that the user wrote.
    Discriminator(
        _shape,
        custom_error_type="labels",
        custom_error_message="must be a list of labels, a mapping of labels to"
        " descriptions, or the path of a JSON file of either",
    ),
]

JsonSchema = Annotated[
    Annotated[dict[str, Any], Tag("dict[]")]
    | Annotated[str, Tag("str[]")]
    | Annotated[None, Tag("none[]")],
    Discriminator(
        _shape,
        custom_error_type="schema",
        custom_error_message="must be a JSON schema, or the path of a JSON file of one",
    ),
]


class Answer(Spec):
    """What an answer looks like."""

    model_config = ConfigDict(str_min_length=0)  # a description may be empty

    kind: Literal["choice", "text", "json"]
    """choice: one of some labels; text: free text; json: an object under a schema."""
    labels: Labels = None
    """For `choice`: the labels, or label to description, or the path of a JSON file of either.
    They are what the file writes, letter by letter: 01, 1.10, 1e5 and true need no quotes. Without
    this key they are found in the training rows, and told with their counts."""
    json_schema: JsonSchema = Field(None, alias="schema")
    """For `json`: the schema of an answer, or the path of a JSON file of it."""
    no_answer: Label | None = Field(None, pattern=r"\S")
    """For `text`: what to say to a question that has no answer; a row without one has an empty
    target."""


class Data(Spec):
    """Where the rows are and what their columns mean. Paths are relative to the task file.

    Rows stand in .jsonl, .json (an object a line, one array, or one object with a list inside),
    .csv, .tsv, .parquet and .xlsx files, each of which may be packed (.gz), or in a set of the
    model hub; several files are one split.

    One rule for what is no text: a text file's values are what it writes, letter by letter (01,
    1.10, 1e5, TRUE); those of a typed file (Parquet, Excel, a set of the hub) are what JSON writes
    (true, 1, 1.0; a date as ISO 8601). So it is with labels, inputs, ids and all else, and with
    the labels that the task file lists.

    Of rows of chat messages the last user turn is the input, with what stands before it, and the
    assistant's turn after it the target, where `input` and `target` name no other columns.
    """

    train: Rows = None
    """Rows that arms learn from."""
    validation: Rows = None
    """Rows that arms choose their parameters on."""
    test: Rows = None
    """Rows that arms are scored on; no arm sees their targets."""
    all: Rows = None
    """Rows to be cut by `split` instead of the three above."""
    read: Read = Read()
    """How files are read, where what is found in them would be wrong."""
    input: Column = "input"
    """Column with what is asked."""
    target: Column = "target"
    """Column with the right answer, or a list of right answers."""
    id: Column | None = None
    """Column of ids, unique in all splits. Without this key it is `id` where rows have one; null:
    rows are called by split and number."""
    visible: list[Column] = Field([])
    """Further columns that strategies may see; null or absent where nothing is known."""
    slices: list[Column] = Field([])
    """Columns by which the report breaks the score down; not shown to strategies, but for the one
    that `groups` names."""
    cluster: Column | None = None
    """Column naming rows that belong together (one author, one document): resampled as one."""
    evidence: Column | None = None
    """Column with the id, or a list of the ids, of the documents that hold the answer; may be
    empty. Never shown to a strategy."""
    corpus: CorpusFiles = None
    """A folder of .md, .txt, .html and .pdf documents, or a file of rows with `id`, `title`, `text`
    and `allow`, the groups that may read it (a list; in tables a text with semicolons between);
    without `allow` everybody may. Where columns have other names: {file: PATH, text: COLUMN}."""
    groups: Column | None = None
    """Column with the groups of who asks (a list, or a text with semicolons between them; empty: of
    none). Strategies see it as `Query.groups` alone."""

    @model_validator(mode="after")
    def _two_of_one_chat(self) -> Self:
        """Give input and target names of their own where both are one column of chats."""
        if self.input == self.target:
            object.__setattr__(self, "target", target_of_chat(self.input))
        return self


def target_of_chat(column: str) -> str:
    """Return what the target is called where one column of chats is input and target."""
    return f"{column}.target"


class Generation(Spec):
    """How free text is generated (greedily, always)."""

    max_new_tokens: int | None = Field(None, gt=0)
    """After so many tokens an answer is cut; None: after what the training targets need."""
    stop: Annotated[list[str], Listed] = Field([])
    """Texts at which an answer ends; they are not part of it."""


class Arm(Spec):
    """One arm: a strategy with its parameters under a name of its own."""

    use: str
    """The strategy's name, or `path/to/file.py:Class`."""
    name: str = Field(pattern=NAME_PATTERN, max_length=LONGEST_NAME)
    """The arm's own name; without it the strategy's."""
    params: dict[str, Any] = Field({})
    """Parameters of the strategy."""
    model: Model | None = None
    """Its own model, where it is another one than the task's."""


class TaskFile(Spec):
    """A whole task file."""

    name: str = Field(pattern=NAME_PATTERN, max_length=LONGEST_NAME)
    """What the task is called: in reports, and as the folder of its runs."""
    instruction: str = Field(pattern=r"\S")
    """What is asked, in words; every prompted arm is told it."""
    answer: Answer
    """What an answer looks like."""
    data: Data
    """Where the rows are and what their columns mean."""
    metric: str
    """A built-in one, or `path/to/file.py:function` of one's own."""
    also: list[str] = Field([])
    """Further metrics that are reported; none of them decides."""
    model: Models = "smollm2-135m-instruct-q4"
    """A built-in name, a folder, a hub id, or where a hosted one is asked; of a list, every arm
    that needs a model and names none enters with each, as `arm@model`."""
    system: str | None = Field(None, pattern=r"\S")
    """Text of a system turn before every prompt. Where a chat template has no such turn, it stands
    above the first question."""
    chat_template_kwargs: TemplateKwargs = Field({})
    """What a model's chat template takes besides messages, for instance `enable_thinking: true`;
    sent along to a hosted model. Where thoughts are asked for, text is written behind them, within
    `generation.max_new_tokens`; labels and JSON stand behind a closed thought, and so do the
    answers of tuned arms."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: bfloat16 where the hardware multiplies it natively, else float32."""
    strategies: list[Arm] = Field(min_length=1, max_length=MOST_ARMS)
    """The arms: names of strategies, or mappings of `use` and parameters; `harness list strategies`
    shows them."""
    seeds: list[Seed] | None = Field(None, min_length=1, max_length=MOST_SEEDS)
    """What every arm is run with, one trial a seed. Without this key arms whose training is random
    get 0, 1 and 2, all others 0. A seed decides how weights begin, the order of rows, and which of
    the labelled rows are validation: seed 0 has train and validation as they are given, any other
    one cuts them anew, in the same sizes. Test rows are the same for all."""
    effort: EffortOrNone = "none"
    """What is spent on choosing arms' parameters on validation rows, in the spaces that strategies
    declare; none: every arm has its defaults. A parameter that an arm's entry gives stays."""
    curve: Curve | None = None
    """Arms are prepared again from fewer labelled rows, when all else is done."""
    noise: Noise | None = None
    """Likewise with this share of wrong labels among the training rows."""
    augment: Augment | None = None
    """Likewise with further training rows that are made of those that there are."""
    split: SplitSpec | None = None
    """How `data.all` is cut into train, validation and test."""
    generation: Generation = Generation()
    """How free text is generated."""
    limits: Limits = Limits()
    """Hard limits: an arm that misses one is not chosen."""
    needs: Needs = Needs()
    """What the product needs besides quality."""
    traffic: Traffic | None = None
    """How much will be asked, for how long; without it serving 1,000 requests is compared."""
    labour: Labour = Labour()
    """What labels and people's time cost."""
    prices: str | None = None
    """The path of a price file; without one no machine has a price."""
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The gap to the best arm, in units of the metric, that is accepted for something cheaper or
    simpler."""
    run: Run = Run()
    """Limits on a single trial."""
    diagnostics: Diagnostics = Field(
        Diagnostics(), validation_alias=AliasChoices("diagnostics", "facts")
    )
    """What else the report says of arms; each part can be switched off. `facts` is the older name
    of the same key."""
    track: Annotated[list[Literal["tensorboard", "mlflow"]], Listed] = Field([])
    """Where trials are told too as they end: their parameters, times, memory and training curves,
    and in the end their scores. Into the run folder; MLflow's where `MLFLOW_TRACKING_URI` names a
    server. A tracker that fails ends no run."""
    report: Report = Report()
    """What a report holds of single rows."""

    @property
    def first_seed(self) -> int:
        """The seed of what is done once for all arms."""
        return self.seeds[0] if self.seeds else 0

    @property
    def models(self) -> list[Model]:
        """The task's models, in order."""
        return self.model if isinstance(self.model, list) else [self.model]


def arm_of(entry: Any) -> Any:
    """Turn one entry of `strategies` (a name, or a mapping with `use`) into an Arm's mapping.

    Anything of another shape is returned as it is, for validation to refuse.
    """
    if isinstance(entry, str):
        entry = {"use": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("use"), str):
        return entry
    params = {key: value for key, value in entry.items() if key not in ("use", "name", "model")}
    default_name = entry["use"].rsplit(":", 1)[-1].lower()
    arm = {"use": entry["use"], "name": entry.get("name", default_name), "params": params}
    return arm | ({"model": entry["model"]} if "model" in entry else {})
