"""A plugin that is really installed, by pip, into an environment of its own folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "plugin_package"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The plugin, installed by pip into a folder that only these tests have on their path."""
    target = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "plugin"
    subprocess.run(["cp", "-r", str(PACKAGE), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True)
    return target


def harness(site, *words, cwd):
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_it_is_listed_beside_the_built_in_ones(site, tmp_path):
    listed = harness(site, "list", "strategies", cwd=tmp_path).stdout
    assert "longest_word" in listed
    assert "majority" in listed


def test_it_runs_like_a_built_in_one_and_its_version_is_on_record(site, tmp_path):
    rows = [{"id": "a", "input": "a long sentence", "target": "SENTENCE!!"}]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "task.yaml").write_text(
        "name: shout\ninstruction: Shout.\nanswer: {kind: text}\ndata: {test: test.jsonl}\n"
        "metric: exact_match\nstrategies: [{use: longest_word, exclamation_marks: 2}]\n"
    )
    done = harness(site, "run", "task.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    comparison = json.loads((tmp_path / "runs/shout/comparison.json").read_text())
    assert comparison["rows"][0]["score"]["value"] == 1.0
    assert comparison["run"]["packages"]["harness-shouting-plugin"] == "1.2.3"


def test_a_wrong_parameter_is_refused_with_the_right_one(site, tmp_path):
    (tmp_path / "test.jsonl").write_text('{"input": "x", "target": "X"}\n')
    (tmp_path / "task.yaml").write_text(
        "name: shout\ninstruction: Shout.\nanswer: {kind: text}\ndata: {test: test.jsonl}\n"
        "metric: exact_match\nstrategies: [{use: longest_word, exclamation_mark: 2}]\n"
    )
    done = harness(site, "run", "task.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'exclamation_marks'?" in done.stderr
