"""Whether runs are of one task: what they may differ in, and what is wrong where they differ.

They may have other arms, seeds, sizes of the learning curve and machines, and files in other
places. What an answer is, which rows there are and what counts as success is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from harness.errors import RunFolderError
from harness.files.python_file import names_file
from harness.run.merging.prices import PricesDifferError, united_prices
from harness.run.merging.source import AGAIN, Source
from harness.store.criteria_seal import CRITERIA, edited_since_sealed
from harness.store.records import PlannedTrial, RunHeader
from harness.store.split_record import SplitsRecord, changes

MORE = frozenset(("strategies", "model", "seeds", "curve", "noise", "augment"))
FREE = MORE | frozenset(("data", "prices", "run", "dtype", "track", "report"))
"""Keys of a task that may differ. Which rows there are is told by their hashes, which models by
those of the arms; what the others decide is recorded with each trial."""


def check_alike(sources: Sequence[Source]) -> None:
    """Check that all folders hold runs of one task.

    Raises:
        RunFolderError: they do not; it names every difference.
    """
    first = sources[0]
    problems = [f"{one.name}: {why}" for one in sources for why in _edited(one)]
    for other in sources[1:]:
        problems += (f"{other.name}: {why}" for why in _differences(first, other))
    try:
        united_prices(sources)
    except PricesDifferError as problem:
        problems.append(str(problem))
    if problems:
        raise RunFolderError("\n".join(problems))


def _edited(source: Source) -> Iterator[str]:
    """Say so where a run's criteria were changed on record."""
    if edited_since_sealed(source.header):
        yield (
            "its success criteria on record were changed after they had been sealed →"
            f" {AGAIN.format(folder=source.name)}, or leave it out"
        )


def _differences(first: Source, other: Source) -> Iterator[str]:
    """Say in what a folder's run is another than the first one's, each with what to do."""
    mine, theirs = first.header, other.header
    if (name := theirs.task.get("name")) != (wanted := mine.task.get("name")):
        yield (
            f"it holds runs of the task '{name}', and {first.name} of '{wanted}' → leave it out, or"
            " merge runs of one task"
        )
        return
    again = f"run one of the two again with the other's task file (--out {other.name}), then merge"
    criteria = [key for key in CRITERIA if mine.task.get(key) != theirs.task.get(key)]
    if mine.metric_sha256 != theirs.metric_sha256:
        criteria.append("the file of a metric")
    if criteria:
        yield f"other success criteria than in {first.name} ({', '.join(criteria)}) → {again}"
    keys = sorted({*mine.task, *theirs.task} - FREE - {*CRITERIA})
    if keys := [key for key in keys if mine.task.get(key) != theirs.task.get(key)]:
        yield f"another task than in {first.name} ({', '.join(keys)}) → {again}"
    if variants := list(_other_variants(mine, theirs)):
        yield f"other rows to learn from than in {first.name} ({', '.join(variants)}) → {again}"
    if rows := list(_other_rows(first, other)):
        fix = f"run one of the two again with the other's rows (--out {other.name}), then merge"
        yield f"other rows than in {first.name} ({'; '.join(rows)}) → {fix}"
    yield from _other_arms(first, other)


def _other_variants(mine: RunHeader, theirs: RunHeader) -> Iterator[str]:
    for key in ("noise", "augment"):
        asked = mine.task.get(key), theirs.task.get(key)
        if None not in asked and _bare(asked[0]) != _bare(asked[1]):
            yield key
    read = [{plan.rows.paraphrases for plan in one.curve if plan.rows} for one in (mine, theirs)]
    if all(texts := [one - {None} for one in read]) and texts[0] != texts[1]:
        yield "augment.paraphrases"
    curves = mine.task.get("curve"), theirs.task.get("curve")
    if all(curves) and len({curve.get("seed", 0) for curve in curves if curve}) > 1:
        yield "curve.seed"


def _bare(asked: Any) -> Any:
    """Return what is asked for without the place of a file: what it holds is told by its hash."""
    return {**asked, "paraphrases": None} if isinstance(asked, Mapping) else asked


def _other_rows(first: Source, other: Source) -> Iterator[str]:
    """Say which rows differ: by their own ids where those are on record."""
    mine, theirs = first.header, other.header
    if mine.data.sha256 != theirs.data.sha256 or mine.data.test_n != theirs.data.test_n:
        try:
            before, now = (
                SplitsRecord.model_validate_json(one.folder.splits.read_bytes())
                for one in (first, other)
            )
            said = list(changes(before, now))
        except (OSError, ValidationError):
            said = []
        names = dict.fromkeys((*mine.data.sha256, *theirs.data.sha256))
        differ = [one for one in names if mine.data.sha256.get(one) != theirs.data.sha256.get(one)]
        yield from said or [f"of {', '.join(differ) or 'test'}"]
        return
    for what, hashes in (
        ("right answers of test rows", (first.truth_sha256, other.truth_sha256)),
        ("documents", (first.documents_sha256, other.documents_sha256)),
    ):
        if None not in hashes and hashes[0] != hashes[1]:
            yield what
    cuts = {plan.seed: plan.rows_sha256 for plan in mine.trials}
    for plan in theirs.trials:
        if cuts.get(plan.seed, plan.rows_sha256) != plan.rows_sha256:
            yield f"those that seed {plan.seed} cuts"
            return


def _other_arms(first: Source, other: Source) -> Iterator[str]:
    """Say which arms of one name are not the same, of those that both ran or were to run."""
    known, found = _arms(first), _arms(other)
    both = [name for name in found if name in known]
    mine, theirs = first.header, other.header
    if arms := [
        one for one in both if _identity(known[one], mine) != _identity(found[one], theirs)
    ]:
        fix = (
            "give each an own name in the task file, or run one of the two without (--fresh --only)"
        )
        yield f"other arms of the same name than in {first.name} ({', '.join(arms)}) → {fix}"
        return
    files = {file for one in both for file in _other_files(known[one], found[one])}
    if files:
        yield (
            f"other code of its arms than in {first.name} ({', '.join(sorted(files))}) → run one"
            f" of the two again with the other's file (--out {other.name}), then merge"
        )


def _arms(source: Source) -> dict[str, PlannedTrial]:
    """Return the first plan of each arm that a run has a record of or selected, by its name."""
    taking = {plan.arm for plan in source.plans if plan.selected or plan.trial_id in source.records}
    return {plan.arm: plan for plan in reversed(source.header.trials) if plan.arm in taking}


def _identity(plan: PlannedTrial, header: RunHeader) -> tuple[object, ...]:
    """Return what an arm is: its strategy, its parameters, its model whatever folder it lies in."""
    model = header.models.get(plan.model or "")
    weights = plan.model if model is None else model.sha256 or (model.name, model.revision)
    return plan.strategy, plan.params, weights


def _other_files(one: PlannedTrial, other: PlannedTrial) -> Iterator[str]:
    """Yield the files of an arm's own code whose content differs. Packages may: they are noted."""
    for reference in one.code.keys() & other.code.keys():
        if names_file(reference) and one.code[reference] != other.code[reference]:
            yield reference.rsplit(":", 1)[0]
