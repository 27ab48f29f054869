"""`check`, `list` and `new`, and what any command loads."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest
from command_line import harness, harness_process, rows_of, write_task


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
    first, *others = done.stdout.splitlines()[1:]
    assert first.startswith("severe: 20 of 20 test inputs also stand in train or validation")
    assert first.endswith(" → take them out of train and validation")
    assert all(line.startswith(("warning: ", "note: ")) for line in others)
    strict = harness("check", path, "--strict")
    assert strict.returncode == 2
    assert "error: --strict, and 1 of " in strict.stderr


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
    for run in (harness,) if words else (harness, harness_process):
        done = run(*words.split())
        assert done.returncode == 2
        assert "usage: python -m harness" in done.stderr


def test_the_program_alone_shows_its_help():
    done = harness_process()
    assert done.returncode == 2
    assert {"run", "check", "plan", "new"} <= {
        line.split()[0] for line in done.stderr.split("\n") if line.strip()
    }


@pytest.mark.parametrize(
    ("word", "meant"), [("rnu", "run"), ("reprot", "report"), ("chek", "check")]
)
def test_a_mistyped_command_is_answered_with_the_one_that_is_meant(word, meant):
    done = harness(word, "task.yaml")
    assert done.returncode == 2
    assert f"no command is called '{word}'; did you mean '{meant}'?" in done.stderr


def test_the_version_is_the_packages():
    done = harness("--version")
    assert (done.returncode, done.stdout) == (0, f"worth-tuning {version('worth-tuning')}\n")


@pytest.mark.parametrize("command", ["run", "check", "plan"])
def test_a_folder_stands_for_its_task_file(tmp_path, command):
    write_task(tmp_path / "task", ["majority"])
    more = ["--out", tmp_path / "run"] if command == "run" else []
    assert harness(command, tmp_path / "task", *more).returncode == 0
    (tmp_path / "task/task.yaml").unlink()
    done = harness(command, tmp_path / "task", *more)
    assert done.returncode == 2
    assert "task: is a folder → name the task.yaml inside it" in done.stderr


SHOW_MODULES = """
import sys
from harness.__main__ import main
try:
    main()
finally:
    print("LOADED", *sorted(name for name in sys.modules if name.count(".") < 2))
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
    heavy |= {"sklearn", "bitsandbytes", "statsmodels", "scipy.stats"}
    # A report's intervals are computed by functions of `scipy.special`, which is light.
    heavy |= set() if command == "report" else {"scipy"}
    assert loaded & heavy == set()


def test_a_users_own_folders_do_not_shadow_ours(tmp_path):
    for name in ("strategies", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('the wrong {name}')")
    (tmp_path / "strategies/majority.py").write_text("raise SystemExit('the wrong majority')")
    write_task(tmp_path, ["majority"])
    done = harness_process("run", "task.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows_of(tmp_path / "out")["majority"]["status"] == "ok"
    done = harness_process("predict", "out", "--arm", "majority", stdin="sun", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "rain\n"), done.stderr
