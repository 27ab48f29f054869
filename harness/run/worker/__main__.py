"""`python -m harness.run.worker JOB LIFELINE TIME`: the entry that launchers start."""

import sys

from harness.run.worker.process import main

main(*sys.argv[1:])
