"""A strategy's hash follows all source that it can reach, however it imports it, and no other."""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

import harness
from harness import registry
from harness.files.reached_code import sha256_of_code
from harness.registry import source

RULE = """
from harness import Prediction, Strategy
class Rule(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""
ENGINE, SEARCH, PROMPTS = "lm/inference/scoring.py", "retrieval/fusion.py", "toolkit/prompts.py"


@pytest.fixture
def rooms(tmp_path, monkeypatch) -> Path:
    """A copy of the harness's source, which a test may edit."""
    copy = tmp_path / "copy/harness"
    shutil.copytree(Path(harness.__file__).parent, copy, ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(source, "HOME", copy)
    return copy


def follows(strategy, file: Path) -> bool:
    """Tell whether a strategy's hash changes with a file."""
    before = registry.source_sha256(strategy)
    assert registry.source_sha256(strategy) == before
    text = file.read_text()
    file.write_text(text + "\n# edited\n")
    sha256_of_code.cache_clear()
    after = registry.source_sha256(strategy)
    file.write_text(text)
    sha256_of_code.cache_clear()
    assert registry.source_sha256(strategy) == before
    return after != before


def in_file(folder: Path, more: str):
    (folder / "own.py").write_text(RULE + more)
    return registry.find("own.py:Rule", folder)


@pytest.mark.parametrize(
    "lines",
    [
        "    def load(self, artifact):\n        from harness import lm\n        lm.open_model(1)",
        "    def load(self, artifact):\n        import harness.lm.loading.load",
        "from harness import lm as engine",
        "import harness.lm as engine",
        "import harness\nload = harness.lm.open_model",
        "from harness.lm import *",
        "from harness.lm.chat import prompt_tokens",
        "    from harness import lm",
        "from harness import toolkit\nanswer = toolkit.answer",
        "from harness import toolkit as kit\nmine = kit",
        "    from harness import toolkit",
        "import harness\nkit = getattr(harness, 'toolkit')",
        "import harness\nroom = harness.__dict__['lm']",
        "from importlib import import_module\nlm = import_module('harness.lm')",
        "import importlib\nlm = importlib.import_module('harness.lm')",
        "lm = __import__('harness.lm')",
    ],
)
def test_the_engine_counts_however_it_is_imported(rooms, tmp_path, lines):
    assert follows(in_file(tmp_path, lines), rooms / ENGINE)


@pytest.mark.parametrize(
    "lines",
    [
        "import importlib\ndef late(name): return importlib.import_module(f'harness.{name}')",
        "from importlib import import_module as late\nroom = lambda name: late(name)",
        "import importlib.util\nspec = importlib.util.find_spec",
        "def late(name): return __import__(name)",
        "import sys\nroom = lambda: sys.modules['harness.' + 'lm']",
        "def run(text): exec(text)",
        "import pkgutil\nfind = pkgutil.resolve_name",
        "from importlib.metadata import entry_points\nfind = entry_points",
        "def check():\n    from harness.testing import check_strategy\n    check_strategy(Rule)",
    ],
)
def test_everything_counts_where_the_text_does_not_say_what_is_reached(rooms, tmp_path, lines):
    strategy = in_file(tmp_path, lines)
    beside = tmp_path / "beside.py"
    beside.write_text("x = 1")
    files = [*(rooms / page for page in (ENGINE, SEARCH, PROMPTS, "types/rows.py")), beside]
    assert [file for file in files if not follows(strategy, file)] == []


@pytest.mark.parametrize(
    "lines",
    [
        "from harness.toolkit.selection import best_on_validation",
        "from harness import toolkit\nright = toolkit.right_choices",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from harness import lm",
        "from importlib import metadata\nversion = metadata.version",
        "from harness.workload import Answering",
        "import harness\nclass Params(harness.Params): pass",
    ],
)
def test_rooms_that_are_not_reached_do_not_count(rooms, tmp_path, lines):
    strategy = in_file(tmp_path, lines)
    for page in (ENGINE, SEARCH, PROMPTS, "plan/demand.py", "run/job.py", "workload.py"):
        assert not follows(strategy, rooms / page), page


def test_a_page_of_the_toolkit_counts_for_those_that_use_it_alone(rooms, tmp_path):
    strategy = in_file(tmp_path, "from harness.toolkit.selection import best_on_validation")
    assert follows(strategy, rooms / "toolkit/selection.py")
    assert not follows(strategy, rooms / "toolkit/answer.py")


def test_an_init_that_does_more_than_pass_names_on_is_followed_whole(rooms, tmp_path):
    init = rooms / "toolkit/__init__.py"
    init.write_text(init.read_text() + "\nlm = load(1)\n")
    strategy = in_file(tmp_path, "from harness.toolkit.selection import best_on_validation")
    assert follows(strategy, init)
    assert follows(strategy, rooms / ENGINE)


@pytest.mark.parametrize(
    ("rule", "helper"),
    [
        ("from .helper import load", "from harness import lm\ndef load(): lm.open_model(1)"),
        ("from . import helper\nload = helper.lm.open_model", "from harness import lm"),
        ("    def load(self, a):\n        from a_plug.helper import kit\n        kit.answer()",
         "from harness import toolkit as kit"),
        ("from a_plug import helper\nmine = helper", "from harness import lm"),
        ("import a_plug.helper", "from a_plug.deeper import x"),
        ("from a_plug.helper import *", "from harness import lm"),
    ],
)  # fmt: skip
def test_what_a_neighbour_imports_counts(rooms, tmp_path, monkeypatch, rule, helper):
    package = tmp_path / "a_plug"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "helper.py").write_text(helper)
    (package / "deeper.py").write_text("def x():\n    from harness.lm import chat")
    (package / "other.py").write_text("")
    (package / "rule.py").write_text(RULE + rule)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("a_plug", "a_plug.rule", "a_plug.helper", "a_plug.deeper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    strategy = registry.find("a_plug.rule:Rule")
    assert follows(strategy, rooms / ENGINE)
    assert not follows(strategy, rooms / SEARCH)
    assert not follows(strategy, package / "other.py")


def test_code_that_no_version_pins_counts_in_other_packages_too(tmp_path, monkeypatch):
    (tmp_path / "my_tools.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    strategy = in_file(tmp_path, "    def load(self, artifact):\n        import my_tools")
    assert follows(strategy, tmp_path / "my_tools.py")


def test_source_that_cannot_be_read_counts_with_everything(rooms, tmp_path):
    strategy = in_file(tmp_path, "")
    (tmp_path / "own.py").write_bytes(b"\0compiled")
    assert follows(strategy, rooms / ENGINE)
    assert follows(strategy, rooms / SEARCH)


BY_ROOM = {
    "lm": {ENGINE: True, SEARCH: False},
    "retrieval": {ENGINE: False, SEARCH: True},
    "both": {ENGINE: True, SEARCH: True},
    "neither": {ENGINE: False, SEARCH: False},
}


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("majority", "neither"),
        ("tfidf", "neither"),
        ("predictions", "neither"),
        ("cascade", "neither"),
        ("nearest", "retrieval"),
        ("encoder", "retrieval"),
        ("classic", "retrieval"),
        ("match", "retrieval"),
        ("retrieve", "retrieval"),
        ("zero_shot", "lm"),
        ("lm_probe", "lm"),
        ("lora", "lm"),
        ("few_shot", "both"),
        ("rag", "both"),
    ],
)
def test_a_built_in_arm_follows_the_rooms_that_it_uses(rooms, name, room):
    strategy = registry.find(name)
    found = {page: follows(strategy, rooms / page) for page in (ENGINE, SEARCH)}
    assert found == BY_ROOM[room]
    assert follows(strategy, rooms / "types/rows.py")
    assert not follows(strategy, rooms / "plan/demand.py")


def test_the_distributions_of_a_package_are_those_that_the_standard_library_finds():
    found = metadata.packages_distributions()
    packages = [name for name in found if name.isidentifier()]
    assert {"strategies", "numpy", "pydantic"} <= set(packages)
    assert {name: source.holders_of(name) for name in packages} == {
        name: frozenset(found[name]) for name in packages
    }
    assert source.holders_of("no_such_package") == frozenset()
