"""Whether a strategy learns from the validation rows too, its parts included.

Knows nothing of hashes and models, which a profile reads: it is asked in the middle of a fit.
"""

from __future__ import annotations

from pathlib import Path

from harness.registry.declared import parts_of
from harness.registry.lookup import find
from harness.registry.profiles import resolved_params
from harness.strategy import Params, Strategy


def refits(strategy: type[Strategy], params: Params, base: Path) -> bool:
    """Tell whether a strategy, or a part of it that may, learns from validation rows.

    Args:
        strategy: the class.
        params: as `resolved_params` gives them.
        base: folder that the parts' relative paths start from.

    Raises:
        HarnessError: a part cannot be found, or refuses its parameters.
    """
    if strategy.refits(params):
        return True
    for part in parts_of(strategy, params):
        found = find(part.strategy, base) if part.refits else None
        if found and refits(found, resolved_params(found, part.params, base), base):
            return True
    return False
