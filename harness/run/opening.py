"""What `predict` may do with a run folder: its own user's as it stands, anybody else's as data.

A folder says which code an arm runs, which server is asked and which variable holds the key. In a
folder that this user's runs did not sign, each of that is the word of a stranger. Knows what is
asked of the user, and nothing of strategies and servers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import RunFolderError
from harness.registry.foreign_code import ForeignCode, foreign_code
from harness.run.job import Job
from harness.store.records import PlannedTrial
from harness.types import ModelRef

FOREIGN = "this folder was not made by you on this machine, or was changed since"
NO_METRIC = "accuracy"
"""Stands in for a metric of a file's: no arm that is served applies one."""


@dataclass(frozen=True)
class Leave:
    """What the user allows."""

    trust: bool = False
    """Do what the folder says, whoever wrote it."""
    base_url: str | None = None
    """Ask this server, and not the one that the folder names."""
    key_env: str | None = None
    """Variable with the key for that server; None: none is sent."""


def allowed(
    job: Job, plan: PlannedTrial, own: bool, leave: Leave, tell: Callable[[str], None]
) -> Job:
    """Return the job as it may be done.

    Args:
        job: as the folder has it.
        plan: of its trial, with what is on record of its code.
        own: whether this user's run signed the folder.
        leave: what the user allows.
        tell: told, before anything is done, which code is run and which server is asked.

    Raises:
        RunFolderError: it would run code or ask a server on a stranger's word.
    """
    codes = list(foreign_code(job.strategy, job.params, Path(job.strategy_base)))
    told = [_said(code, plan) for code in codes]
    if codes and not own and not leave.trust:
        raise RunFolderError(
            f"{FOREIGN}, and its arm '{plan.arm}' runs code: {'; '.join(told)}"
            " → read that code, then say --trust to have it run"
        )
    for code, line in zip(codes, told, strict=True):
        if not own or _differs(code, plan):
            tell(f"runs {line}")
    job = _asking(job, plan.arm, own, leave, tell)
    return job if own or leave.trust else job.model_copy(update={"metric": NO_METRIC})


def _asking(job: Job, arm: str, is_own: bool, leave: Leave, tell: Callable[[str], None]) -> Job:
    """Return the job with the servers that may be asked, which are told; of others nothing."""
    own, beside = ([job.model] if job.model else []), list(job.models.items())
    asked = [ref for ref in (*own, *(ref for _, ref in beside)) if ref.hosted is not None]
    if leave.base_url is not None and len(asked) != 1:
        what = f"asks {len(asked)} servers" if asked else "asks no server"
        raise RunFolderError(f"the arm '{arm}' {what} → leave out --base-url")
    allowed = {id(ref): _asking_one(ref, arm, is_own, leave, tell) for ref in asked}
    keys = [ref.hosted.key_env for ref in allowed.values() if ref.hosted and ref.hosted.key_env]
    update: dict[str, Any] = {
        "model": allowed.get(id(job.model), job.model),
        "models": {name: allowed.get(id(ref), ref) for name, ref in beside},
    }
    return job.model_copy(update={**update, "own_secrets": tuple(keys)} if asked else {})


def _asking_one(
    model: ModelRef, arm: str, own: bool, leave: Leave, tell: Callable[[str], None]
) -> ModelRef:
    """Return a hosted model with the server that may be asked in its name, which is told."""
    endpoint = model.hosted
    assert endpoint is not None
    if leave.base_url is not None:
        endpoint = replace(endpoint, key_env=leave.key_env)
        model = replace(model, location=leave.base_url.rstrip("/"), hosted=endpoint)
    elif not own and not leave.trust:
        key = f" with the value of {endpoint.key_env}" if endpoint.key_env else ""
        raise RunFolderError(
            f"{FOREIGN}, and its arm '{arm}' asks the server {model.location}{key} → name server"
            " and variable yourself (--base-url URL --key-env NAME; without --key-env no key is"
            " sent), or say --trust to have that one asked"
        )
    tell(server_said(model))
    return model


def server_said(model: ModelRef) -> str:
    """Return which server a hosted model's prompts go to, and which variable holds its key."""
    assert model.hosted is not None
    name = model.hosted.key_env
    key = f"the key in {name}" if name else "no key"
    return f"asks {urlsplit(model.location).netloc} ({model.location}) with {key}"


def _said(code: ForeignCode, plan: PlannedTrial) -> str:
    """Return what code is, and whether it is what ran, in words."""
    if code.identity is None:
        return f"{code.place} (which is not there)"
    recorded = plan.code.get(code.reference)
    ran = "as recorded" if not _differs(code, plan) else f"not what ran: {recorded}"
    if recorded is None:
        ran = "not on record"
    what = "sha256 " if len(code.identity) == 64 else ""
    return f"{code.place} ({what}{code.identity}, {ran})"


def _differs(code: ForeignCode, plan: PlannedTrial) -> bool:
    recorded = plan.code.get(code.reference)
    return recorded is not None and recorded != code.identity


def inside(root: Path, *places: Path) -> None:
    """Check that paths, and all below them, lie inside a folder, wherever links lead.

    Raises:
        RunFolderError: one does not.
    """
    whole = root.resolve()
    for place in places:
        for path in (place, *(place.rglob("*") if place.is_dir() else ())):
            if not path.resolve().is_relative_to(whole):
                raise RunFolderError(
                    f"{FOREIGN}, and {path} leads out of it → take the link away, or say --trust"
                )


@contextmanager
def hub_left_alone() -> Iterator[None]:
    """Have nothing fetched from the model hub inside the `with`, whatever a folder names."""
    name, before = "HF_HUB_OFFLINE", os.environ.get("HF_HUB_OFFLINE")
    constants = sys.modules.get("huggingface_hub.constants")
    loaded = getattr(constants, name, None)
    os.environ[name] = "1"
    if constants is not None:
        setattr(constants, name, True)
    try:
        yield
    finally:
        constants = sys.modules.get("huggingface_hub.constants")
        if constants is not None:  # what was imported inside read the variable
            setattr(constants, name, loaded if loaded is not None else before in ("1", "true"))
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
