"""The records of a merged run folder: those of its trials, and a header that plans all of them.

What is of one machine alone (its hardware, packages, the folder of the task) is the first run's,
whose class of machine the others' times, memory and cost are compared with. Nothing in it depends
on when or how often folders were merged: the same runs give the same records. Reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from harness.run.merging.prices import united_prices
from harness.run.merging.selection import Candidate, Key, Selection
from harness.run.merging.source import Source
from harness.store.criteria_seal import COVERS_THE_LIST, CRITERIA, seal
from harness.store.leaks import LeakSource
from harness.store.merged import Merged, MergedRun, TwoAnswers, served_sha256
from harness.store.record_lines import HEADER
from harness.store.records import AnswerRoom, PlannedTrial, RunHeader, TrialRecord
from harness.types import ModelRef

T = TypeVar("T")
ALL = "all"
"""The size of a curve that is every row."""


def united_records(
    sources: Sequence[Source], selection: Selection
) -> list[RunHeader | TrialRecord]:
    """Return all records of the merged folder, in their order.

    Each trial stands under the header of the invocation that first recorded it, so that criteria
    which were changed in between are found out as in the run's own folder. Where that header is not
    known, the trial stands before all of them.

    Args:
        sources: the runs, in the order in which they were named.
        selection: which of their trials count.
    """
    unknown: list[RunHeader | TrialRecord] = []
    under: dict[str, list[RunHeader | TrialRecord]] = {}
    header = united_header(sources, selection)
    kept = {one.record.trial_id: one for one in selection.kept.values() if one.record is not None}
    for source in sources:
        for trial_id, began in source.began.items():
            one = kept.get(trial_id)
            if one is None or one.source is not source or one.record is None:
                continue
            place = unknown if began is None else under.setdefault(_text(began), [began])
            place.append(one.record)
    return [*unknown, *chain.from_iterable(under.values()), header]


def _text(header: RunHeader) -> str:
    return header.model_dump_json()


def own_of(sources: Sequence[Source], selection: Selection) -> frozenset[str]:
    """Return what of the merged folder is signed in this user's name: what this user's runs wrote.

    The header only if all were: it repeats what each of them says of code and servers.
    """
    own = {HEADER} if all(HEADER in source.own for source in sources) else set()
    for one in selection.kept.values():
        if one.record is None:
            continue
        trial_id = one.record.trial_id
        if any(
            {HEADER, trial_id} <= source.own and source.records.get(trial_id) == one.record
            for source in sources
        ):
            own.add(trial_id)
    return frozenset(own)


def united_header(sources: Sequence[Source], selection: Selection) -> RunHeader:
    """Return one header for all runs: it plans what any of them plans."""
    headers = [source.header for source in sources]
    first = headers[0]
    trials = tuple(_main(headers, selection))
    curve = tuple(_on_other_rows(headers, selection))
    task = _task(headers, selection)
    update: dict[str, Any] = {
        "started_at": max(header.started_at for header in headers),
        "task": task,
        "files": {k: v for one in reversed(headers) for k, v in one.files.items()},
        "data_changes": _each_once(chain.from_iterable(one.data_changes for one in headers)),
        "leaks": _leaks(headers),
        "leaks_of": first.leaks_of if len({one.leaks_of for one in headers}) == 1 else None,
        "models": dict(_models(sources, selection)),
        "answer_room": dict(_answer_room(sources, selection)),
        "trials": trials,
        "curve": curve,
        "quick": all(header.quick for header in headers),
        "prompt_date": sources[0].folder.prompt_date(),
        "merged": Merged(
            runs=_each_once(chain.from_iterable(map(_runs, headers))),
            two_answers=_each_once((*_told_before(sources, selection), *selection.two_answers)),
        ),
    }
    seals = {header.criteria_sha256 for header in headers}
    if len(seals) > 1 and all(one.startswith(COVERS_THE_LIST) for one in seals):
        # Each run sealed the prices of its own machines. Of criteria that are one, this is the
        # seal with the prices of all; runs of early versions, which sealed otherwise, have none.
        prices = united_prices(sources)
        rows = None if prices is None else prices.model_dump(mode="json")
        sealed = seal(task, rows, first.metric_sha256)
        update |= {"prices": rows, "criteria_sha256": sealed, "sealed": CRITERIA}
    return first.model_copy(update=update)


def _each_once(values: Iterable[T]) -> tuple[T, ...]:
    """Return values in their order, each where it stands first."""
    found: list[T] = []
    for value in values:
        if value not in found:
            found.append(value)
    return tuple(found)


def _runs(header: RunHeader) -> tuple[MergedRun, ...]:
    """Return the runs that a folder was made of; one that was made of none is a run itself."""
    if header.merged is not None:
        return header.merged.runs
    return (
        MergedRun(started_at=header.started_at, command=header.command, hardware=header.hardware),
    )


def _told_before(sources: Sequence[Source], selection: Selection) -> Iterator[TwoAnswers]:
    """Yield where earlier merges found two answers, one of which still counts."""
    count = {
        (one.record.trial_id, served_sha256(one.record.serve))
        for one in selection.kept.values()
        if one.record is not None
    }
    for source in sources:
        for header in source.folder.headers():
            for told in header.merged.two_answers if header.merged else ():
                if (told.trial_id, told.served_sha256) in count:
                    yield told


def _main(headers: Sequence[RunHeader], selection: Selection) -> Iterator[PlannedTrial]:
    """Yield the trials on all rows as a run plans them: of every arm the first seed, and so on."""
    arms = list(dict.fromkeys(plan.arm for header in headers for plan in header.trials))
    seeds = {arm: _seeds(headers, arm) for arm in arms}
    for turn in range(max(map(len, seeds.values()), default=0)):
        for arm in arms:
            if turn < len(seeds[arm]):
                yield _planned(selection, Key(arm, seeds[arm][turn], None))


def _seeds(headers: Sequence[RunHeader], arm: str) -> list[int]:
    """Return an arm's seeds, in the order of a run that has all of them; else ascending."""
    every = [[plan.seed for plan in header.trials if plan.arm == arm] for header in headers]
    return _in_one_order([list(dict.fromkeys(some)) for some in every])


def _in_one_order(each: Sequence[Sequence[int]]) -> list[int]:
    every = {value for values in each for value in values}
    return list(next((values for values in each if set(values) == every), sorted(every)))


def _on_other_rows(headers: Sequence[RunHeader], selection: Selection) -> Iterator[PlannedTrial]:
    """Yield the other trials as a run plans them: by size, then wrong labels, then made rows."""
    arms = list(dict.fromkeys(plan.arm for header in headers for plan in header.trials))

    def order(key: Key) -> tuple[Any, ...]:
        assert key.rows is not None
        rows, arm = key.rows, arms.index(key.arm) if key.arm in arms else len(arms)
        kind = 0 if rows.size is not None else 1 if rows.noise else 2
        return kind, rows.size or 0, arm, rows.repeat, key.seed

    for key in sorted((key for key in selection.kept if key.rows is not None), key=order):
        yield _planned(selection, key)


def _planned(selection: Selection, key: Key) -> PlannedTrial:
    plan = selection.kept[key].plan
    return plan.model_copy(update={"selected": selection.asked[key]})


def _task(headers: Sequence[RunHeader], selection: Selection) -> dict[str, Any]:
    """Return the task with all arms, seeds and sizes of the curve that any run had.

    An arm stands in it as in the file of the run that ran it: who left it out may have had another.
    """
    tasks = [header.task for header in headers]
    task = dict(tasks[0])
    ran = {key.arm: one.source.header.task for key, one in reversed(selection.kept.items())}
    arms: dict[Any, Any] = {}
    for one in tasks:
        for entry in one.get("strategies") or ():
            arms.setdefault(entry.get("name"), entry)
    for name in arms.keys() & ran.keys():
        entries = ran[name].get("strategies") or ()
        arms[name] = next((one for one in entries if one.get("name") == name), arms[name])
    task["strategies"] = list(arms.values())
    seeds = [one.get("seeds") for one in tasks]
    task["seeds"] = None if None in seeds else _in_one_order([list(some) for some in seeds if some])
    curves = [one["curve"] for one in tasks if one.get("curve")]
    task["curve"] = _curve(curves) if curves else None
    for key in ("noise", "augment"):
        task[key] = next((one[key] for one in tasks if one.get(key) is not None), None)
    return task


def _curve(curves: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sizes = _each_once(size for curve in curves for size in curve["sizes"])
    counts: list[Any] = sorted(size for size in sizes if size != ALL)
    named: list[list[str] | None] = [curve.get("arms") for curve in curves]
    every = None if None in named else list(_each_once(arm for some in named for arm in some or ()))
    return {
        **curves[0],
        "sizes": [*counts, *([ALL] if ALL in sizes else [])],
        "repeats": max(curve.get("repeats", 1) for curve in curves),
        "arms": every,
    }


def _leaks(headers: Sequence[RunHeader]) -> tuple[LeakSource, ...] | None:
    """Return the test rows that stand in what arms of any run may use; None: not known of one."""
    if any(header.leaks is None for header in headers):
        return None
    found: dict[str, LeakSource] = {}
    for header in headers:
        for leak in header.leaks or ():
            found.setdefault(leak.source, leak)
    return tuple(found.values())


def _models(sources: Sequence[Source], selection: Selection) -> Iterator[tuple[str, ModelRef]]:
    """Yield each model as the first run has it that used it; else as the first that names it."""
    names = dict.fromkeys(name for source in sources for name in source.header.models)
    for name in names:
        yield name, _of_user(sources, selection, name).header.models[name]


def _answer_room(
    sources: Sequence[Source], selection: Selection
) -> Iterator[tuple[str, AnswerRoom]]:
    names = dict.fromkeys(name for source in sources for name in source.header.answer_room)
    for name in names:
        using = _of_user(sources, selection, name)
        rooms = [one.header.answer_room.get(name) for one in (using, *sources)]
        yield from ((name, room) for room in list(filter(None, rooms))[:1])


def _of_user(sources: Sequence[Source], selection: Selection, name: str) -> Source:
    """Return the first run one of whose trials that count uses a model; else that names it."""
    naming = [source for source in sources if name in source.header.models]
    using = [one.source for one in selection.kept.values() if _uses(one, name)]
    return next(
        (source for source in naming if source in using), naming[0] if naming else sources[0]
    )


def _uses(one: Candidate, name: str) -> bool:
    return one.record is not None and name in (one.plan.model, *one.plan.models)
