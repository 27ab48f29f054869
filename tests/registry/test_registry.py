"""Strategies are found by name, in a file or in a module, and hashed by their source."""

from __future__ import annotations

from importlib import metadata

import pytest

from harness import Strategy, registry
from harness.errors import StrategyError, UnknownNameError, UserError

RULE = """
from harness import Prediction, Strategy
class Rule(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
NOT_ONE = 3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "own.py").write_text(RULE)
    return tmp_path / "own.py"


def test_every_installed_entry_point_is_found_by_its_name():
    points = metadata.entry_points(group="harness.strategies")
    assert len(points) >= 5
    assert registry.names() == sorted(point.name for point in points)
    for point in points:
        assert registry.find(point.name) is point.load()


def test_a_file_is_found_from_the_base_folder_and_by_its_whole_path(file):
    found = registry.find("own.py:Rule", file.parent)
    assert issubclass(found, Strategy)
    assert found is registry.find(f"{file}:Rule")


def test_a_relative_file_starts_from_the_working_directory_without_a_base(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert registry.find("own.py:Rule").__name__ == "Rule"


def test_files_of_the_same_name_do_not_collide(file, tmp_path):
    other = tmp_path / "other/own.py"
    other.parent.mkdir()
    other.write_text(RULE)
    assert registry.find("own.py:Rule", tmp_path) is not registry.find("own.py:Rule", other.parent)


def test_a_module_is_found_by_its_dotted_name():
    assert registry.find("strategies.majority:Majority") is registry.find("majority")


@pytest.mark.parametrize("name", ["majority", "tfidf"])
def test_a_class_is_found_again_by_its_reference(name):
    found = registry.find(name)
    assert registry.find(registry.reference_to(found)) is found


def test_a_class_in_a_file_is_found_again_by_its_reference(file):
    found = registry.find(f"{file}:Rule")
    assert registry.find(registry.reference_to(found)) is found


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownNameError, match="did you mean 'majority'"):
        registry.find("majorty")


def test_an_unknown_class_is_answered_with_the_files_classes(file):
    with pytest.raises(UnknownNameError, match="did you mean 'Rule'"):
        registry.find(f"{file}:Rul")


@pytest.mark.parametrize(
    ("reference", "error", "words"),
    [
        ("missing.py:Rule", UserError, "there is no file"),
        ("own.py:NOT_ONE", StrategyError, "is not a strategy"),
        ("json:JSONDecoder", StrategyError, "is not a strategy"),
        ("harness:Strategy", StrategyError, "its own `predict`"),
        ("json:Nothing", StrategyError, "cannot be imported"),
        ("no_such_module:Rule", StrategyError, "cannot be imported"),
        ("broken.py:Rule", StrategyError, "SyntaxError"),
        ("raises.py:Rule", StrategyError, "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(file, reference, error, words):
    (file.parent / "broken.py").write_text("class Rule(")
    (file.parent / "raises.py").write_text("1 / 0")
    with pytest.raises(error, match=words):
        registry.find(reference, file.parent)


def test_two_packages_offering_one_name_are_both_named(monkeypatch):
    points = [metadata.EntryPoint("same", f"{p}:Rule", registry.GROUP) for p in ("one", "two")]
    monkeypatch.setattr(registry.lookup.metadata, "entry_points", lambda group: points)
    with pytest.raises(StrategyError, match="one:Rule, two:Rule"):
        registry.find("same")


def test_an_entry_point_to_a_missing_module_is_refused_with_its_place(monkeypatch):
    points = [metadata.EntryPoint("gone", "no_such_module:Rule", registry.GROUP)]
    monkeypatch.setattr(registry.lookup.metadata, "entry_points", lambda group: points)
    with pytest.raises(StrategyError, match="no_such_module:Rule"):
        registry.find("gone")


def test_the_source_hash_follows_every_byte_of_the_file(file):
    found = registry.find(f"{file}:Rule")
    before = registry.source_sha256(found)
    assert registry.source_sha256(found) == before
    file.write_text(RULE + "#")
    assert registry.source_sha256(found) != before
    file.write_text(RULE)
    assert registry.source_sha256(found) == before


def test_the_source_hash_of_two_strategies_of_one_package_differs():
    majority, tfidf = registry.find("majority"), registry.find("tfidf")
    assert registry.source_sha256(majority) != registry.source_sha256(tfidf)


def test_a_neighbour_counts_in_a_package_inside_a_package(tmp_path, monkeypatch):
    package = tmp_path / "a_plugin/inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "rule.py").write_text(RULE)
    (package / "neighbour.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    found = registry.find("a_plugin.inner.rule:Rule")
    before = registry.source_sha256(found)
    (package / "neighbour.py").write_text("x = 2")
    assert registry.source_sha256(found) != before


WITH_MODEL = """
from typing import Annotated
from harness import ModelName, Params, Prediction, Strategy
class Rule(Strategy):
    class Params(Params):
        embedder: ModelName = "built-in"
        shots: int = 3
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""


def described(rule, folder, **given):
    params = registry.resolved_params(rule, given, folder)
    return params, registry.profile(rule, params, folder)


def test_a_model_folder_beside_the_task_counts_by_its_files_not_by_its_name(tmp_path):
    (tmp_path / "own.py").write_text(WITH_MODEL)
    rule = registry.find("own.py:Rule", tmp_path)
    for name, weights in (("one", "w"), ("two", "w"), ("three", "v")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.bin").write_text(weights)
    params, one = described(rule, tmp_path, embedder="one")
    assert params.embedder == str(tmp_path / "one")
    assert one.settings == {"shots": 3}
    assert one == described(rule, tmp_path, embedder="./two")[1]
    assert one.sha256 != described(rule, tmp_path, embedder="three")[1].sha256
    params, named = described(rule, tmp_path)
    assert (params.embedder, named.settings) == ("built-in", {"embedder": "built-in", "shots": 3})
    assert one.models == (str(tmp_path / "one"),)
    assert named.models == ("built-in",)


def test_a_model_folder_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "own.py").write_text(WITH_MODEL)
    rule = registry.find("own.py:Rule", tmp_path)
    with pytest.raises(UserError, match=r"parameter 'embedder': there is no folder .*/gone"):
        described(rule, tmp_path, embedder="./gone")


@pytest.mark.parametrize("name", registry.names())
def test_no_built_in_claims_to_keep_users_apart_in_weights_or_to_cite_without_documents(name):
    strategy = registry.find(name)
    if strategy.learns == "weights":
        assert "per_user_data" not in strategy.provides
    if "citations" in strategy.provides:
        assert strategy.needs_corpus


def test_what_a_part_cost_elsewhere_is_part_of_what_the_whole_did(tmp_path):
    (tmp_path / "theirs.jsonl").write_text("")
    theirs = {"use": "predictions", "file": "theirs.jsonl", "fit_usd": 50}
    more = {**theirs, "usd_per_1k": 1}
    cascade = registry.find("cascade")
    costs = [
        described(cascade, tmp_path, cheap="tfidf", dear=dear)[1].fit_usd
        for dear in (theirs, "zero_shot", {"use": "cascade", "cheap": theirs, "dear": more})
    ]
    assert costs == [50, 0, 100]


def test_what_a_part_replays_or_cannot_answer_the_whole_does_and_cannot(tmp_path):
    (tmp_path / "theirs.jsonl").write_text("")
    theirs = {"use": "predictions", "file": "theirs.jsonl"}
    cascade = registry.find("cascade")
    dears = (theirs, "retrieve", {"use": "cascade", "cheap": theirs}, "lora")
    found = [described(cascade, tmp_path, cheap="tfidf", dear=dear)[1] for dear in dears]
    assert [profile.replays for profile in found] == [True, False, True, False]
    assert [profile.answers for profile in found[:2]] == [frozenset({"choice"}), frozenset()]


@pytest.mark.parametrize(
    ("name", "params", "tunes"),
    [
        ("lora", {}, True),
        ("prompt_tuning", {}, True),
        ("few_shot", {}, False),
        ("tfidf", {}, False),
        ("encoder", {}, False),
        ("classic", {}, False),
        ("match", {}, False),
        ("lm_probe", {}, False),
        ("encoder", {"trains": "all"}, True),
        ("encoder", {"trains": "contrastive"}, True),
        ("predictions", {"file": "theirs.jsonl"}, False),
        ("predictions", {"file": "theirs.jsonl", "tuned": True}, True),
        ("cascade", {"cheap": "tfidf", "dear": "zero_shot"}, False),
        ("cascade", {"cheap": "tfidf", "dear": "lora"}, True),
    ],
)
def test_what_tunes_a_pretrained_model_counts_as_fine_tuning(name, params, tunes, tmp_path):
    (tmp_path / "theirs.jsonl").write_text("")
    strategy = registry.find(name)
    assert ("weights" in described(strategy, tmp_path, **params)[1].needs) == tunes
