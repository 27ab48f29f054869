"""The command line as its users meet it: exit codes, words and files, in real processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from harness.runfolder import read_jsonl

SOURCE = """
from harness import Prediction, Strategy

class Echo(Strategy):
    def predict(self, queries):
        return [Prediction(query.text.split()[0]) for query in queries]

class Moody(Echo):
    def predict(self, queries):
        if any("bad" in query.text for query in queries):
            raise ValueError("too bad")
        return super().predict(queries)

class Broken(Echo):
    def fit(self, train, validation, artifact):
        raise ValueError("no luck [red] " + "very long " * 30 + "end")
"""
ROWS = ["rain all day", "sun and no cloud", "rain again", "sun at last"]


def harness(*words, stdin="", cwd=None, **environment):
    """Run `python -m harness` and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
    )


def write_task(folder, arms, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.py").write_text(SOURCE)
    for split, repeats in (("train", 4), ("validation", 1), ("test", 5)):
        rows = [
            {"id": f"{split}-{i}", "text": f"{text} {split} {i}", "label": text.split()[0]}
            for i, text in enumerate(ROWS * repeats)
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits = {split: f"{split}.jsonl" for split in ("train", "validation", "test")}
    task = {
        "name": "weather",
        "instruction": "Rain or sun?",
        "answer": {"kind": "choice", "labels": ["rain", "sun"]},
        "data": {**splits, "input": "text", "target": "label"},
        "metric": "accuracy",
        "strategies": arms,
        **changes,
    }
    (folder / "task.yaml").write_text(json.dumps(task, indent=1))
    return folder / "task.yaml"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A finished run of four arms: its folder, and the process that ran it."""
    folder = tmp_path_factory.mktemp("cli")
    arms = ["majority", "tfidf", "own.py:Echo", "own.py:Broken"]
    path = write_task(folder / "task", arms)
    done = harness("run", path, "--out", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def finished(shared, tmp_path):
    """A copy of that run folder, to be changed at will."""
    return shutil.copytree(shared[0] / "run", tmp_path / "run")


def rows_of(folder):
    comparison = json.loads((folder / "comparison.json").read_text())
    return {row["strategy"]: row for row in comparison["rows"]}


def arms_run(folder):
    """The arms of all trial lines, in their order."""
    lines = map(json.loads, (folder / "records.jsonl").read_text().splitlines())
    return [line["arm"] for line in lines if line["kind"] == "trial"]


# run


def test_a_run_leaves_the_files_that_it_promises(shared):
    folder = shared[0] / "run"
    files = {file.name for file in folder.iterdir()} - {".lock"}
    assert files == {
        "records.jsonl", "truth.jsonl", "trials", "comparison.json", "report.md", "report.html",
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
    output = shared[1].stdout + shared[1].stderr
    assert "\x1b" not in output
    assert "\r" not in output
    lines = output.splitlines()
    assert (
        len([line for line in lines if "no luck [red] " in line and "very long end" in line]) == 2
    )
    (header,) = [line for line in lines if line.startswith("arm ")]
    table = lines[lines.index(header) + 1 :][:4]
    assert [line.split()[0] for line in table] == ["majority", "tfidf", "echo", "broken"]
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
    done = harness("run", path, "--out", tmp_path / "run")
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
    assert arms_run(out) == ["echo"]  # limits are opinions: nothing was run again


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


def test_damaged_records_are_told_with_their_line_and_fresh_mends_them(tmp_path):
    path, out = write_task(tmp_path / "task", ["own.py:Echo"]), tmp_path / "run"
    assert harness("run", path, "--out", out).returncode == 0
    (out / "records.jsonl").write_text("{]}\n" + (out / "records.jsonl").read_text())
    for command in (["run", path, "--out", out], ["report", out]):
        done = harness(*command)
        assert done.returncode == 2
        assert f"{out / 'records.jsonl'}:1: this record cannot be read" in done.stderr
    assert harness("run", path, "--out", out, "--fresh").returncode == 0


def test_every_fault_of_a_task_is_told_at_once_a_line_each(tmp_path):
    path = write_task(tmp_path / "task", ["majorty", "own.py:Ecko"], metric="acuracy")
    for command in ("run", "check"):
        done = harness(command, path)
        assert done.returncode == 2
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert len(lines) == 3
        for name in ("majority", "Echo", "accuracy"):
            assert len([line for line in lines if f"did you mean '{name}'" in line]) == 1


# report


def test_a_report_needs_neither_task_nor_data_nor_strategy(tmp_path):
    path, out = write_task(tmp_path / "task", ["majority", "own.py:Echo"]), tmp_path / "run"
    assert harness("run", path, "--out", out).returncode == 0
    before = {name: (out / name).read_bytes() for name in ("comparison.json", "report.md")}
    for name in (*before, "report.html"):
        (out / name).unlink()
    shutil.rmtree(tmp_path / "task")
    done = harness("report", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: (out / name).read_bytes() for name in before} == before
    assert (out / "report.html").is_file()


def test_a_report_with_other_prices_changes_opinions_and_no_facts(finished, tmp_path):
    row = "{name: any, usd_per_hour: 9, source: an invoice, read_on: 2026-01-01, stands_for: {}}"
    (tmp_path / "prices.yaml").write_text(f"machines:\n  - {row}\n")
    facts = {p: p.read_bytes() for p in finished.rglob("*.jsonl")}
    assert rows_of(finished)["echo"]["usd_per_1k_busy"] is None
    done = harness("report", finished, "--prices", tmp_path / "prices.yaml")
    assert done.returncode == 0, done.stderr
    assert rows_of(finished)["echo"]["usd_per_1k_busy"] > 0
    assert {p: p.read_bytes() for p in finished.rglob("*.jsonl")} == facts


def test_a_report_says_on_the_screen_which_prices_are_old_today(finished, tmp_path):
    row = "{name: any, usd_per_hour: 9, source: an invoice, read_on: 2019-01-01, stands_for: {}}"
    (tmp_path / "prices.yaml").write_text(f"machines:\n  - {row}\n")
    done = harness("report", finished, "--prices", tmp_path / "prices.yaml")
    assert done.returncode == 0, done.stderr
    assert (
        "- the price of any was read on 2019-01-01, more than a year ago: read an invoice again and"
        " `report --prices` with what it says\n"
    ) in done.stdout


@pytest.mark.parametrize("command", ["report", "predict"])
def test_a_folder_without_a_run_is_told_so(tmp_path, command):
    done = harness(command, tmp_path / "nowhere")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "nowhere").exists()


# predict


def test_predict_answers_lines_of_standard_input_with_the_chosen_arm(shared):
    out = shared[0] / "run"
    chosen = json.loads((out / "comparison.json").read_text())["recommendation"]["choice"]
    assert chosen in ("echo", "tfidf")
    done = harness("predict", out, stdin="rain is near\n\nsun is far\n")
    assert (done.returncode, done.stdout) == (0, "rain\nsun\n"), done.stderr


def test_predict_takes_another_arm(shared):
    done = harness("predict", shared[0] / "run", "--arm", "majority", stdin="sun\nsun\n")
    assert (done.returncode, done.stdout) == (0, "rain\nrain\n"), done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("new.txt", "rain is near\nsun is far\n"),
        ("new.txt", '{"text": "rain is near"}\n{"text": "sun is far"}\n'),
        ("new.jsonl", '{"id": "x", "text": "rain is near"}\n{"text": "sun\\nis far"}\n'),
        ("new.csv", 'text,other\n"rain ""now"", then",1\n"sun\nis far",2\n'),
        ("new.txt", "rain\u2028 and \x85 more\r\nsun\n"),
    ],
)
def test_predict_answers_a_file_of_texts_or_rows(shared, tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    done = harness("predict", shared[0] / "run", "--arm", "echo", tmp_path / name)
    assert (done.returncode, done.stdout) == (0, "rain\nsun\n"), done.stderr


def test_predict_gives_json_lines_alone_with_ids_and_log_probabilities(shared):
    stdin = '{"id": "x", "text": "rain"}\nsun\n'
    done = harness("predict", shared[0] / "run", "--arm", "tfidf", "--json", stdin=stdin)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["id"], row["text"], row["error"]) for row in rows] == [
        ("x", "rain", None),
        ("2", "sun", None),
    ]
    assert set(rows[0]["label_logprobs"]) == {"rain", "sun"}


def test_predict_keeps_a_failing_item_in_its_place(tmp_path):
    path, out = write_task(tmp_path / "task", ["own.py:Moody"]), tmp_path / "run"
    assert harness("run", path, "--out", out).returncode == 0
    done = harness("predict", out, "--arm", "moody", stdin="rain\nbad\nsun\n")
    assert done.stdout == "rain\n\nsun\n"
    assert "error: 2: ValueError: too bad" in done.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "reason"),
    [
        (["--arm", "ecko"], "rain", "did you mean 'echo'"),
        (["--arm", "broken"], "rain", "the arm 'broken' has not finished"),
        (["missing.jsonl"], "", "missing.jsonl"),
        (["missing.txt"], "", "missing.txt cannot be read"),
        ([], '{"words": "rain"}', "line 1: there is no 'text'"),
    ],
)
def test_predict_says_what_it_cannot_do(shared, words, stdin, reason):
    done = harness("predict", shared[0] / "run", *words, stdin=stdin)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# check, list, new


def test_check_counts_the_rows_and_names_leaked_ones(tmp_path):
    path = write_task(tmp_path / "task", ["own.py:Echo"])
    done = harness("check", path)
    assert done.returncode == 0
    assert "16 train, 4 validation, 20 test rows, 1 arms" in done.stdout
    shutil.copy(tmp_path / "task/test.jsonl", tmp_path / "task/validation.jsonl")
    text = (tmp_path / "task/validation.jsonl").read_text().replace('"test-', '"copy-')
    (tmp_path / "task/validation.jsonl").write_text(text)
    done = harness("check", path)
    assert done.returncode == 0
    assert "20 of 20 test inputs also stand in train or validation" in done.stdout
    assert harness("check", path, "--strict").returncode == 2


def test_list_names_what_there_is_and_its_json_says_the_same():
    lines = harness("list").stdout.splitlines()
    entries = json.loads(harness("list", "--json").stdout)
    assert [line.split()[:2] for line in lines] == [[e["kind"], e["name"]] for e in entries]
    names = {entry["name"] for entry in entries}
    assert {"majority", "tfidf", "accuracy", "smollm2-135m-instruct-q4"} <= names
    assert all(entry["summary"] for entry in entries)


@pytest.mark.parametrize("kind", ["strategies", "metrics", "models"])
def test_list_of_one_kind_is_that_part_of_the_whole(kind):
    part = harness("list", kind).stdout.splitlines()
    assert part
    assert {line.split()[0] for line in part} == {
        {"strategies": "strategy", "metrics": "metric", "models": "model"}[kind]
    }


def test_a_new_task_with_a_new_strategy_can_be_run_as_it_is(tmp_path):
    assert harness("new", "task", "first", cwd=tmp_path).returncode == 0
    (path,) = tmp_path.rglob("task.yaml")
    assert harness("check", path).returncode == 0
    assert harness("new", "task", "first", cwd=tmp_path).returncode == 2
    assert harness("new", "strategy", "mine", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "words", ["", "rum", "run", "list planets", "run x --no", "predict x y z", "predict x --no"]
)
def test_a_command_line_that_makes_no_sense_ends_with_2(words):
    done = harness(*words.split())
    assert done.returncode == 2
    assert "usage: python -m harness" in done.stderr


# what a command loads, and whose


SHOW_MODULES = """
import sys
from harness.__main__ import main
try:
    main()
finally:
    print("LOADED", *sorted(name for name in sys.modules if "." not in name))
"""


@pytest.mark.parametrize("command", ["--help", "check", "report", "list"])
def test_light_commands_load_no_heavy_package(shared, finished, command):
    words = {"check": [shared[0] / "task/task.yaml"], "report": [finished]}.get(command, [])
    done = subprocess.run(
        [sys.executable, "-c", SHOW_MODULES, command, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(re.search("^LOADED (.*)$", done.stdout, re.MULTILINE)[1].split())
    assert "argparse" in loaded
    heavy = {"torch", "transformers", "peft", "faiss", "sentence_transformers", "datasets"}
    assert loaded & (heavy | {"sklearn", "bitsandbytes"}) == set()


def test_a_users_own_folders_do_not_shadow_ours(tmp_path):
    for name in ("strategies", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('the wrong {name}')")
    (tmp_path / "strategies/majority.py").write_text("raise SystemExit('the wrong majority')")
    write_task(tmp_path, ["majority"])
    done = harness("run", "task.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows_of(tmp_path / "out")["majority"]["status"] == "ok"
    done = harness("predict", "out", "--arm", "majority", stdin="sun", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "rain\n"), done.stderr
