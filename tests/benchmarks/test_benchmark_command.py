"""The command `python -m benchmarks`: names, mistakes, the last line."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import (
    __main__ as command,
)
from benchmarks.sides import SideError, Sides

ROOT = Path(__file__).parent.parent.parent


def test_an_unknown_name_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["choice_scorin"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert [name for name in command.NAMES if name not in said] == []


def test_no_name_is_a_mistake():
    with pytest.raises(SystemExit) as ended:
        command.main([])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("name", "package"),
    [("choice_scoring", "lm_eval"), ("many_labels", "lm_eval"), ("lora_training", "trl")],
)
def test_a_missing_peer_says_how_to_install_it(name, package, monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    assert command.main([name, "--quick"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().endswith("→ pip install -c constraints.txt -e '.[benchmarks]'")
    assert package in err


@pytest.mark.parametrize("name", command.NAMES)
def test_every_name_is_a_page_and_stands_in_the_readme(name):
    module = import_module(f"benchmarks.{name}")
    assert callable(module.run)
    assert isinstance(module.PACKAGES, tuple)
    assert f"| `{name}` |" in (ROOT / "benchmarks" / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [("arms", "these parts: banking77_10/classic, "), ("coverage", "no parts → leave out --only")],
)
def test_a_part_that_there_is_not_is_refused_with_those_that_there_are(
    name, said, monkeypatch, capsys
):
    monkeypatch.setattr(command, "find_spec", lambda _: object())
    assert command.main([name, "--only", "banking78"]) == 2
    assert f"{name} has no banking78; it has {said}" in capsys.readouterr().err


def test_parts_that_are_named_are_run_and_else_all():
    assert Sides(False, "cpu", ["squad/rag"]).chosen(["a", "b"]) == ["squad/rag"]
    assert Sides(False, "cpu").chosen(["a", "b"]) == ["a", "b"]


def test_a_failed_side_is_reported_and_prints_no_figures(monkeypatch, capsys):
    def fail(*_):
        raise SideError("benchmarks.generation.peer was killed by signal 9:\n")

    monkeypatch.setattr(command, "_run", fail)
    assert command.main(["generation"]) == 1
    out, err = capsys.readouterr()
    assert (out, "killed by signal 9" in err) == ("", True)


def test_the_last_line_is_the_json(monkeypatch, capsys):
    monkeypatch.setattr(
        command, "_run", lambda name, _, quick, only: {"name": name, "quick": quick}
    )
    assert command.main(["generation", "--quick"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "name": "generation",
        "quick": True,
    }
