"""`python -m harness`: sees to whose `strategies` and `reports` are imported, then runs the CLI."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line and exit with its code.

    `python -m` puts the working directory first on the path. Where the installed harness lies
    elsewhere, a user's own folder called `strategies` or `reports` would shadow ours: drop it.
    """
    here = Path(__file__).resolve().parent.parent
    if Path.cwd() != here:
        sys.path = [p for p in sys.path if p != "" and os.path.realpath(p) != os.getcwd()]
    from harness.cli.commands import run_command

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
