"""`predict`: new inputs answered by a finished arm."""

from __future__ import annotations

import json
import shutil

import pytest
from command_line import harness, harness_process, write_task

pytestmark = pytest.mark.process  # the shared run is one


def test_predict_answers_lines_of_standard_input_with_the_chosen_arm(shared):
    out = shared[0] / "run"
    chosen = json.loads((out / "comparison.json").read_text())["recommendation"]["choice"]
    assert chosen in ("echo", "tfidf")
    done = harness_process("predict", out, stdin="rain is near\n\nsun is far\n")
    assert (done.returncode, done.stdout) == (0, "rain\nsun\n"), done.stderr


def test_a_verdict_that_is_not_what_was_written_chooses_nothing(shared, tmp_path):
    out = shutil.copytree(shared[0] / "run", tmp_path / "run")
    file = out / "comparison.json"
    written = file.read_text()
    chosen = json.loads(written)["recommendation"]["choice"]
    other = {"echo": "tfidf", "tfidf": "echo"}[chosen]
    for text in (
        written.replace(f'"choice":"{chosen}"', f'"choice":"{other}"'),
        written[:-200],
        "",
    ):
        file.write_text(text.replace(f'"choice": "{chosen}"', f'"choice": "{other}"'))
        done = harness("predict", out, stdin="rain\n")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{file} is not what was written → write it anew" in done.stderr
    assert harness("report", out).returncode == 0
    assert harness("predict", out, stdin="rain\n").stdout == "rain\n"


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


def test_predict_says_what_was_found_of_a_file_beside_its_answers(shared, tmp_path):
    (tmp_path / "new.csv").write_text("text;other\nrain;1\nsun;2\n")
    done = harness("predict", shared[0] / "run", "--arm", "echo", tmp_path / "new.csv")
    assert (done.returncode, done.stdout) == (0, "rain\nsun\n"), done.stderr
    assert "note: new.csv: a semicolon stands between the cells, not a comma" in done.stderr


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
        (["missing.txt"], "", "missing.txt: cannot be read"),
        ([], '{"words": "rain"}', "standard input:1: no column is called 'text'"),
    ],
)
def test_predict_says_what_it_cannot_do(shared, words, stdin, reason):
    done = harness("predict", shared[0] / "run", *words, stdin=stdin)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
