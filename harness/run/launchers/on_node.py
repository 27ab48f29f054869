"""What a node of a cluster does with a job that came as a parcel: all but the way there and back.

Lays the parcel down in a temporary folder of its own, has `LocalLauncher` do the job there, and
packs what the job wrote. Knows nothing of Ray and of the machine that the run was started on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from harness.errors import HarnessError, ModelError
from harness.files.refusals import says_full, words_of
from harness.files.temporary_folder import temporary_folder
from harness.run.job import JOB, Job
from harness.run.launchers.base import stopped
from harness.run.launchers.local import LocalLauncher
from harness.run.launchers.parcel import Parcel, packed, stamps, unpacked, written
from harness.store.machine import Hardware
from harness.store.records import WorkerResult
from harness.store.run_folder import each_row
from harness.types import ModelRef

ROOT, INPUTS, OWN = "root", "inputs", "own"
"""Folders of a parcel: what lies below the run's root, the rows, and the user's own files."""


@dataclass(frozen=True)
class Order:
    """A job as it travels."""

    job: str
    """As JSON; paths of the user's own files that travel are written below `OWN`."""
    own_params: tuple[str, ...] = ()
    """Parameters that name such files."""
    folders: tuple[str, ...] = ()
    """Paths of folders that are to be on the node, under the same path."""
    four_bits: bool = False
    """Whether it loads its model in 4 bits."""
    cpus: float = 1.0
    """What the job was given of the node's."""
    node_cpus: float = 1.0
    node: str = ""
    """The node's name."""
    shared: str = ""
    """The folder that what the job wrote goes home through; empty: with the account."""


@dataclass(frozen=True)
class Delivery:
    """What comes back."""

    account: str = ""
    """The `WorkerResult` as JSON."""
    parcel: Parcel = b""
    """What the job wrote, as paths below the root."""
    gone: tuple[str, ...] = ()
    """What it took away."""
    refused: str = ""
    """Why this node could not take the job at all; empty: it took it."""


def done(order: Order, parcel: Parcel, secrets: Mapping[str, str]) -> Delivery:
    """Do a job on this machine.

    Args:
        order: the job.
        parcel: all that it needs, see `ROOT`.
        secrets: the environment variables that it alone is to have.
    """
    try:
        with temporary_folder() as place, _environment(order, secrets):
            unpacked(parcel, place)
            return _done(order, place)
    except OSError as problem:
        if not says_full(problem):
            raise
        return Delivery(refused=f"no room: {words_of(problem)}")


def _done(order: Order, place: Path) -> Delivery:
    job, root = _here(order, place), place / ROOT
    folders = (job.folder, job.artifact)
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
    before = stamps(root, folders)
    try:
        for needed in order.folders:
            _check_folder(needed)
        job = _with_models(job, Path(Job.model_validate_json(order.job).strategy_base), order)
        inputs = {file.stem: each_row(file) for file in sorted((place / INPUTS).glob("*.jsonl"))}
        result = LocalLauncher(root).run(job, inputs)
    except KeyboardInterrupt:  # the driver's: what was written until now goes home all the same
        result = stopped("failed", "interrupted")
    except HarnessError as problem:
        result = stopped("failed", f"on {order.node}: {problem}")
    after = stamps(root, folders)
    mine = (job.folder / JOB).as_posix()
    names = [name for name in after if after[name] != before.get(name) and name != mine]
    files: dict[str, Path | bytes] = {name: root / name for name in names}
    return Delivery(
        _as_at_home(result, order, root).model_dump_json(),
        written(Path(order.shared), files) if order.shared else packed(files),
        tuple(name for name in before if name not in after),
    )


def _here(order: Order, place: Path) -> Job:
    """Return the job with the user's own files where they lie on this machine."""
    job, own = Job.model_validate_json(order.job), place / OWN
    params = {name: str(own / job.params[name]) for name in order.own_params}
    return job.model_copy(update={"strategy_base": str(own), "params": job.params | params})


def _as_at_home(result: WorkerResult, order: Order, root: Path) -> WorkerResult:
    """Return the account with what the job ran on, and no path of this machine's temporary root."""
    error = result.error and result.error.replace(str(root), "the run folder")
    on = result.hardware
    if on is None:
        return result.model_copy(update={"error": error})
    machine = on.machine.given_cores(order.node_cpus)
    here = Hardware(machine=machine, device=on.device, dtype=on.dtype, node=order.node)
    return result.model_copy(update={"error": error, "hardware": here})


@contextmanager
def _environment(order: Order, secrets: Mapping[str, str]) -> Iterator[None]:
    """Have the job's secrets and its share of the cores in this process's environment."""
    given = {"OMP_NUM_THREADS": str(max(1, int(order.cpus))), **secrets}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _check_folder(folder: str) -> None:
    if not Path(folder).is_dir():
        raise ModelError(
            f"there is no folder {folder} → copy it to this path on each node, or name a model of"
            " the hub, which each node fetches by itself"
        )


def _with_models(job: Job, base: Path, order: Order) -> Job:
    """Return the job with its models where they lie on this machine, fetched if need be."""
    model = job.model and _found(job.model, base)
    models = {name: _found(ref, base) for name, ref in job.models.items()}
    if model is not None and model.hosted is None:
        _make_ready(model, job, order.four_bits)
    finished = tuple(
        fit.model_copy(update={"model": fit.model and _found(fit.model, base)})
        for fit in job.finished
    )
    return job.model_copy(update={"model": model, "models": models, "finished": finished})


def _make_ready(model: ModelRef, job: Job, four_bits: bool) -> None:
    """Have ready what is made once of a model, so that no measured process makes it."""
    from harness.run.environment import made_ready

    made_ready(model, job.device, job.dtype, four_bits)


def _found(ref: ModelRef, base: Path) -> ModelRef:
    """Return a model as it lies on this machine.

    Raises:
        ModelError: it is not here and cannot be fetched, or other weights are.
    """
    if ref.hosted is not None:
        return ref
    here = _resolved(ref.name, ref.revision, base)
    for what in ("revision", "sha256"):
        told, found = getattr(ref, what), getattr(here, what)
        if told is not None and told != found:
            raise ModelError(
                f"the model '{ref.name}' has the {what} {found} here, and {told} where the run was"
                f" started → put the same weights on both (here they lie in {here.location})"
            )
    return replace(ref, location=here.location)


@cache
def _resolved(name: str, revision: str | None, base: Path) -> ModelRef:
    """Find a model, once a process: hashing its weights takes a while."""
    from harness.lm.loading.resolve import resolve

    return resolve(name, base, revision=revision)
