"""Memory of the machine and of hand-made control groups, of both versions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.lm.sizing import budget
from harness.machine import memory

GIB = 2**30


def group(folder, version, limit, used, inactive_file=0):
    """Write what the kernel shows of a group with a limit, in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    limit_file, used_file, prefix = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
        2: ("memory.max", "memory.current", ""),
    }[version]
    (folder / limit_file).write_text(f"{limit}\n")
    (folder / used_file).write_text(f"{used}\n")
    stat = f"anon 1\ninactive_file {inactive_file if version == 2 else 7}\n"
    (folder / "memory.stat").write_text(f"{stat}{prefix}inactive_file {inactive_file}\n")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A host of 64 GiB, 60 of them free; returns where its groups lie, and a setter of our own."""
    host = SimpleNamespace(total=64 * GIB, available=60 * GIB)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: host)
    monkeypatch.setattr(memory, "ROOT", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    return tmp_path / "cgroup", (tmp_path / "own").write_text


def test_without_groups_it_is_the_hosts(groups):
    assert (memory.total_bytes(), memory.available_bytes()) == (64 * GIB, 60 * GIB)


def test_a_container_of_version_2_has_what_its_limit_leaves(groups):
    root, own = groups
    own("0::/\n")
    group(root, 2, 4 * GIB, 3 * GIB, inactive_file=2 * GIB)
    assert memory.total_bytes() == 4 * GIB
    assert memory.available_bytes() == 3 * GIB  # pages of files give way


def test_a_container_of_version_1_likewise_whatever_the_host_calls_its_group(groups):
    root, own = groups
    own("5:cpu,cpuacct:/docker/0a1b\n4:memory:/docker/0a1b\n0::/\n")
    group(root / "memory", 1, 4 * GIB, 3 * GIB, inactive_file=2 * GIB)
    assert (memory.total_bytes(), memory.available_bytes()) == (4 * GIB, 3 * GIB)


def test_the_tightest_of_all_groups_above_counts(groups):
    root, own = groups
    own("0::/user.slice/job.scope\n")
    group(root / "user.slice", 2, 8 * GIB, 7 * GIB)
    group(root / "user.slice/job.scope", 2, 4 * GIB, GIB)
    assert (memory.total_bytes(), memory.available_bytes()) == (4 * GIB, GIB)


@pytest.mark.parametrize(
    ("version", "own_groups", "limit"),
    [(2, "0::/\n", "max"), (1, "4:memory:/\n", 9223372036854771712)],
)
def test_no_limit_is_none(groups, version, own_groups, limit):
    root, own = groups
    own(own_groups)
    group(root / ("memory" if version == 1 else ""), version, limit, 3 * GIB)
    assert (memory.total_bytes(), memory.available_bytes()) == (64 * GIB, 60 * GIB)


def test_a_group_that_holds_more_than_its_limit_has_nothing_left(groups):
    root, own = groups
    own("0::/../sibling\n")
    group(root, 2, GIB, 2 * GIB)
    assert memory.available_bytes() == 0


def test_the_limit_reaches_the_size_of_rows_and_the_machines_record(groups):
    from harness.machine.describe import this_machine

    root, own = groups
    own("0::/\n")
    group(root, 2, GIB, GIB // 2)
    assert budget.row_limit("cpu", 2**22, None).fitting == int(0.8 * 128)  # of 512 MiB
    assert this_machine("cpu").memory_bytes == GIB
