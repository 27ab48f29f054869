"""The command `merge`: run folders of one task become one."""

from __future__ import annotations

import argparse
import shlex

from harness.cli.exit_codes import NO_RESULT, OK
from harness.cli.plain import complain, tell


def merge_folders(arguments: argparse.Namespace) -> int:
    """Merge run folders, and say what was found twice."""
    from harness.run.merging.merge import merge

    found = merge(arguments.folders, arguments.out)
    for line in found.told:
        complain(line)
    out = found.folder.path
    what = f"{found.trials_n} of {found.planned_n} trials"
    tell(
        f"{out} holds {what} already: nothing was written" if found.was_there else f"{out}: {what}"
    )
    tell(f"Next: python -m harness report {shlex.quote(str(out))}")
    if not found.conflicts:
        return OK
    n = len(found.conflicts)
    which = "a trial has" if n == 1 else f"{n} trials have"
    complain(f"{which} two different answers on record; the report names the ones that count")
    return NO_RESULT
