"""Marks of tests that read public sets, which are no part of the project."""

from __future__ import annotations

import pytest

from benchmarks import public_sets


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where one of these sets is missing."""
    missing = [name for name in names if not (public_sets.FOLDER / name).is_dir()]
    reason = f"{' and '.join(missing)} not in {public_sets.FOLDER}"
    return pytest.mark.skipif(bool(missing), reason=reason)


needs_banking77 = needs("banking77")
