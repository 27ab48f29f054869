"""Whatever a command prints is text: to a terminal it says, and does, nothing else."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from command_line import harness, write_task
from hostile_texts import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import commands
from harness.wording.visible import on_one_line, visible, visible_json

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
ROOM = Path(commands.__file__).parent
EVIL = "\x1b]0;owned\x07\x9b31m\u202e\r\tx"
SOURCE = """
from harness import Prediction, Strategy

class Evil(Strategy):
    "\\x1b[31mA summary\\x9b."
    def predict(self, queries):
        if any("bad" in query.text for query in queries):
            raise ValueError("\\x1b[2J\\u202e\\x07 no")
        return [Prediction("\\x1b[31mra\\tin\\u2028\\x85") for _ in queries]
"""


@given(st.text())
def test_no_text_keeps_a_character_that_acts(text):
    assert not CONTROLS.search(visible(text))
    assert "\n" not in on_one_line(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_says_the_same(text):
    line = visible_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(line) == [text]
    assert not CONTROLS.search(line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e", "\\u202e"),
        ("a\tb\nc", "a b\nc"),
        ("ä – 日本語 👩‍💻 \u200d", "ä – 日本語 👩‍💻 \u200d"),
        ("\ud800", "\\ud800"),
        ("a\rb", "a\\rb"),
    ],
)
def test_what_acts_is_shown_as_an_escape_and_the_rest_as_it_is(text, shown):
    assert visible(text) == shown


def test_nothing_in_the_command_line_prints_but_by_what_makes_text_of_it():
    """A new `print` would be a new way in."""
    found = [
        f"{file.name}:{node.lineno}"
        for file in ROOM.glob("*.py")
        if file.name != "plain.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "print")
            or ast.unparse(node.func).endswith(("sys.stdout.write", "sys.stderr.write"))
        )
    ]
    assert len(list(ROOM.glob("*.py"))) >= 8
    assert found == []


def test_faults_of_a_task_are_told_as_text(tmp_path):
    for number, text in enumerate((EVIL, HOSTILE["hyperlink"], HOSTILE["lines"])):
        folder = tmp_path / str(number)
        path = write_task(folder, ["majority"], metric=text, answer={"kind": text})
        done = harness("check", path)
        assert done.returncode == 2
        assert not CONTROLS.search(done.stdout + done.stderr)


def test_paths_and_words_of_the_command_line_are_told_as_text(tmp_path):
    for words in (["check", tmp_path / EVIL], ["report", tmp_path / EVIL], ["list", EVIL], [EVIL]):
        done = harness(*words)
        assert done.returncode == 2
        assert "\\x1b" in done.stderr
        assert not CONTROLS.search(done.stdout + done.stderr)


def test_a_run_and_its_answers_are_told_as_text(tmp_path):
    (tmp_path / EVIL).mkdir()
    (tmp_path / EVIL / "evil.py").write_text(SOURCE)
    path = write_task(tmp_path / EVIL, ["evil.py:Evil", "majority"])
    out = tmp_path / EVIL / "run"
    done = [harness("run", path, "--out", out, "--gate")]
    done += [harness("predict", out, "--arm", "evil", stdin="good\nbad\n")]
    done += [harness("predict", out, "--arm", "evil", "--json", stdin="good\nbad\n")]
    done += [harness("report", out), harness("compare", out, out)]
    for one in done:
        assert not CONTROLS.search(one.stdout + one.stderr), one.args
    said = done[1]
    assert said.stdout.splitlines() == ["\\x1b[31mra in\\u2028\\x85", ""]
    assert "\\x1b[2J\\u202e\\x07 no" in said.stderr
    assert json.loads(done[2].stdout.splitlines()[0])["text"] == "\x1b[31mra\tin\u2028\x85"
