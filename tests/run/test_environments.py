"""Whatever the environment lacks, the arms that need nothing of it run, and the others say why.

Most of a hostile environment is variables: those tests stay in this process. A user without an
entry, a full disk, streams of another encoding and a working directory that is gone are a process's
own; those tests start one each, of arms that load no model.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile

import pytest
from command_line import arms_run, harness, rows_of, write_task

from harness.run import trial
from harness.store.run_folder import RunFolder

SERVER = {
    "provider": "openai",
    "base_url": "http://127.0.0.1:9/v1",  # nobody listens there
    "model": "m",
    "key_env": None,
    "max_retries": 0,
}
ASKING = ["majority", {"use": "zero_shot", "model": SERVER}]
BUILT_IN = ["majority", {"use": "zero_shot", "model": "smollm2-135m-instruct-q4"}]
NOBODY = "unshare --user --map-user=54321"
"""A user without an entry in the user database, and without root's right to write everywhere."""
OWN_DISKS = "unshare --user --map-root-user --mount"
"""May mount disks of its own."""
RUN = f"{shlex.quote(sys.executable)} -m harness run"
CACHE = "set HARNESS_CACHE to a folder that you may write to and that has room"
UNREACHED = "cannot be reached ([Errno 111] Connection refused) → start the server"
WITHOUT = ("HARNESS_CACHE", "XDG_CACHE_HOME", "HF_HOME", "HOME", "PYTHONUTF8", "LC_ALL", "LANG")


def shell(script, cwd=None, **environment):
    """Run a script with an environment that says nothing but what is given."""
    kept = {name: value for name, value in os.environ.items() if name not in WITHOUT}
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**kept, **environment},
        encoding="utf-8",
        errors="replace",
    )


def allowed(command):
    """Skip a test whose means this machine does not allow."""
    done = subprocess.run([*command.split(), "true"], capture_output=True, check=False, text=True)
    if done.returncode:
        pytest.skip(f"`{command}` is not allowed here: {done.stderr.strip()}")
    return command


def errors_of(run):
    return {name: row["error"] for name, row in rows_of(run).items()}


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asking")
    (folder / "file").write_text("no folder")
    return write_task(folder, ASKING)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"HARNESS_CACHE": "/proc/none/here"}, CACHE),
        ({"HARNESS_CACHE": "{folder}/file"}, CACHE),
        ({"HARNESS_CACHE": "", "XDG_CACHE_HOME": "{folder}/file"}, CACHE),
        ({"HARNESS_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "{folder}/file"}, CACHE),
        ({"HARNESS_CACHE": "", "XDG_CACHE_HOME": "relative", "HOME": "{folder}"}, UNREACHED),
        ({"PATH": "/nowhere"}, UNREACHED),  # no git, no ps
        ({"TMPDIR": "/nowhere"}, UNREACHED),
        ({"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "many", "LINES": "-3"}, UNREACHED),
        ({"OMP_NUM_THREADS": "lots", "CUDA_VISIBLE_DEVICES": "x,,-7"}, UNREACHED),
        ({"PYTHONPATH": "/nowhere::/etc/hostname"}, UNREACHED),
        ({"HTTP_PROXY": "http://proxy.invalid:3128", "NO_PROXY": ""}, UNREACHED),
        ({"ALL_PROXY": "socks5://proxy.invalid:1", "HTTP_PROXY": "garbage::"}, UNREACHED),
        ({"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere"}, UNREACHED),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_variables_stop_at_most_the_arm_that_needs_them(
    asking, tmp_path, monkeypatch, variables, said
):
    monkeypatch.setattr(tempfile, "tempdir", None)
    where = {"HARNESS_CACHE": str(tmp_path / "cache")} | {
        name: value.format(folder=asking.parent) for name, value in variables.items()
    }
    done = harness("run", asking, "--out", tmp_path / "run", **where)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    errors = errors_of(tmp_path / "run")
    assert errors["majority"] is None
    assert said in errors["zero_shot"]
    assert (tmp_path / "run/report.html").is_file()


def test_without_any_place_for_temporary_files_one_line_says_so(asking, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    done = harness("run", asking, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "→ set TMPDIR to a folder that you may write to" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_the_system_refuses_a_trial_is_its_row(asking, tmp_path, monkeypatch):
    real = trial.TrialRunner._fit

    def refused(self, planned, begun):
        if planned.arm == "zero_shot":
            raise OSError(24, os.strerror(24))
        return real(self, planned, begun)

    monkeypatch.setattr(trial.TrialRunner, "_fit", refused)
    assert harness("run", asking, "--out", tmp_path / "run").returncode == 0
    errors = errors_of(tmp_path / "run")
    assert errors["majority"] is None
    raised = "Too many open files → raise the limit of open files (ulimit -n)"
    assert errors["zero_shot"] == f"in preparation: {raised}"


def test_names_that_are_no_text_are_refused_in_one_line(asking, tmp_path):
    done = harness("run", asking, "--out", os.fsdecode(os.fsencode(tmp_path) + b"/\xe4"))
    assert done.returncode == 2
    assert (
        done.stderr == f"error: {tmp_path}/\\xe4: is not UTF-8 text → rename the file or folder\n"
    )


# What follows starts processes: each is about what belongs to a whole one.


def test_a_user_without_home_and_entry_runs_what_needs_no_cache(tmp_path):
    user = allowed(NOBODY)
    path = write_task(tmp_path / "task", BUILT_IN)
    tmp_path.chmod(0o777)
    done = shell(f"{user} {RUN} {path} --out {tmp_path}/run")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    errors = errors_of(tmp_path / "run")
    assert errors["majority"] is None
    assert "this user has no home folder" in errors["zero_shot"]
    assert CACHE in errors["zero_shot"]


def test_folders_that_may_only_be_read(tmp_path):
    user = allowed(NOBODY)
    path = write_task(tmp_path / "task", ["majority"])
    path.parent.chmod(0o555)  # a task may lie where nothing can be written
    done = shell(f"{user} {RUN} {path} --out {tmp_path}/run")
    assert done.returncode == 0, done.stderr
    (tmp_path / "run").chmod(0o555)
    again = shell(f"{user} {RUN} {path} --out {tmp_path}/run")
    assert again.returncode == 2
    why = "cannot be a run folder (Permission denied) → choose another --out"
    assert again.stderr == f"error: {tmp_path}/run {why}\n"
    (tmp_path / "run").chmod(0o755)


def test_another_encoding_is_no_ones_concern(tmp_path):
    path = write_task(tmp_path / "task", ["own.py:Loud"], instruction="Régen? 雨")
    source = "from harness import Prediction, Strategy\n"
    source += "class Loud(Strategy):\n    def predict(self, queries):\n"
    source += "        print('雨 →')\n        return [Prediction('rain') for _ in queries]\n"
    (path.parent / "own.py").write_text(source, encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(f"{RUN} {path} --out {tmp_path}/run", **ascii_only)
    assert done.returncode == 0, done.stderr
    assert "a guess until they have run" in done.stdout
    assert errors_of(tmp_path / "run") == {"loud": None}
    header = json.loads((tmp_path / "run/records.jsonl").read_text("utf-8").split("\n", 1)[0])
    assert header["task"]["instruction"] == "Régen? 雨"


@pytest.mark.parametrize(
    ("redirected", "code"),
    [("<&- >&- 2>&-", 0), ("| head -1; exit ${PIPESTATUS[0]}", 0), (">/dev/full", 2)],
)
def test_a_run_goes_on_to_its_report_whoever_reads_what_it_prints(tmp_path, redirected, code):
    path = write_task(tmp_path / "task", ["majority"])
    done = shell(f"{RUN} {path} --out {tmp_path}/run {redirected}")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert (tmp_path / "run/report.html").is_file()
    if code:
        assert done.stderr.startswith("error: standard output: No space left on device → ")


def test_a_working_directory_that_is_gone(tmp_path):
    gone = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone;"
    done = shell(f"{gone} {RUN} task.yaml")
    assert done.returncode == 2
    fix = "change into one that exists"
    assert done.stderr == f"error: the working directory: No such file or directory → {fix}\n"
    listed = shell(f"{gone} {RUN.replace(' run', ' list')} metrics")
    assert (listed.returncode, listed.stderr) == (0, "")


def test_a_full_disk_keeps_what_finished_and_the_next_run_goes_on(tmp_path):
    disks = allowed(OWN_DISKS)
    path = write_task(tmp_path / "task", ["majority"])
    script = f"""
        mount -t tmpfs -o size=64k none /mnt || exit 77
        {RUN} {path} --out /mnt/run >/dev/null; echo code $?
        mount -o remount,size=4m /mnt
        {RUN} {path} --out /mnt/run; echo code $?
        cp -r /mnt/run {tmp_path}/run
    """
    done = shell(f"{disks} bash -c {shlex.quote(script)}")
    if done.returncode == 77:
        pytest.skip("no disk can be mounted here")
    assert [line for line in done.stdout.splitlines() if line.startswith("code")] == [
        "code 2",
        "code 0",
    ]
    (said,) = done.stderr.splitlines()
    assert said.startswith("error: /mnt/run/")
    assert "No space left on device (0.0 MiB free there now) → free some space there" in said
    assert said.endswith("what finished is kept")
    assert "majority: done before" in done.stdout
    assert arms_run(tmp_path / "run") == ["majority"]
    assert len(RunFolder(tmp_path / "run").headers()) == 2
