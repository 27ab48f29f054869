"""Which trials an invocation has: every arm with every seed, then those that learn from other rows.

Knows nothing of processes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from harness.files.hashing import sha256_of
from harness.registry import Profile
from harness.registry.foreign_code import foreign_code
from harness.run import fingerprints as identity
from harness.run.answer_room import asked
from harness.run.floor_plan import planned_floors
from harness.store.planned_floor import PlannedFloor
from harness.store.records import PlannedTrial
from harness.store.rows_variant import RowsVariant
from harness.task import Task
from harness.task.audit.leaks import reads
from harness.task.feasibility import offered
from harness.task.model_spec import Hosted, name_of
from harness.task.schema import Arm

if TYPE_CHECKING:
    from harness.run.environment import Setting

NOISE_DRAWS = 3
"""Draws of wrong labels for an arm at the least: which labels are wrong decides much."""


def planned_trials(task: Task, setting: Setting, only: frozenset[str]) -> Iterator[PlannedTrial]:
    """Yield every arm with each of its seeds, interleaved by seed.

    Args:
        task: what is run.
        setting: the models and the hardware.
        only: the arms that are selected; empty: all.
    """
    arms = [PlannedArm(task, arm, setting, not only or arm.name in only) for arm in task.arms]
    seeds = {arm.name: task.seeds_of(arm.name) for arm in task.arms}
    for turn in range(max(map(len, seeds.values()), default=0)):
        for arm in (arm for arm in arms if turn < len(seeds[arm.arm.name])):
            yield arm.trial(seeds[arm.arm.name][turn])


def planned_variants(
    task: Task, setting: Setting, main: Collection[PlannedTrial]
) -> Iterator[PlannedTrial]:
    """Yield the trials of `curve`, `noise` and `augment`, those of the same kind of rows together.

    What takes part are arms that learn from labels and can run at all. Of sizes the smallest comes
    first. The size `all` is an arm's own trials, and is not run again; nor is what comes to the
    same rows.

    Args:
        task: what is run.
        setting: the models and the hardware.
        main: the trials on all rows as they are.
    """
    known = {trial.trial_id for trial in main}
    chosen = {trial.arm for trial in main if trial.selected}
    for trial in _variants(task, setting, chosen):
        if trial.trial_id not in known:
            known.add(trial.trial_id)
            yield trial


def _variants(task: Task, setting: Setting, chosen: Collection[str]) -> Iterator[PlannedTrial]:
    spec = task.spec
    arms = [
        PlannedArm(task, arm, setting, arm.name in chosen)
        for arm in task.arms
        if labels_n(task, task.profiles[arm.name])
        and not task.profiles[arm.name].replays
        and refusal(task, arm) is None
    ]
    if (curve := spec.curve) is not None:
        taking = [arm for arm in arms if curve.takes(arm.arm.name)]
        points = product(curve.counts, taking, range(curve.repeats))
        for size, arm, repeat in points:
            yield arm.trial(repeat, RowsVariant(size=size, repeat=repeat, seed=curve.seed))
    for variant, draws in other_variants(task):
        for arm in arms:
            seeds = task.seeds_of(arm.arm.name)
            for draw in range(max(len(seeds), draws)):
                seed = seeds[draw % len(seeds)]
                yield arm.trial(seed, variant.model_copy(update={"repeat": draw}))


def variants_asked(task: Task) -> str:
    """Return which keys of the task ask for trials on other rows, in words."""
    keys = [key for key in ("curve", "noise", "augment") if getattr(task.spec, key) is not None]
    return " and ".join(f"`{key}`" for key in keys) + (
        " are" if len(keys) > 1 else " is" if keys else ""
    )


def kind_of_rows(trial: PlannedTrial) -> RowsVariant | None:
    """Return what a trial learns from, whichever repeat it is."""
    return None if trial.rows is None else trial.rows.model_copy(update={"repeat": 0})


def other_variants(task: Task) -> Iterator[tuple[RowsVariant, int]]:
    """Yield what is done to all rows, and how often at the least, whatever an arm's seeds."""
    if task.spec.noise is not None:
        yield RowsVariant(noise=task.spec.noise), NOISE_DRAWS
    if (augment := task.spec.augment) is not None:
        yield (
            RowsVariant(
                factor=augment.factor,
                kinds=tuple(augment.kinds),
                paraphrases=task.paraphrases.sha256,
            ),
            1,
        )


@dataclass(frozen=True)
class PlannedArm:
    """An arm of a task, and what its trials share."""

    task: Task
    arm: Arm
    setting: Setting
    selected: bool

    def trial(self, seed: int, variant: RowsVariant | None = None) -> PlannedTrial:
        """Return its trial with a seed, on all rows as they are or on a variant of them."""
        task, arm, setting = self.task, self.arm, self.setting
        strategy, profile = task.strategies[arm.name], task.profiles[arm.name]
        rows = task.of_seed(seed, variant)
        fit = self._fit_id(rows, seed, variant)
        return PlannedTrial(
            arm=arm.name,
            strategy=arm.use,
            params=task.params[arm.name],
            seed=seed,
            rows=variant,
            fit_id=fit,
            trial_id=identity.trial_id(fit, arm.name, task.test),
            is_random=profile.is_random,
            rows_sha256={split.name: split.sha256 for split in (rows.train, rows.validation)},
            selected=self.selected,
            refused=self._refused,
            answers=tuple(sorted(profile.answers)),
            labels_n=labels_n(rows if variant and variant.size else task, profile),
            needs_model="model" in profile.needs,
            learns=profile.learns,
            tunes="weights" in profile.needs,
            complexity=strategy.complexity,
            provides=tuple(sorted(offered(arm, profile))),
            model=self._model,
            models=self._beside,
            serves_with=tuple(map(name_of, task.models_beside(arm.name, serving=True))),
            licences={name: setting.licences.get(name) for name in profile.models},
            replays=profile.replays,
            reads=reads(task, arm.name),
            fit_usd=profile.fit_usd,
            code=self._code,
            floors=() if variant else self._floors,
        )

    def _fit_id(self, rows: Task, seed: int, variant: RowsVariant | None) -> str:
        name, setting = self.arm.name, self.setting
        told = asked(rows, name, setting.answer_room)
        used = setting.models.get(self._model or "")
        others = {n: setting.models[n] for n in self._beside if n in setting.models}
        fit = identity.fit_id(told, name, seed, used, setting.dtype, others)
        if variant is None or name not in self.task.searches:
            return fit
        # The first repeat of these rows searches, and the others have what it chose.
        first = self._first(variant)
        return sha256_of([fit, first.train.sha256, first.validation.sha256])

    def _first(self, variant: RowsVariant) -> Task:
        """Return the task with the rows of a variant's first repeat."""
        seed = 0 if variant.size is not None else self.task.seeds_of(self.arm.name)[0]
        return self.task.of_seed(seed, variant.model_copy(update={"repeat": 0}))

    @cached_property
    def _refused(self) -> str | None:
        return refusal(self.task, self.arm)

    @cached_property
    def _model(self) -> str | None:
        return None if self.arm.model is None else name_of(self.arm.model)

    @cached_property
    def _beside(self) -> tuple[str, ...]:
        return tuple(map(name_of, self.task.models_beside(self.arm.name)))

    @cached_property
    def _code(self) -> Mapping[str, str | None]:
        params = self.task.params[self.arm.name]
        found = foreign_code(self.arm.use, params, self.task.folder)
        return {code.reference: code.identity for code in found}

    @cached_property
    def _floors(self) -> tuple[PlannedFloor, ...]:
        if self._refused is not None:
            return ()
        return tuple(planned_floors(self.task, self.arm, self.setting.models, self.setting.dtype))


def labels_n(task: Task, profile: Profile) -> int:
    """Return how many labelled rows an arm uses; whoever learns from rows chooses on others too.

    Whose answers are replayed and come from tuned weights learnt from them elsewhere.
    """
    needs = profile.needs
    learns = "train" in needs or (profile.replays and "weights" in needs)
    learnt = len(task.train) if learns else 0
    return learnt + (len(task.validation) if learns or "validation" in needs else 0)


def refusal(task: Task, arm: Arm) -> str | None:
    """Return why an arm cannot run on a task at all, or None."""
    strategy, profile = task.strategies[arm.name], task.profiles[arm.name]
    kind, needs = task.spec.answer.kind, profile.needs
    if kind not in profile.answers:
        who = "one of its parts " if kind in strategy.answers else ""
        return f"{who}does not give answers of kind {kind}"
    if "train" in needs and not len(task.train):
        fewer = ", or ask for shots: 0" if task.params[arm.name].get("shots") else ""
        return f"needs training rows, and the task has none → add data.train{fewer}"
    if "corpus" in needs and not task.documents:
        return "needs documents, and the task has none (data.corpus)"
    if profile.tunes_own and isinstance(arm.model, Hosted):
        return f"needs a model's weights; '{arm.model.model}' is hosted"
    if "states" in needs and isinstance(arm.model, Hosted):
        return f"reads a model's hidden states; '{arm.model.model}' is hosted"
    return None
