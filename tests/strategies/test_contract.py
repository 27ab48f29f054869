"""`check_strategy` passes what is sound and names the breach of everything in the broken kit."""

from __future__ import annotations

import broken_kit
import pytest
from test_one_process import CASES
from test_tuned import TUNED
from tiny_models import write_model

from harness import registry
from harness.errors import StrategyError
from harness.run.launchers.in_process import InProcessLauncher
from harness.run.launchers.local import LocalLauncher
from harness.testing import check_strategy

BREACHES = {
    "WrongOrder": "depends on its place",
    "DropsAnItem": "13 predictions for 14 queries",
    "StateInMemory": "KeyError",
    "ChangesAQuery": "changed its queries",
    "ReordersItsQueries": "changed its queries",
    "ReturnsStrings": "where a Prediction was due",
    "AnswersNone": "where a Prediction was due",
    "IsNotDetermined": "not determined by the seed",
    "LooksAtItsNeighbours": "its neighbours",
    "AnswersByPlace": "the answer to the query test-0 is 'blue' and becomes 'red'",
    "RemembersWhatWasAsked": "on what was asked before",
    "PadsToTheLongest": "in its label_logprobs when the same queries are asked in two halves",
    "DrawsByCall": "when the same queries are asked in another order, in two halves, one by one",
    "CitesItsBatch": "the answer to the query test-0 names the sources ('test-0', ",
    "FailsInCompany": "the query odd-2 is 'not first' and becomes 'red' when",
    "ChoosesByTheClock": "on what was asked before",
    "FailsOnNoQueries": "with no queries",
    "FailsOnOddText": "the query odd-1 failed: UnicodeEncodeError",
    "KeepsAnAbsolutePath": "FileNotFoundError",
    "WritesWhenServing": "writes into the artifact",
    "LoosensItsParams": "accept an unknown key",
    "HasForeignParams": "must inherit from harness.Params",
    "ClaimsTooMuch": "from 0 to 5",
    "ClaimsAnUnknownAnswer": "poem",
    "OffersWhatNoTaskAsks": "some of per_user_data, citations, offline, not ofline",
    "LogProbabilitiesThatAreNone": "0.9 is not the natural logarithm of a probability",
    "HasAFloorThatIsNone": "its floor 'majority' cannot be built",
    "Dies": "exit code 7",
    "ChangesItsTrainingRows": "changed its training",
}


def test_the_kit_and_the_table_name_the_same_strategies():
    kit = {
        name
        for name, value in vars(broken_kit).items()
        if isinstance(value, type) and issubclass(value, broken_kit.Sound)
    }
    assert kit - {"Sound"} == set(BREACHES)


SHOWN_BY_PROCESSES = {"StateInMemory", "IsNotDetermined", "Dies", "LooksAtItsNeighbours"}
"""What only fresh interpreters show for certain; the others are caught in this one too."""


@pytest.mark.parametrize("launcher", [LocalLauncher, InProcessLauncher])
def test_a_sound_strategy_passes(launcher):
    check_strategy(broken_kit.Sound, launcher=launcher)


@pytest.mark.parametrize("name", sorted(BREACHES))
def test_a_broken_strategy_is_caught(name):
    launcher = LocalLauncher if name in SHOWN_BY_PROCESSES else InProcessLauncher
    with pytest.raises(StrategyError) as caught:
        check_strategy(getattr(broken_kit, name), kinds=("choice",), launcher=launcher)
    assert BREACHES[name] in str(caught.value)
    assert "text: " not in str(caught.value)


def test_every_kind_of_answer_is_checked_unless_some_are_named():
    with pytest.raises(StrategyError) as caught:
        check_strategy(broken_kit.DropsAnItem, launcher=InProcessLauncher)
    for kind in ("choice", "text"):
        assert f"{kind}: serving" in str(caught.value)


def test_kinds_of_which_a_strategy_gives_none_are_a_breach_not_a_pass():
    with pytest.raises(StrategyError, match="no answer of these kinds: json"):
        check_strategy(broken_kit.Sound, kinds=("json",), launcher=InProcessLauncher)


@pytest.mark.parametrize(
    ("name", "launcher"), [("majority", LocalLauncher), ("tfidf", InProcessLauncher)]
)
def test_the_built_in_strategies_keep_the_contract(name, launcher):
    check_strategy(registry.find(name), launcher=launcher)


def test_one_with_a_model_keeps_it_too(tmp_path):
    model = write_model(tmp_path / "model", "llama-tied", chat=True)
    few_shot = registry.find("few_shot")
    check_strategy(few_shot, {"shots": 3}, model, launcher=InProcessLauncher)


COMBINED = [
    ("cascade", {"cheap": "tfidf", "dear": "majority"}, "choice"),
    ("cascade", {"cheap": "zero_shot", "dear": {"use": "zero_shot", "model": "large"}}, "text"),
    ("distil", {"teacher": "majority", "student": "tfidf"}, "choice"),
    ("distil", {"teacher": {"use": "zero_shot", "model": "large"}, "student": "tfidf"}, "choice"),
    ("prompt_search", {"reflector": "large", "calls": 12, "reflections": 1}, "choice"),
]


@pytest.mark.parametrize(("name", "params", "kind"), COMBINED)
def test_combinations_keep_it_too_with_models_of_their_own(name, params, kind, tmp_path):
    if name == "prompt_search":
        pytest.importorskip("gepa", reason="GEPA is not installed (the extra `prompts`)")
    if name == "distil":
        new = tmp_path / "new.jsonl"
        new.write_text("".join(f'{{"input": "thing {n}"}}\n' for n in range(6)))
        params = {**params, "unlabelled": str(new)}
    model = write_model(tmp_path / "model", "llama-tied", chat=True)
    models = {"": model, "large": write_model(tmp_path / "large", "llama", chat=True)}
    check_strategy(registry.find(name), params, models, kinds=(kind,), launcher=InProcessLauncher)


def test_every_built_in_strategy_is_checked_here_or_in_one_process():
    ours = {n for n in registry.names() if registry.find(n).__module__.startswith("strategies.")}
    assert ours == {"predictions", *(name for name, *_ in (*TUNED, *CASES))}
