"""From the path of a task file to a `Task`: one pass that finds every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from harness import registry
from harness.errors import Fault, TaskError
from harness.files.yaml_source import Source
from harness.prices import Prices, read_prices
from harness.store.finding import Finding, FindingSeverity
from harness.store.records import DataSummary
from harness.store.rows_variant import RowsVariant
from harness.strategy import Strategy
from harness.task.answer_format import LABELS
from harness.task.arms import arms_of
from harness.task.audit import findings as audit
from harness.task.audit.search_size import asked_for_too_many
from harness.task.corpus import Corpus
from harness.task.curve_keys import curve_faults
from harness.task.effort import Search
from harness.task.feasibility import doubts, unmet_needs
from harness.task.frozen_splits import freeze
from harness.task.gold import GoldRow
from harness.task.model_spec import Model, read_model
from harness.task.paraphrases import Paraphrases, read_paraphrases
from harness.task.partly_valid import faults_beside
from harness.task.recorded_files import changed_since, prompt_sha256
from harness.task.schema import Arm, TaskFile
from harness.task.searches import searchable, searches_of
from harness.task.seed_cut import cut_anew
from harness.task.task_data import TaskData, read_data
from harness.task.training_rows import learnt_rows
from harness.task.unlabelled import Unlabelled, read_all
from harness.task.validate import (
    check_keys,
    check_labour,
    nothing_to_score,
    validate,
)
from harness.types import NEW_TOKENS, ChatSettings, Document, Query, Split, TaskInfo

SEEDS = (0, 1, 2)
"""Of arms whose training is random, where the task names none; of all others the first alone. Three
are few to know how much trainings differ by (`FEW_SEEDS` in analysis/scoring/score.py says so), and
what a task's user can be expected to pay for unasked."""
WRITTEN = (LABELS, ("split", "values"))
"""Where a task file names values of rows: these are what it writes, letter by letter."""
QUESTION_MARKS = ("?", "？", "؟")
"""Of European scripts, of Chinese and Japanese, and of Arabic and Persian."""
LEARNT_FROM = ("train", "validation")


@dataclass(frozen=True)
class Task:
    """A task file with its data read, checked and frozen."""

    spec: TaskFile
    path: Path
    labels: Mapping[str, str]
    schema: Mapping[str, Any] | None
    """The JSON schema of an answer, where answers are JSON objects; its keys sorted."""
    train: Split
    validation: Split
    test: Split
    truth: tuple[GoldRow, ...]
    evidence: Mapping[str, tuple[str, ...]]
    """Id of a training or validation row to the documents that hold its answer, where it names any.
    Of test rows no strategy is told."""
    clusters: Mapping[str, tuple[str | None, ...]]
    """Split's name to the cluster of each of its rows."""
    corpus: Corpus
    said: tuple[Finding, ...]
    """What is worth saying of how rows came into their splits."""
    arms: tuple[Arm, ...]
    """The arms of the task file; one that is entered with several models is one arm for each."""
    strategies: Mapping[str, type[Strategy]]
    """Arm name to its class."""
    params: Mapping[str, dict[str, Any]]
    """Arm name to every parameter, defaults filled in."""
    profiles: Mapping[str, registry.Profile]
    """Arm name to what it needs and provides with these parameters."""
    data: DataSummary
    prices: Prices | None
    """The rows of the task's price file, if it names one."""
    searches: Mapping[str, Search] = field(default_factory=dict)
    """Arm name to what it may spend on choosing its parameters; none where it has nothing to choose
    or the task gives no effort."""
    unlabelled: Mapping[str, Unlabelled] = field(default_factory=dict)
    """Inputs without answers that arms learn from, by the files' paths (`Profile.rows_files`)."""
    paraphrases: Paraphrases = field(default_factory=Paraphrases)
    """Of its training rows, where it has any."""
    doubts: tuple[Finding, ...] = ()
    """What its limits are known beforehand not to do, and what its parameters will not."""
    known: dict[tuple[int, RowsVariant | None], Task] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The task with the rows of seeds and variants that were asked for."""

    def seeds_of(self, arm: str) -> tuple[int, ...]:
        """Return the seeds that an arm is run with, the first one first."""
        if self.spec.seeds is not None:
            return tuple(self.spec.seeds)
        return SEEDS if self.profiles[arm].is_random else SEEDS[:1]

    def of_seed(self, seed: int, variant: RowsVariant | None = None) -> Task:
        """Return the task with train and validation as trials of a seed have them.

        Seed 0 has them as they are given. Any other one cuts the same rows anew, so that what
        scores differ by between seeds is what they differ by between trainings on such rows, and
        not between initialisations alone (Bouthillier et al. 2021, arXiv 2103.03098). Rows that
        were cut by time are not: validation rows are newer than those of train for every seed.

        Args:
            seed: of the trial.
            variant: which of these rows it learns from, and what is done to them; None: all.
        """
        if variant is None and (seed == 0 or self.is_by_time):
            return self
        if (seed, variant) not in self.known:
            choice = self.spec.answer.kind == "choice"
            if variant is None:
                train, validation = cut_anew(
                    self.train, self.validation, self.clusters, seed, by_target=choice
                )
                rows = replace(self, train=train, validation=validation)
            else:
                whole = self.of_seed(seed)
                drawn = learnt_rows(
                    whole.train,
                    whole.validation,
                    variant,
                    by_target=choice,
                    paraphrases=self.paraphrases.texts,
                )
                known = {
                    made: self.evidence[row]
                    for made, row in drawn.made_of.items()
                    if row in self.evidence
                }
                evidence = {**self.evidence, **known}
                rows = replace(
                    self, train=drawn.train, validation=drawn.validation, evidence=evidence
                )
            self.known[seed, variant] = rows
        return self.known[seed, variant]

    def freeze(self) -> Path | None:
        """Write which row is in which split, where the task names a file for it and has none yet.

        Returns:
            The file's path, if it was written.

        Raises:
            OSError: it cannot be written.
        """
        return freeze(self.spec.split, self.folder, self.splits)

    @property
    def splits(self) -> dict[str, Split]:
        """Its three splits by their names."""
        return {split.name: split for split in (self.train, self.validation, self.test)}

    @property
    def is_by_time(self) -> bool:
        """Whether rows were cut by their times."""
        return self.spec.split is not None and self.spec.split.time is not None

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """Everything worth saying of it before a run."""
        return (*self.doubts, *self.data.findings, *self.data.expectations)

    def models_of(self, arm: Arm) -> list[Model]:
        """Return all language models that an arm uses, its own first."""
        own = [] if arm.model is None else [arm.model]
        return [*own, *self.models_beside(arm.name)]

    def unlabelled_of(self, profile: registry.Profile) -> dict[str, tuple[Query, ...]]:
        """Return inputs without answers that a strategy learns from, by their files' paths."""
        return {file: self.unlabelled[file].queries for file in profile.rows_files}

    def models_beside(self, arm: str, serving: bool = False) -> list[Model]:
        """Return the language models that an arm uses beside its own.

        Args:
            arm: its name.
            serving: only those that are asked while it serves.
        """
        beside = self.profiles[arm].beside
        return [read_model(one.model) for one in beside if one.serves or not serving]

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents of its corpus; none where it has no corpus."""
        return self.corpus.documents

    @property
    def folder(self) -> Path:
        """The folder that the task's paths start from."""
        return self.path.parent

    @property
    def chat(self) -> ChatSettings:
        """What it adds to every prompt of a model."""
        return ChatSettings(self.spec.system, self.spec.chat_template_kwargs)

    @cached_property
    def info(self) -> TaskInfo:
        """What a strategy may know of the task."""
        targets = [target for row in self.train for target in row.targets]
        one_line = bool(targets) and not any("\n" in target.strip() for target in targets)
        return replace(
            info_of(self.spec, self.labels, self.schema),
            one_line=one_line,
            asks_questions=self.spec.answer.kind == "text" and self._asks_questions,
        )

    @cached_property
    def _asks_questions(self) -> bool:
        """Whether most training inputs end as questions do."""
        asked = sum(row.query.text.rstrip().endswith(QUESTION_MARKS) for row in self.train)
        return 2 * asked > len(self.train)


def info_of(
    spec: TaskFile, labels: Mapping[str, str], schema: Mapping[str, Any] | None
) -> TaskInfo:
    """Return what a strategy may know of a task."""
    return TaskInfo(
        spec.name,
        spec.instruction,
        spec.answer.kind,
        labels,
        spec.generation.max_new_tokens or NEW_TOKENS,
        tuple(spec.generation.stop),
        schema,
        spec.answer.no_answer,
    )


TryCode = Callable[[TaskFile, Path, TaskData, TaskInfo], Mapping[tuple[str | int, ...], str]]
"""Has a task's own code tried before it is imported here; returns what is wrong with it, by the key
of the task file that names it (code_check.py)."""


def as_it_is(
    spec: TaskFile, base: Path, data: TaskData, info: TaskInfo
) -> Mapping[tuple[str | int, ...], str]:
    """Try no code: whoever loads the task here stands up for it."""
    return {}


def load_task(path: Path, try_code: TryCode = as_it_is, *, paraphrased: bool = True) -> Task:
    """Read a task file and all its data.

    Args:
        path: of the task file.
        try_code: has its own code tried first. What a strategy or a metric then raises here is a
            fault; what ends a process would end this one.
        paraphrased: whether its paraphrases are read; not where they are yet to be written.

    Raises:
        TaskError: with every fault of the file and the data, each with its place and a remedy.
    """
    source = Source(path, "write one with `python -m harness new task NAME`", texts=WRITTEN)
    faults: list[Fault] = []
    try:
        spec = validate(source)
    except TaskError as problem:
        raise TaskError([*problem.faults, *faults_beside(source)]) from None
    of_data: list[Fault] = []
    read = read_data(spec, source, of_data)
    labels, schema, corpus, splits, truths, said = read
    refused = try_code(spec, source.path.parent, read, info_of(spec, labels, schema))
    faults.extend(Fault(source.where(_place(key)), what) for key, what in refused.items())
    check_keys(spec, source, faults, {str(key[-1]) for key in refused})
    earlier = len(faults)
    arms, strategies, params, profiles = arms_of(spec, source, faults, refused)
    if len(faults) == earlier and not refused:  # an arm that is not understood may offer it
        faults.extend(unmet_needs(spec, source, arms, profiles))
    check_labour(spec, source, arms, faults)
    if not of_data:
        names = [*dict.fromkeys(arm.name for arm in (*spec.strategies, *arms))]
        faults.extend(curve_faults(spec.curve, source, names, splits))
    paraphrases = Paraphrases()
    if paraphrased and not of_data:
        paraphrases = read_paraphrases(spec.augment, source, splits, faults)
    prices = _prices(spec, path.parent, faults)
    to_choose = list(searchable(spec, arms, strategies, profiles, prices))
    searches, of_effort = searches_of(spec, source, to_choose, read, faults)
    truth = tuple(truths["test"])
    if not (faults or of_data) and (nothing := nothing_to_score(spec, source.path.parent, truth)):
        faults.append(Fault(source.where(["metric"]), nothing.what, nothing.fix))
    files = [Path(file) for profile in profiles.values() for file in profile.rows_files]
    unlabelled = {} if of_data else read_all(files, spec.data, splits, of_data)
    if not (faults or of_data):
        asked = prompt_sha256(spec, labels, schema), splits["test"]
        faults.extend(changed_since(spec, source, strategies, params, asked))
    if faults or of_data:
        raise TaskError([*faults, *of_data])
    margin, total = spec.margin, len(splits["test"])
    clusters = {name: tuple(row.cluster for row in rows) for name, rows in truths.items()}
    data = audit.data_summary(splits, clusters, corpus, labels, margin, total)
    return Task(
        spec=spec,
        path=path,
        labels=labels,
        schema=schema,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        truth=truth,
        evidence={
            row.id: row.evidence for split in LEARNT_FROM for row in truths[split] if row.evidence
        },
        clusters=clusters,
        corpus=corpus,
        said=said,
        arms=arms,
        strategies=strategies,
        params=params,
        profiles=profiles,
        data=data.model_copy(update={"findings": (*said, *data.findings)}),
        prices=prices,
        searches=searches,
        unlabelled=unlabelled,
        paraphrases=paraphrases,
        doubts=(
            *_said("limits", doubts(spec, arms, profiles, prices), "warning"),
            *_said("effort", of_effort),
            *_said("passages asked for", asked_for_too_many(params, corpus.documents)),
            *(said for file, read in unlabelled.items() for said in read.findings(Path(file).name)),
            *paraphrases.findings,
        ),
    )


def _said(
    kind: str, sentences: Iterable[str], severity: FindingSeverity = "note"
) -> Iterator[Finding]:
    return (Finding.of_sentence(sentence, kind, severity) for sentence in sentences)


def _place(key: tuple[str | int, ...]) -> list[str | int]:
    """Return where a fault of code stands: of a metric the key, whichever it is of several."""
    return [key[0]] if key[0] in ("metric", "also") else list(key)


def _prices(spec: TaskFile, folder: Path, faults: list[Fault]) -> Prices | None:
    if spec.prices is None:
        return None
    try:
        return read_prices(folder / spec.prices, folder)
    except TaskError as problem:
        faults.extend(problem.faults)
        return None
