"""A repository is asked for its commit, and nothing that it brings is run.

git itself decides what it runs, so nothing but git shows it: each test asks it a few times, in
milliseconds.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from harness.machine import git
from harness.machine.git import git_commit

PROGRAMS = {
    "hook": "[core]\nhooksPath = {folder}/hooks\n",
    "monitor": "[core]\nfsmonitor = {program}\n",
    "filter": '[filter "x"]\nclean = {program}\nprocess = {program}\nrequired = true\n',
    "filter of an included file": "[include]\npath = {folder}/more\n",
    "pager": "[core]\npager = {program}\n[pager]\nstatus = {program}\n",
    "alias": "[alias]\nstatus = !{program}\nrev-parse = !{program}\n",
    "external diff": "[diff]\nexternal = {program}\n",
    "fetching": '[extensions]\npartialClone = there\n[remote "there"]\nurl = ext::{program}\n'
    "promisor = true\n[protocol]\nallow = always\n",
    "ssh": "[core]\nsshCommand = {program}\ngitProxy = {program}\naskPass = {program}\n",
}


def run(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, "-C", str(folder), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    run(folder, "init", "-q")
    (folder / "file").write_text("as it was")
    (folder / ".gitattributes").write_text("* filter=x diff=x\n")
    run(folder, "add", "-A")
    run(folder, "commit", "-q", "-m", "first")
    return folder


def test_a_commit_with_and_without_changes(repository, tmp_path):
    commit = run(repository, "rev-parse", "HEAD")
    assert git_commit(repository) == commit
    (repository / "new").touch()
    assert git_commit(repository) == commit
    (repository / "file").write_text("changed")
    assert git_commit(repository) == f"{commit}+changes"
    assert git_commit(tmp_path / "nowhere") is None


@pytest.mark.parametrize("kind", PROGRAMS)
def test_nothing_that_a_repository_names_is_run(repository, tmp_path, kind):
    commit = run(repository, "rev-parse", "HEAD")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was_run\ncat\n")
    program.chmod(0o755)
    (tmp_path / "hooks").mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (tmp_path / "hooks" / hook).symlink_to(program)
    said = PROGRAMS["filter"].format(program=program, folder=tmp_path)
    (tmp_path / "more").write_text(said)
    with (repository / ".git/config").open("a") as config:
        config.write(PROGRAMS[kind].format(program=program, folder=tmp_path))
    if kind == "fetching":
        tree = run(repository, "rev-parse", "HEAD^{tree}")
        (repository / ".git/objects" / tree[:2] / tree[2:]).unlink()
        assert git_commit(repository) in (None, commit, f"{commit}+changes")
    else:
        os.utime(repository / "file", (1, 1))  # git looks into it: it was touched
        assert git_commit(repository) == commit
    assert not (tmp_path / "was_run").exists()


def test_what_the_environment_says_of_git_is_of_another_folder(repository, tmp_path, monkeypatch):
    commit = git_commit(repository)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {tmp_path}/was_run")
    assert git_commit(repository) == commit
    assert not (tmp_path / "was_run").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_unknown(repository):
    os.chown(repository, 12345, 12345)
    os.chown(repository / ".git", 12345, 12345)
    assert git_commit(repository) is None


def test_a_git_that_hangs_is_unknown(repository, tmp_path, monkeypatch):
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(git, "DEADLINE_S", 0.1)
    assert git_commit(repository) is None
