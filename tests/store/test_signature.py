"""The signature of one's own runs: made by one key, of one user, that nobody else can read."""

from __future__ import annotations

import pytest
from hand_made import Arm, write_run

from harness.store.run_folder import RunFolder
from harness.store.signature import is_signed, key_file, sign


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def test_a_signature_is_of_one_line_and_one_key(monkeypatch, tmp_path):
    said = sign(b"line")
    assert said == sign(b"line")
    assert is_signed(b"line", said)
    assert not is_signed(b"lime", said)
    assert not is_signed(b"line", None)
    assert not is_signed(b"line", "é")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "of another user"))
    assert not is_signed(b"line", said)


def test_the_key_is_the_users_alone():
    sign(b"line")
    assert key_file().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spoil", [lambda f: f.chmod(0o644), lambda f: f.write_bytes(b"")])
def test_a_key_that_others_may_know_signs_nothing(spoil):
    said = sign(b"line")
    spoil(key_file())
    assert not is_signed(b"line", said)
    assert sign(b"line") is None


def test_without_a_place_for_a_key_nothing_is_signed(config, monkeypatch):
    config.write_text("a file where the folder was to be")
    assert sign(b"line") is None
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert not is_signed(b"line", None)


def run_of(path):
    folder = write_run(path, ["x"] * 4, [Arm("a", [["x"] * 4])], metric="exact_match")
    (trial,) = folder.trials()
    return folder, trial


def test_a_folder_is_ones_own_while_its_newest_records_are(tmp_path, monkeypatch):
    folder, trial = run_of(tmp_path / "run")
    assert folder.is_own(trial)
    header = folder.records.read_text().splitlines()[0]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
    assert not folder.is_own(trial)
    monkeypatch.undo()
    with folder.records.open("a") as stream:  # a newer header, which no index knows
        stream.write(header + " \n")
    assert not RunFolder(folder.path).is_own(trial)


def test_a_run_over_a_strangers_folder_does_not_sign_the_strangers_records(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "stranger"))
    folder, trial = run_of(tmp_path / "run")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    folder.append(folder.last_header())
    assert not folder.is_own(trial)
    folder.append(folder.trials()[trial])
    assert folder.is_own(trial)
