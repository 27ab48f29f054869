"""What the command line's exit codes mean."""

OK = 0
"""Done: whatever was asked for is there."""
MISTAKE = 2
"""The user's mistake, told with place, value and remedy."""
NO_RESULT = 3
"""No arm finished; or `--gate` and the choice misses a criterion; or `merge` found a trial with two
different answers, and kept those of the folder that was named first."""
INTERRUPTED = 130
"""By Ctrl-C or SIGTERM; what finished stays."""
