"""The launcher without processes keeps the contract, and adds nothing to the interpreter."""

from __future__ import annotations

import threading

from launcher_contract import LauncherContract

from harness.run.launchers.in_process import InProcessLauncher


class TestInProcess(LauncherContract):
    def make(self, root, tick):
        return InProcessLauncher(root, tick)

    def test_it_leaves_no_thread(self):
        before = threading.active_count()
        assert self.fit("Says").status == "ok"
        assert threading.active_count() == before
