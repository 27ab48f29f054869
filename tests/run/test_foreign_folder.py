"""A run folder that somebody else made is data: none of its code runs, and nothing is sent.

Each case is a real run, made hostile by hand as its maker could: records, hashes and index agree.
A canary file says whether code ran; a server that listens counts what it was sent.
"""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import harness, harness_process, write_task
from hand_made import rewritten, unmarked
from raw_server import as_json, raw_server, whole

from harness.run.job import JOB
from harness.store.fit_account import ARTIFACT
from harness.store.recorded_files import folder_sha256, sha256_now
from harness.store.run_folder import RunFolder

ARMS = ["majority", "tfidf", "own.py:Echo"]
EVIL = """
from pathlib import Path
Path(__file__).with_name("canary").write_text("ran")
from harness import Prediction, Strategy

class Echo(Strategy):
    def predict(self, queries):
        return [Prediction("evil")] * len(queries)
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    path = write_task(folder / "task", ARMS)
    done = harness("run", path, "--out", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def foreign(made, tmp_path, monkeypatch):
    """A copy of the run and its task, in the hands of a user who did not run it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    forged(tmp_path / "run", base=str(tmp_path / "task"))
    return tmp_path


def forged(path, base=None, arm=None, **job):
    """Rewrite jobs and records so that all hashes agree with what lies there now."""
    folder = RunFolder(path)
    lines = [unmarked(line) for line in folder.records.read_text().splitlines()]
    for line in lines:
        if line["kind"] == "header":
            line["task_folder"] = base or line["task_folder"]
            continue
        fit = folder.fit_folder(line["arm"], line["fit_id"])
        trial = folder.trial_folder(line["arm"], line["fit_id"], line["trial_id"])
        told = json.loads((trial / JOB).read_text())
        told["strategy_base"] = base or told["strategy_base"]
        told |= job if line["arm"] == arm else {}
        (trial / JOB).write_text(json.dumps(told))
        line["serve"]["files"][JOB] = sha256_now(trial / JOB)
        line["artifact_sha256"] = folder_sha256(fit / ARTIFACT)
    rewritten(folder, lines)


def predicted(tmp_path, arm, *words, **environment):
    words = ("predict", tmp_path / "run", "--arm", arm, *words)
    return harness(*words, stdin='{"text": "rain"}\n', cwd=tmp_path, **environment)


def refused(done, *said):
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr
    assert not done.stdout


def canaries(tmp_path):
    return list(tmp_path.rglob("canary"))


@pytest.mark.parametrize("arm", ["majority", "tfidf"])
def test_arms_of_ours_answer_without_a_word(foreign, arm):
    done = predicted(foreign, arm)
    assert (done.returncode, done.stdout) == (0, "rain\n"), done.stderr
    assert done.stderr == ""


def test_code_is_named_and_run_on_trust_alone(foreign):
    own = foreign / "task" / "own.py"
    done = predicted(foreign, "echo")
    refused(done, "this folder was not made by you", "its arm 'echo' runs code", str(own))
    refused(done, f"sha256 {sha256_now(own)}, as recorded", "→ read that code, then say --trust")
    own.write_text(EVIL)
    refused(predicted(foreign, "echo"), "not what ran: ", "--trust")
    for words in (["report"], ["compare", foreign / "run"]):
        done = harness(*words[:1], foreign / "run", *words[1:])
        assert done.returncode == 0, done.stderr
    assert not canaries(foreign)
    done = predicted(foreign, "echo", "--trust")
    assert (done.returncode, done.stdout) == (0, "evil\n")
    assert f"runs {own} (sha256 {sha256_now(own)}, not what ran" in done.stderr
    assert canaries(foreign)


@pytest.mark.parametrize(
    ("strategy", "params"),
    [
        ("evil.py:Echo", {}),
        ("../run/evil.py:Echo", {}),
        ("evil_module:Echo", {}),
        ("evil-module:Echo", {}),
        ("cascade", {"cheap": "evil.py:Echo"}),
        ("cascade", {"dear": {"use": "evil_module:Echo"}}),
    ],
)
def test_a_job_that_names_other_code_runs_none(foreign, monkeypatch, strategy, params):
    for name in ("evil.py", "evil_module.py", "evil-module.py"):
        (foreign / "run" / name).write_text(EVIL)
    monkeypatch.syspath_prepend(foreign / "run")
    named = {"strategy": strategy, "params": params}
    forged(foreign / "run", arm="majority", **named, strategy_base=str(foreign / "run"))
    refused(predicted(foreign, "majority"), "its arm 'majority' runs code: ", "say --trust")
    assert not canaries(foreign)


def test_a_job_changed_after_the_run_is_told(made, tmp_path):
    shutil.copytree(made / "run", tmp_path / "run")
    (job,) = (tmp_path / "run").glob("trials/majority/*/*/job.json")
    job.write_text(job.read_text().replace('"majority"', '"evil.py:Echo"'))
    refused(
        predicted(tmp_path, "majority", "--trust"), "is not what was recorded", "→ run the task"
    )


class Bomb:
    """Writes the canary when it is unpickled."""

    def __init__(self, at):
        self.at = str(at)

    def __reduce__(self):
        return Path.write_text, (Path(self.at), "ran")


def test_a_pickle_in_the_place_of_an_artifact_is_not_unpickled(foreign):
    bomb = Bomb(foreign / "canary")
    artifact = next((foreign / "run").glob("trials/tfidf/*/artifact"))
    files = sorted(file for file in artifact.rglob("*") if file.is_file())
    assert {file.suffix for file in files} >= {".npz", ".json"}
    for file in files:
        whole_file = file.read_bytes()
        file.write_bytes(pickle.dumps(bomb))
        refused(predicted(foreign, "tfidf"), "is not what was recorded", "→ run the task")
        forged(foreign / "run")
        refused(predicted(foreign, "tfidf"), "is no artifact of this arm", "→ run the task again")
        if file.suffix == ".npz":
            with file.open("wb") as stream:
                np.savez(stream, data=np.array([bomb], dtype=object))
            forged(foreign / "run")
            refused(predicted(foreign, "tfidf"), "is no artifact of this arm")
        file.write_bytes(whole_file)
        forged(foreign / "run")
    assert predicted(foreign, "tfidf").returncode == 0
    assert not canaries(foreign)


@pytest.mark.parametrize("link", ["file", "folder", "artifact"])
def test_links_out_of_the_folder_are_not_followed(foreign, link):
    artifact = next((foreign / "run").glob("trials/tfidf/*/artifact"))
    outside = foreign / "outside"
    if link == "artifact":
        artifact.rename(outside)
        artifact.symlink_to(outside)
    else:
        outside.mkdir()
        (artifact / "more").symlink_to(outside if link == "folder" else foreign / "task/own.py")
    forged(foreign / "run")
    refused(predicted(foreign, "tfidf"), "leads out of it → take the link away, or say --trust")


@pytest.mark.parametrize("name", ["../../../outside", "/outside"])
def test_records_that_lead_out_of_the_folder_are_refused(foreign, name):
    name = str(foreign) + name if name.startswith("/") else name
    folder = RunFolder(foreign / "run")
    header, *trials = [unmarked(line) for line in folder.records.read_text().splitlines()]
    shutil.copytree(foreign / "run/trials/majority", foreign / "outside")
    for record in (*header["trials"], *trials):
        record["arm"] = name if record["arm"] == "majority" else record["arm"]
    rewritten(folder, [header, *trials])
    refused(predicted(foreign, name), "→")
    refused(predicted(foreign, name, "--trust"), "→ run the task again")


def test_an_edited_verdict_leads_to_no_code(foreign):
    comparison = foreign / "run" / "comparison.json"
    for choice in ("evil.py:Echo", ["x"], {"arm": 1}, "../../task"):
        comparison.write_text(json.dumps({"recommendation": {"choice": choice}}))
        done = harness("predict", foreign / "run", stdin='{"text": "rain"}\n')
        refused(done, "arm")
    comparison.write_text("[]")
    refused(harness("predict", foreign / "run"), "→ write it anew: python -m harness report")


@pytest.mark.parametrize(
    ("command", "task"),
    [
        ("report", {}),
        ("compare", {"name": 1}),
        ("report", {"metric": "evil.py:f", "also": [], "name": "x"}),
        ("predict", {"data": {"input": 5}}),
        ("predict", {"data": "input"}),
    ],
)
def test_a_task_on_record_that_nobody_wrote_is_an_error_of_one_line(foreign, command, task):
    folder = RunFolder(foreign / "run")
    header, *trials = [unmarked(line) for line in folder.records.read_text().splitlines()]
    rewritten(folder, [{**header, "task": task}, *trials])
    more = {"compare": [folder.path], "predict": ["--arm", "majority"]}.get(command, [])
    refused(harness(command, folder.path, *more, stdin="rain\n"), "→ run the task again")


def hosted(url, **changes):
    endpoint = {"provider": "openai", "key_env": "EVIL_KEY", "max_retries": 0, **changes}
    return {"name": "m", "location": url, "hosted": endpoint}


def test_a_server_is_asked_on_the_users_word_alone(foreign):
    secrets = {"EVIL_KEY": "theirs-1234567890", "MY_KEY": "mine-1234567890"}
    rain = {"index": 0, "message": {"role": "assistant", "content": "rain"}}
    answers = as_json(choices=[{**rain, "finish_reason": "stop"}])
    with raw_server(answers) as theirs, raw_server(answers) as mine:
        job = {"strategy": "zero_shot", "params": {}, "model": hosted(theirs.url)}
        (artifact,) = (foreign / "run").glob("trials/majority/*/artifact")
        (artifact / "calibration.json").write_text("{}")
        forged(foreign / "run", arm="majority", **job)
        done = predicted(foreign, "majority", **secrets)
        refused(done, f"asks the server {theirs.url} with the value of EVIL_KEY")
        refused(done, "→ name server and variable yourself (--base-url URL --key-env NAME;")
        for words in (["report"], ["compare", foreign / "run"]):
            harness(*words[:1], foreign / "run", *words[1:], **secrets)
        assert theirs.requests == []

        words = ("--base-url", mine.url, "--key-env", "MY_KEY")
        done = predicted(foreign, "majority", *words, **secrets)
        assert (done.returncode, done.stdout) == (0, "rain\n"), done.stderr
        assert f"asks 127.0.0.1:{mine.port} ({mine.url}) with the key in MY_KEY" in done.stderr
        assert theirs.requests == []
        assert secrets["MY_KEY"] in str(mine.requests)
        assert secrets["EVIL_KEY"] not in str(mine.requests)

        done = predicted(foreign, "majority", "--trust", **secrets)
        assert (done.returncode, done.stdout) == (0, "rain\n"), done.stderr
        assert f"({theirs.url}) with the key in EVIL_KEY" in done.stderr
        assert len(theirs.requests) == 1


def test_a_key_goes_to_no_server_that_the_user_did_not_name(foreign):
    refused(predicted(foreign, "tfidf", "--key-env", "MY_KEY"), "--key-env goes with --base-url →")
    done = predicted(foreign, "tfidf", "--base-url", "https://one.example/v1")
    refused(done, "the arm 'tfidf' asks no server → leave out --base-url")
    assert predicted(foreign, "tfidf", "--base-url", "file:///etc/passwd").returncode == 2


def test_ones_own_folder_needs_no_flag(made, tmp_path):
    shutil.copytree(made / "run", tmp_path / "run")
    assert predicted(tmp_path, "echo").stdout == "rain\n"


# Two processes that load torch: the hub's client reads its address once.
def test_nothing_is_fetched_for_a_foreign_folder(foreign):
    with raw_server(lambda *_: whole("", "404 Not Found")) as hub:
        params = {"embedder": "someone/model"}
        forged(foreign / "run", arm="majority", strategy="nearest", params=params)
        words = ("predict", foreign / "run", "--arm", "majority")
        home = {"HF_ENDPOINT": hub.url.removesuffix("/v1"), "HF_HOME": str(foreign / "hub")}
        refused(harness_process(*words, stdin="rain\n", **home), "'someone/model' cannot be loaded")
        assert hub.requests == []
        harness_process(*words, "--trust", stdin="rain\n", **home)
        assert hub.requests
