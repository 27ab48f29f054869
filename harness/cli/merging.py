"""The command `merge`: run folders of one task become one."""

from __future__ import annotations

import argparse
import shlex

from harness.cli.exit_codes import INTERRUPTED, NO_RESULT, OK
from harness.cli.plain import complain, tell


def merge_folders(arguments: argparse.Namespace) -> int:
    """Merge run folders, and say what was found twice."""
    from harness.run.merging.merge import merge

    try:
        found = merge(arguments.folders, arguments.out)
    except KeyboardInterrupt:
        complain("interrupted; the folders to merge are as they were → run the same command again")
        return INTERRUPTED
    for line in found.told:
        complain(line)
    out = found.folder.path
    n = found.planned_n
    what = f"{found.trials_n} of {n} {'trial' if n == 1 else 'trials'}"
    tell(
        f"{out} holds {what} already: nothing was written" if found.was_there else f"{out}: {what}"
    )
    tell(f"Next: python -m harness report {shlex.quote(str(out))}")
    if not found.conflicts:
        return OK
    told_n = len(found.conflicts)
    which = "a trial has" if told_n == 1 else f"{told_n} trials have"
    complain(f"{which} two different answers on record; the report names the ones that count")
    return NO_RESULT
