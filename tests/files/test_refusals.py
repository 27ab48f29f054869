"""What the system refuses, in one line: place, reason, remedy."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.files import refusals
from harness.files.hub import hub_failure
from harness.files.refusals import is_refusal, no_room, says_full, words_of
from harness.run.worker.predict import describe


def refused(number, path=None):
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (refused(errno.EMFILE), "Too many open files → raise the limit of open files (ulimit -n)"),
        (
            refused(errno.EROFS, "/a/b"),
            "/a/b: Read-only file system → have it made readable and writable for you",
        ),
        (
            refused(errno.EACCES, "/tmp/harness-x/rows"),
            "/tmp/harness-x/rows: Permission denied → have it made readable and writable for you,"
            " or set TMPDIR to a folder elsewhere",
        ),
        (
            refused(errno.EACCES, "/hub/models--x"),
            "/hub/models--x: Permission denied → have it made readable and writable for you,"
            " or set HF_HOME to a folder elsewhere",
        ),
        (refused(errno.ENOENT, "/a"), "/a: No such file or directory"),
    ],
)
def test_a_refusal_names_place_reason_and_remedy(monkeypatch, problem, words):
    monkeypatch.setenv("HF_HOME", "/hub")
    assert words_of(problem) == words


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_of_a_full_disk_the_room_is_said(monkeypatch, number):
    monkeypatch.setattr(refusals, "_free", lambda place: 2.5 * 2**20)
    said = words_of(refused(number, "/run/records.jsonl"))
    why = f"{os.strerror(number)} (2.5 MiB free there now)"
    assert said == f"/run/records.jsonl: {why} → free some space there"


def test_a_full_disk_that_nobody_names_is_looked_for(monkeypatch):
    room = {Path("/run"): 5 * 2**30, Path("/tmp"): 0}
    monkeypatch.setattr(refusals, "_free", room.get)
    problem = RuntimeError("[enforce fail at x.cc:1] . file write failed")
    assert says_full(problem)
    assert describe(problem, list(room)).startswith("/tmp: [enforce fail")
    assert "(0.0 MiB free there now) → free some space there" in describe(problem, list(room))
    assert no_room(Path("/run")) == ""
    assert "0.0 MiB are free in /tmp → free some space there" in no_room(Path("/tmp"))


@pytest.mark.parametrize(
    "problem", [refused(errno.ENOENT, "/a"), refused(errno.ENOTDIR), ValueError("x"), OSError("x")]
)
def test_mistakes_of_the_code_are_no_refusals(problem):
    assert not is_refusal(problem)
    assert describe(problem).startswith(f"{type(problem).__name__}: ")


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            refused(errno.EACCES, "/x"),
            "/x: Permission denied → set HF_HOME to a folder that you may write to and that has"
            " room",
        ),
        (
            ImportError("Using SOCKS proxy, but the 'socksio' package is not installed."),
            "the proxy socks5://p:1 (ALL_PROXY) wants a package that is missing"
            " → `pip install socksio`, or unset it",
        ),
        (
            FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)),
            "the certificates of SSL_CERT_FILE=/nowhere cannot be used ([Errno 2] No such file or"
            " directory) → correct or unset SSL_CERT_FILE",
        ),
        (
            ConnectionError("no route\nmore"),
            "no route through the proxy socks5://p:1 (ALL_PROXY) → check the id and the"
            " connection, or use a folder",
        ),
    ],
)
def test_why_the_hub_gave_nothing(monkeypatch, problem, words):
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://user:secret@p:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    assert hub_failure(problem, "use a folder") == words
