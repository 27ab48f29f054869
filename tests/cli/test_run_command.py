"""`run` as its users meet it: exit codes, words and files.

The shared run and the failing one are real processes; the others are commands in this one.
"""

from __future__ import annotations

import pytest
from command_line import arms_run, harness, harness_process, rows_of, write_task

from harness.run import folder_lock
from harness.store.run_folder import read_jsonl

pytestmark = pytest.mark.process  # the shared run is one


def test_a_run_leaves_the_files_that_it_promises(shared):
    folder = shared[0] / "run"
    files = {file.name for file in folder.iterdir()} - {".lock"}
    assert files == {
        "records.jsonl", "records.index.json", "truth.jsonl", "trials", "comparison.json",
        "splits.json",
        "report.md", "report.html", "report-plots", "row_scores.jsonl",
    }  # fmt: skip
    (fit,) = (folder / "trials/majority").iterdir()
    assert {"fit.json", "stderr.log", "artifact"} <= {file.name for file in fit.iterdir()}
    (trial,) = [f for f in fit.iterdir() if f.is_dir() and f.name != "artifact"]
    assert {f.name for f in trial.iterdir()} == {"job.json", "predictions.jsonl", "stderr.log"}
    assert len(fit.name) == len(trial.name) == 12


def test_a_run_scores_what_can_be_scored_and_shows_what_failed(shared):
    rows = rows_of(shared[0] / "run")
    assert rows["echo"]["score"]["value"] == rows["tfidf"]["score"]["value"] == 1.0
    assert rows["majority"]["score"]["value"] == 0.5
    assert (rows["broken"]["status"], rows["broken"]["score"]) == ("failed", None)
    assert "no luck" in rows["broken"]["error"]


def test_without_a_terminal_nothing_is_coloured_wrapped_or_cut(shared):
    output = shared[1].stderr + shared[1].stdout
    assert "\x1b" not in output
    assert "\r" not in output
    lines = output.splitlines()
    assert (
        len([line for line in lines if "no luck [red] " in line and "very long end" in line]) == 2
    )
    (header,) = [line for line in lines if line.startswith("arm ")]
    table = lines[lines.index(header) + 1 :][:4]
    names = [line.lstrip("> ").split()[0] for line in table]
    assert names[0] in ("tfidf", "echo")  # the choice, or the best for now
    assert set(names) == {"majority", "tfidf", "echo", "broken"}
    assert names[-2:] == ["majority", "broken"]
    assert [line[0] for line in table] == [">", " ", " ", " "]
    assert str(shared[0] / "run/report.md") in lines[-1]


def test_a_narrow_screen_changes_nothing_without_a_terminal(shared, finished):
    wide = harness("report", finished, COLUMNS="300").stdout
    assert harness("report", finished, COLUMNS="20").stdout == wide


def test_the_default_folder_lies_under_runs(tmp_path):
    write_task(tmp_path / "here", ["own.py:Echo"])
    assert harness("run", "task.yaml", cwd=tmp_path / "here").returncode == 0
    assert (tmp_path / "here/runs/weather/comparison.json").is_file()


def test_a_run_of_failing_arms_alone_ends_with_3(tmp_path):
    path = write_task(tmp_path / "task", ["own.py:Broken"])
    done = harness_process("run", path, "--out", tmp_path / "run")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert rows_of(tmp_path / "run")["broken"]["status"] == "failed"
    assert (tmp_path / "run/report.html").is_file()


def test_the_gate_tells_by_its_exit_code_whether_an_arm_meets_every_limit(tmp_path):
    out = tmp_path / "run"
    for limits, code in (({"min_score": 0.9}, 0), ({"max_p95_ms": 1e-6}, 3)):
        path = write_task(tmp_path / "task", ["own.py:Echo"], limits=limits)
        assert harness("run", path, "--out", out, "--gate").returncode == code
    assert harness("run", path, "--out", out).returncode == 0
    assert arms_run(out) == ["echo"]  # limits decide conclusions alone: nothing was run again


@pytest.mark.parametrize(
    "words",
    [
        ["--only", "majority,echo"],
        ["--only", "majority", "echo"],
        ["--only", "majority,", "--only=echo"],
    ],
)
def test_only_takes_arms_by_commas_spaces_and_repetition(tmp_path, words):
    path = write_task(tmp_path / "task", ["majority", "own.py:Moody", "own.py:Echo"])
    done = harness("run", path, "--out", tmp_path / "run", *words)
    assert done.returncode == 0, done.stderr
    assert arms_run(tmp_path / "run") == ["majority", "echo"]
    moody = rows_of(tmp_path / "run")["moody"]
    assert (moody["status"], moody["error"]) == ("skipped", "left out by --only")


def test_a_quick_run_is_provisional_and_the_full_one_goes_on_from_it(tmp_path):
    # Moody declares no work, so nobody knows how long it takes.
    path, out = write_task(tmp_path / "task", ["majority", "own.py:Moody"]), tmp_path / "run"
    done = harness("run", path, "--out", out, "--quick")
    assert done.returncode == 0, done.stderr
    assert "moody is left out by --quick (no forecast)" in done.stdout
    assert "Provisional: some arms have not run yet (--quick)." in done.stdout
    assert "moody was left out by --quick, and the verdict is on the other arms" in done.stdout
    assert rows_of(out)["moody"]["error"] == "left out by --quick"

    done = harness("run", path, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "majority: done before" in done.stdout
    assert "Provisional" not in done.stdout
    assert rows_of(out)["moody"]["status"] == "ok"


def test_a_gate_does_not_rest_on_a_quick_run(tmp_path):
    path, out = write_task(tmp_path / "task", ["majority"]), tmp_path / "run"
    done = harness("run", path, "--out", out, "--quick", "--gate")
    assert done.returncode == 2
    assert "--gate asks for the verdict on all arms → leave --quick out" in done.stderr
    assert not out.exists()


def test_an_unknown_arm_is_refused_before_anything_is_lost(shared, finished):
    before = (finished / "records.jsonl").read_bytes()
    task = shared[0] / "task/task.yaml"
    done = harness("run", task, "--out", finished, "--only", "majorty", "--fresh")
    assert done.returncode == 2
    assert "no arm is called 'majorty'; did you mean 'majority'?" in done.stderr
    assert done.stdout == ""
    assert (finished / "records.jsonl").read_bytes() == before


def test_fresh_forgets_what_was_run(tmp_path):
    path, out = write_task(tmp_path / "task", ["own.py:Echo"]), tmp_path / "run"
    assert harness("run", path, "--out", out).returncode == 0
    first = (out / "records.jsonl").read_text()
    assert "done before" not in harness("run", path, "--out", out, "--fresh").stdout
    second = (out / "records.jsonl").read_text()
    assert len(second.splitlines()) == len(first.splitlines()) == 2
    assert not set(first.splitlines()) & set(second.splitlines())


def test_a_limit_scores_the_same_sample_in_every_arm(tmp_path):
    path, out = write_task(tmp_path / "task", ["majority", "own.py:Echo"]), tmp_path / "run"
    assert harness("run", path, "--out", out, "--limit", "6").returncode == 0
    files = sorted(out.rglob("predictions.jsonl"))
    assert len(files) == 2
    ids = [[row["id"] for row in read_jsonl(file)] for file in files]
    assert ids[0] == ids[1] == [row["id"] for row in read_jsonl(out / "truth.jsonl")]
    targets = [row["targets"][0] for row in read_jsonl(out / "truth.jsonl")]
    assert sorted(targets) == ["rain"] * 3 + ["sun"] * 3
    assert {row["score"]["n"] for row in rows_of(out).values()} == {6}


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "many", "²"])
def test_a_limit_is_a_positive_whole_number(tmp_path, limit):
    done = harness("run", tmp_path / "task.yaml", f"--limit={limit}")
    assert done.returncode == 2
    assert "is not a positive whole number" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_of_another_task_is_refused(shared, finished, tmp_path):
    path = write_task(tmp_path / "task", ["own.py:Echo"], name="tides")
    for words in ([], ["--fresh"]):
        done = harness("run", path, "--out", finished, *words)
        assert done.returncode == 2
        assert "holds runs of the task 'weather', not 'tides' → choose another --out" in done.stderr
    assert (finished / "records.jsonl").read_bytes() == (
        shared[0] / "run/records.jsonl"
    ).read_bytes()


@pytest.mark.parametrize("out", ["task", "task/task.yaml", "task/task.yaml/run"])
def test_a_folder_of_other_files_and_a_file_are_refused_as_run_folders(tmp_path, out):
    path = write_task(tmp_path / "task", ["own.py:Echo"])
    done = harness("run", path, "--out", tmp_path / out)
    assert done.returncode == 2
    assert "choose another --out" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_header_is_told_with_its_line_and_running_again_mends_it(tmp_path):
    path, out = write_task(tmp_path / "task", ["own.py:Echo"]), tmp_path / "run"
    assert harness("run", path, "--out", out).returncode == 0
    records = out / "records.jsonl"
    header, *trials = records.read_text().splitlines()
    records.write_text("\n".join([header.replace("weather", "leather", 1), *trials, ""]))
    done = harness("report", out)
    assert done.returncode == 2
    assert f"{records}:1: this record cannot be read" in done.stderr
    assert "→ run the task again" in done.stderr
    done = harness("run", path, "--out", out)
    assert done.returncode == 0
    assert f"{records}:1: this record cannot be read" in done.stdout
    assert "done before" in done.stdout
    assert harness("report", out).returncode == 0


def test_an_artifact_that_was_not_kept_is_made_again_by_naming_its_arm(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_lock, "LARGE_ARTIFACT_BYTES", 0)  # every artifact is large
    path, out = write_task(tmp_path / "task", ["tfidf", "majority"]), tmp_path / "run"
    assert harness("run", path, "--out", out).returncode == 0
    done = harness("predict", out, "--arm", "majority", stdin="sun\n")
    assert done.returncode == 2
    assert "→ run the task again with --only majority\n" in done.stderr
    assert harness("run", path, "--out", out, "--only", "majority").returncode == 0
    assert harness("predict", out, "--arm", "majority", stdin="sun\n").stdout == "rain\n"
    assert arms_run(out).count("tfidf") == 1  # nothing else is done again


def test_a_file_of_records_that_are_not_ours_is_refused(tmp_path):
    path, out = write_task(tmp_path / "task", ["own.py:Echo"]), tmp_path / "run"
    out.mkdir()
    (out / "records.jsonl").write_text("{}\n[1]\n")
    done = harness("run", path, "--out", out)
    assert done.returncode == 2
    assert "holds other files (records.jsonl, …) → choose another --out" in done.stderr
    assert (out / "records.jsonl").read_text() == "{}\n[1]\n"


def test_every_fault_of_a_task_is_told_at_once_a_line_each(tmp_path):
    path = write_task(tmp_path / "task", ["majorty", "own.py:Ecko"], metric="acuracy")
    for command in ("run", "check"):
        done = harness(command, path)
        assert done.returncode == 2
        assert done.stdout == ""
        named, *lines = done.stderr.splitlines()
        assert named == "This task runs code of its own: own.py"
        assert len(lines) == 3
        for name in ("majority", "Echo", "accuracy"):
            assert len([line for line in lines if f"did you mean '{name}'" in line]) == 1
