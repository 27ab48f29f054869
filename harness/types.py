"""The nouns that a strategy meets: what is asked, what is answered, what it may know.

Knows nothing of models, files or HTML. `None` always means "not known", never 0 or NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from harness.files.hashing import sha256_of, sha256_of_items
from harness.wording.values import value_text

if TYPE_CHECKING:
    from harness.strategy import Strategy

AnswerKind = Literal["choice", "text", "json"]
FinishReason = Literal["stop", "length"]
"""Why a generated answer ends, in the words of the OpenAI protocol."""
PromptForm = Literal["turns", "one_turn", "plain", "bare"]
"""How demonstrations and an input are written. turns: as earlier turns of a chat; one_turn: one
text in one turn of a chat; plain: the same text without a chat template; bare: that without the
instruction."""


@dataclass(frozen=True, slots=True)
class RunningText:
    """A text that a model goes on with: no chat template is applied to it."""

    text: str
    """Up to where the answer begins, which follows behind a space."""
    end: str = "\n\n"
    """What stands behind an answer in such a text, and so tells that it is over."""


Prompt = str | tuple[str, ...] | RunningText
"""What is put to a model: one turn of a user; or a conversation, the user's turns and the
assistant's by turns, which begins and ends with the user's; or running text."""


def read_prompt(value: str | Sequence[str] | Mapping[str, str]) -> Prompt:
    """Return the prompt that a value of JSON holds."""
    if isinstance(value, Mapping):
        return RunningText(**value)
    return value if isinstance(value, str) else tuple(value)


def prompt_value(prompt: Prompt | None) -> Any:
    """Return a prompt as a value of JSON, for `read_prompt`."""
    return asdict(prompt) if isinstance(prompt, RunningText) else prompt


@dataclass(frozen=True, slots=True)
class Query:
    """One input to answer. `fields` holds only the columns named in `data.visible`."""

    id: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    """Groups that the asker belongs to: what documents may be shown."""

    @property
    def full_text(self) -> str:
        """The input as a model reads it: its text, then the visible fields one a line.

        A field of null is left out; how lists and objects are written is `value_text`'s rule.
        """
        known = {name: value for name, value in self.fields.items() if value is not None}
        return "\n".join([self.text, *(f"{name}: {value_text(v)}" for name, v in known.items())])

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Query:
        """Return the query that a line of JSON holds."""
        return cls(**{**row, "groups": tuple(row.get("groups", ()))})


@dataclass(frozen=True, slots=True)
class Example:
    """A query with its accepted answers; any of `targets` is right."""

    query: Query
    targets: tuple[str, ...]


def _as_values(example: Example) -> dict[str, Any]:
    """Return what `dataclasses.asdict` does of an example, without copies: of a million it counts.

    Trials' ids rest on the hash of these: their names and nesting stay.
    """
    query = example.query
    asked = {"id": query.id, "text": query.text, "fields": query.fields, "groups": query.groups}
    return {"query": asked, "targets": example.targets}


@dataclass(frozen=True)
class Document:
    """One document of the corpus."""

    id: str
    title: str
    text: str
    allow: tuple[str, ...] | None = None
    """Groups that may read it; None: everybody."""

    @cached_property
    def content(self) -> str:
        """Hash of what it says, the same for copies: title and text, whatever blanks are between.

        A title that is the document's own name (its file's) is no content.
        """
        return content_of(self.id, self.title, self.text)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Document:
        """Return the document that a line of JSON holds."""
        allow = row.get("allow")
        return cls(**{**row, "allow": None if allow is None else tuple(allow)})


def content_of(document_id: str, title: str, *texts: str) -> str:
    """Return what tells a document or a part of it from others: as `Document.content` has it."""
    named = "" if title == document_id.rsplit("/", 1)[-1] else title
    return sha256_of([" ".join(text.split()) for text in (named, *texts)])


@dataclass(frozen=True)
class Split(Sequence[Example]):
    """A frozen list of examples: the same rows in the same order for every arm."""

    name: str
    examples: tuple[Example, ...]

    @property
    def queries(self) -> list[Query]:
        """The examples without their targets."""
        return [example.query for example in self.examples]

    @cached_property
    def sha256(self) -> str:
        """Content hash over ids, inputs, visible fields and targets, in order."""
        return sha256_of_items(map(_as_values, self.examples))

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        """Return one example, or a tuple of them for a slice."""
        return self.examples[index]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        """Iterate over the examples in their frozen order."""
        return iter(self.examples)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer. Only `text` is required; whatever else is unknown stays None."""

    text: str
    label_logprobs: Mapping[str, float] | None = None
    """Log-probability of each label, normalised over the labels (natural log)."""
    prompt: Prompt | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens whose computation was kept from an earlier request."""
    output_tokens: int | None = None
    finish_reason: FinishReason | None = None
    """How generation ended: by itself ("stop"), or cut at the most tokens that it may write
    ("length"). None: nothing was generated, as where a label is chosen; or nobody said."""
    mean_logprob: float | None = None
    """Mean natural logarithm of the probabilities of the tokens that were generated, the end of the
    answer among them; None: not known, or nothing was generated."""
    least_logprob: float | None = None
    """The least of them."""
    sources: tuple[str, ...] | None = None
    """Ids of the documents that the answer rests on, the most telling first."""
    error: str | None = None
    notes: tuple[str, ...] = ()
    wall_s: float | None = None
    """Seconds that the answer took where it was first given, if that was elsewhere; None: what the
    harness measured counts. Set by the client of hosted models and by strategies that replay a
    file (`Strategy.replays`). For an arm over a hosted model the harness then adds what else was
    asked for the answer and what was done here (`harness/run/worker/clock.py`), so that a strategy
    need not touch it."""
    usd: float | None = None
    """Price of this answer, if somebody charged one; the harness adds likewise."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Prediction:
        """Return the prediction that a line of JSON holds."""
        read: dict[str, Any] = {
            name: tuple(value) for name, value in row.items() if isinstance(value, list)
        }
        if row.get("prompt") is not None:
            read["prompt"] = read_prompt(row["prompt"])
        return cls(**{**row, **read})


NEW_TOKENS = 64
"""New tokens that an answer may have where nothing says what answers need: a sentence or two."""


@dataclass(frozen=True)
class TaskInfo:
    """What a strategy may know of the task: no data, no paths, no targets."""

    name: str
    instruction: str
    answer_kind: AnswerKind
    labels: Mapping[str, str]
    """Label to description ("" where the task gives none); empty unless `answer_kind` is choice."""
    max_new_tokens: int = NEW_TOKENS
    """After so many tokens an answer is cut."""
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    """The JSON schema of an answer, where `answer_kind` is json."""
    no_answer: str | None = None
    """What to say to a question that has no answer, where the task has such."""
    one_line: bool = False
    """Whether the training targets are texts of one line each: then a line ends an answer."""


@dataclass(frozen=True)
class Endpoint:
    """How a hosted model is asked and what it charges. Its key is in no record, only its place."""

    provider: str
    """Whose protocol it speaks: "openai"."""
    key_env: str | None = "OPENAI_API_KEY"
    """Environment variable that holds the key; None: the server wants none."""
    concurrency: int = 8
    """Requests in flight at once, at most."""
    timeout_s: float = 60.0
    """Longest silence of the server within one attempt."""
    max_retries: int = 5
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of each request's body."""
    usd_per_million_input_tokens: float | None = None
    usd_per_million_output_tokens: float | None = None
    usd_per_million_cached_tokens: float | None = None
    """For prompt tokens that the server had kept."""

    @property
    def has_prices(self) -> bool:
        """Whether any price is given."""
        prices = (
            self.usd_per_million_input_tokens,
            self.usd_per_million_output_tokens,
            self.usd_per_million_cached_tokens,
        )
        return any(price is not None for price in prices)

    def charge_usd(self, answer: Prediction) -> float | None:
        """Return what an answer costs at these prices, or None where a price or count is missing.

        A server that says nothing of kept tokens charges all of the prompt alike.
        """
        if answer.prompt_tokens is None or answer.output_tokens is None:
            return None
        cached = answer.cached_tokens or 0
        parts = (
            (answer.prompt_tokens - cached, self.usd_per_million_input_tokens),
            (cached, self.usd_per_million_cached_tokens),
            (answer.output_tokens, self.usd_per_million_output_tokens),
        )
        total = 0.0
        for tokens, price in parts:
            if tokens and price is None:
                return None
            total += tokens * (price or 0.0) / 1e6
        return total


THOUGHT_SWITCHES = ("enable_thinking", "thinking")
"""Names by which chat templates take whether a model thinks first: Qwen's, GLM's and Gemma's; and
DeepSeek's, Granite's and Kimi's."""
EFFORT = "reasoning_effort"
"""How gpt-oss's template takes how long it thinks."""


@dataclass(frozen=True)
class ChatSettings:
    """What the task adds to every prompt of a model."""

    system: str | None = None
    """Text of a system turn."""
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Variables of the chat template."""
    date: str | None = None
    """The day that a template prints as today's, ISO 8601; None: the day on which it is printed."""

    @property
    def asks_thoughts(self) -> bool:
        """Whether the model is asked to think before it answers."""
        given = [self.template_kwargs.get(name) for name in (*THOUGHT_SWITCHES, EFFORT)]
        return any(given) and False not in given

    def without_thoughts(self) -> ChatSettings:
        """Return the same without what asks for thoughts."""
        switches = (*THOUGHT_SWITCHES, EFFORT)
        kept = {key: value for key, value in self.template_kwargs.items() if key not in switches}
        return replace(self, template_kwargs=kept)

    def decides(self) -> dict[str, Any]:
        """Return what makes a prompt another one; empty where nothing is set.

        The date does not: a run folder has one, and keeps it.
        """
        given = {"system": self.system, "template_kwargs": dict(self.template_kwargs)}
        return {key: value for key, value in given.items() if value}


@dataclass(frozen=True)
class ModelRef:
    """Which model to load or ask, as the parent resolved it."""

    name: str
    """As the task file names it."""
    location: str
    """A folder, a GGUF file or a hub id that transformers can open; a hosted model's address."""
    revision: str | None = None
    sha256: str | None = None
    """Hash of the weights on disk; None for a hub id, whose revision pins it."""
    origin: str = ""
    """In words, for the report: where the weights come from and what was done to them."""
    hosted: Endpoint | None = None
    """How to ask it, where it runs on somebody's server."""
    licence: str | None = None
    """What its own metadata, or of a hosted one the task file, says; None: nothing."""
    chat: ChatSettings = ChatSettings()
    """What the task adds to every prompt of it."""


def model_name(model: str | Mapping[str, Any]) -> str:
    """Return what a model is called in the record: its name as given, a hosted one's with where.

    Args:
        model: as a task file writes it.
    """
    if isinstance(model, str):
        return model
    return f"{model.get('model')} at {str(model.get('base_url')).rstrip('/')}"


RESUMED_S = "resumed_s"
"""File in `Context.scratch`: seconds of an interrupted fit that the present one went on from."""


class Build(Protocol):
    """Makes a part of a strategy."""

    def __call__(
        self,
        name: str,
        params: Mapping[str, Any],
        sub_artifact: str,
        model: str | Mapping[str, Any] | None = None,
        *,
        logprobs: bool = False,
        holds_out_validation: bool = True,
    ) -> Strategy:
        """Return the strategy of this name.

        Args:
            name: as a task file writes it.
            params: its parameters.
            sub_artifact: name of its folder within the artifact, and of its part in the log.
            model: its own, as `Strategy.parts` names it.
            logprobs: see `Context.logprobs`.
            holds_out_validation: see `Context.holds_out_validation`.
        """


@dataclass(frozen=True)
class Context:
    """All a strategy gets besides its parameters and the rows it may learn from."""

    task: TaskInfo
    documents: Sequence[Document]
    """Those of the task, for a strategy that needs a corpus (`Strategy.needs`); none for others.
    They are read where they are first looked at, so an arm pays for them only if it uses them."""
    model: ModelRef | None
    seed: int
    device: str
    dtype: str
    budget_bytes: int
    """Memory this process may use."""
    metric: Callable[[Sequence[Prediction], Sequence[Example]], float]
    """The task's primary metric, e.g. for choosing a setting on validation rows. 0 where it is not
    defined on these."""
    log: Callable[..., None]
    """`log(step=3, train_loss=1.2)` appends a row of numbers to train_log.jsonl. A fit that goes on
    after an interruption may log a step again: the later row counts."""
    note: Callable[[str, str], None]
    """`note("shots", "8 of 12 demonstrations fit")` adds a remark to the trial's record, once."""
    build: Build
    """`build("tfidf", {}, "cheap")` makes another strategy, for combinations; with `model=` one
    whose model is another than the arm's. What it logs is marked as of the part "cheap"."""
    logprobs: bool = False
    """Whether a hosted model is asked how likely its tokens are: for `Prediction.mean_logprob`.
    Servers that do not say so leave that unknown."""
    models: Mapping[str, ModelRef] = field(default_factory=dict)
    """Models that it and its parts use beside `model`, by `model_name`: while it serves, those of
    parts that serve."""
    scratch: Path | None = None
    """A folder that outlives an interrupted `fit` and is gone after a finished one: for what lets
    the same fit go on when it is tried again. It may not exist yet. What goes on from there writes
    the seconds that it need not repeat into the file `RESUMED_S` in it, a line each: they count
    as fitted."""
    unlabelled: Mapping[str, Sequence[Query]] = field(default_factory=dict)
    """Inputs without answers to learn from in `fit`, by the paths that parameters of the type
    `RowsFile` hold."""
    holds_out_validation: bool = False
    """Whoever built it asks it for the validation rows, to set something on the answers. So it
    chooses its settings on them and learns nothing else from them. Of all that `build` makes,
    unless told otherwise."""
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a fit that searches: id of a training or validation row to those of the documents that
    hold its answer (`data.evidence`), where the row names any."""
