"""Says what recording a model's answers will cost, what came of it, and what to write next.

The work is done by `harness/run/record.py`, of paraphrases with `harness/run/paraphrasing.py`.
"""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

from harness.cli.exit_codes import NO_RESULT, OK
from harness.cli.plain import complain, tell
from harness.errors import UserError
from harness.run.record import Account, Request, record, to_record
from harness.task import Task
from harness.wording import numbers

SHOWN = 3
"""Failed rows that are named."""


def recorded(task: Task, request: Request, out: Path | None) -> int:
    """Record an arm's answers.

    Args:
        task: which.
        request: which arm, and where it is asked.
        out: where answers are kept; None: beside the task.

    Returns:
        The exit code: 3 where no row has an answer.
    """
    asked = to_record(task, request)
    file = out or task.folder / "recorded" / f"{request.arm}.jsonl"
    account = record(asked, request.arm, file, complain, partial(_price, request.arm))
    return _told(account, "test rows are answered", _next(task, request.arm, account))


def paraphrased(task: Task, request: Request, out: Path | None, limit: int | None) -> int:
    """Have an arm's model write paraphrases of a task's training rows.

    Args:
        task: which; its own paraphrases are not read.
        request: which arm's model, and where it is asked.
        out: where they are kept; None: where the task says, else beside it.
        limit: how many are asked for at the most; None: all that are wanted.

    Returns:
        The exit code: 3 where there is none.
    """
    from harness.run.paraphrasing import ARM, to_paraphrase, wanted
    from harness.task.paraphrases import FILE

    augment = wanted(task)
    file = out or task.folder / (augment.paraphrases or FILE)
    if file.suffix != ".jsonl":
        raise UserError(f"{file} is to hold a JSON object a line → name a .jsonl file")
    writing = to_paraphrase(task, request, limit)
    account = record(writing, ARM, file, complain, partial(_price, ARM))
    keys = {"factor": augment.factor, "kinds": list(augment.kinds)}
    shown = json.dumps({**keys, "paraphrases": _beside(task, account.file)}, ensure_ascii=False)
    lines = [f"in {task.path}, write this; no run asks for paraphrases:", f"augment: {shown}"]
    return _told(account, "paraphrases stand", lines)


def _told(account: Account, what: str, lines: list[str]) -> int:
    """Say what came of it; return the exit code."""
    for note in account.notes:
        complain(note)
    tell(_summed_up(account, what))
    for row_id, error in list(account.failed.items())[:SHOWN]:
        complain(f"error: {row_id}: {error}")
    if account.failed:
        complain("failed rows stand in the file; the same command asks for them again")
    if len(account.failed) == account.rows_n:
        return NO_RESULT
    for line in lines:
        tell(line)
    return OK


def _price(arm: str, task: Task) -> str:
    """Return what asking a task's test rows will cost, at the most, in words."""
    from harness.plan import foresee

    rows = f"{len(task.test)} requests" if len(task.test) > 1 else "1 request"
    [model] = (one.model for one in task.arms if one.name == arm)
    if isinstance(model, str):
        return f"{rows} to {model}, which runs here"
    usd = foresee(task, frozenset({arm}), elsewhere=False).here[arm].serve_usd
    if usd is None:
        return (
            f"{rows}, at a price that is not known → give the model"
            " usd_per_million_input_tokens and usd_per_million_output_tokens, or the task a price"
            " file with its row"
        )
    return f"{rows}, at {numbers.usd(usd)} at the most"


def _summed_up(account: Account, what: str) -> str:
    """Return what stands in the file now, in one line."""
    answered = account.rows_n - len(account.failed)
    parts = [f"{answered} of {account.rows_n} {what} in {account.file}"]
    if account.median_s is not None:
        parts.append(f"{numbers.duration(account.median_s)} an answer (median)")
    parts.append(
        f"{numbers.usd(account.usd)} in all" if account.usd is not None else "cost unknown"
    )
    if account.cut_n:
        parts.append(f"{account.cut_n} cut at max_new_tokens")
    return "; ".join(parts)


def _next(task: Task, arm: str, account: Account) -> list[str]:
    """Return what to write into the task, now that no server is needed."""
    file = json.dumps(_beside(task, account.file))
    entry = f"{{use: predictions, name: {arm}, file: {file}"
    if account.tuned:
        entry += ", tuned: true, fit_usd: 0"
    lines = [f"in {task.path}, write this in the place of the arm '{arm}'; it asks no server:"]
    lines.append(f"  - {entry}}}")
    if account.tuned:
        lines.append("with what the tuning cost, if that is still to be paid, as fit_usd")
    if account.usd is None and not account.failed:
        lines.append("and with usd_per_1k, the price of a thousand answers, as no charge is known")
    return lines


def _beside(task: Task, file: Path) -> str:
    """Return a file's path as the task file writes it."""
    return Path(os.path.relpath(file.resolve(), task.folder.resolve())).as_posix()
