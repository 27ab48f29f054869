"""A fit as it is kept beside its artifact: how it went, and what tells the artifact from others."""

from __future__ import annotations

from pathlib import Path

from harness.files.atomic import atomic_write
from harness.store.base import Record
from harness.store.checksum import checked, with_checksum
from harness.store.recorded_files import folder_sha256
from harness.store.records import Count, WorkerResult

ACCOUNT, ARTIFACT, TRAIN_LOG = "fit.json", "artifact", "train_log.jsonl"
"""What a fit's folder holds."""


class FitAccount(Record):
    """What fit.json holds."""

    fit_id: str
    result: WorkerResult
    artifact_bytes: Count | None = None
    artifact_sha256: str | None = None
    """None: an earlier version wrote it."""


def write_account(folder: Path, account: FitAccount) -> None:
    """Lay an account into a fit's folder."""
    atomic_write(folder / ACCOUNT, with_checksum(account.model_dump_json(indent=1)))


def read_account(folder: Path) -> FitAccount | None:
    """Return the account of a fit's folder; None where there is none, or it is damaged."""
    try:
        return FitAccount.model_validate(checked((folder / ACCOUNT).read_bytes()))
    except (OSError, ValueError):
        return None


def standing_fit(folder: Path, fit_id: str) -> FitAccount | None:
    """Return the account of a finished fit, if that is the fit and its artifact is as it was left.

    Args:
        folder: the fit's.
        fit_id: of the fit that is wanted.
    """
    account = read_account(folder)
    if account is None or account.fit_id != fit_id or not (folder / ARTIFACT).is_dir():
        return None
    if account.artifact_sha256 not in (None, folder_sha256(folder / ARTIFACT)):
        return None
    return account
