"""`python -m harness.run.worker ROOT FOLDER INPUTS LIFELINE TIME`: see `process.main`."""

import sys

from harness.run.worker.process import main

main(*sys.argv[1:])
