"""The launcher of fresh interpreters keeps the contract."""

from __future__ import annotations

import pytest
from launcher_contract import LauncherContract

from harness.run.launchers.local import LISTS, PATHS, LocalLauncher, _whole_paths

pytestmark = pytest.mark.process


class TestLocal(LauncherContract):
    def make(self, root, tick):
        return LocalLauncher(root, tick)


def test_paths_of_the_environment_hold_in_a_workers_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (*PATHS, *LISTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HARNESS_CACHE", "kept")
    monkeypatch.setenv("SSL_CERT_FILE", "/whole/ca:1.pem")
    monkeypatch.setenv("PYTHONPATH", "src:/lib")
    assert _whole_paths() == {
        "HARNESS_CACHE": f"{tmp_path}/kept",
        "SSL_CERT_FILE": "/whole/ca:1.pem",
        "PYTHONPATH": f"{tmp_path}/src:/lib",
    }
