"""The launcher of fresh interpreters keeps the contract."""

from __future__ import annotations

import pytest
from launcher_contract import LauncherContract

from harness.run.launchers.local import LocalLauncher

pytestmark = pytest.mark.process


class TestLocal(LauncherContract):
    def make(self, root, tick):
        return LocalLauncher(root, tick)
