"""`check_strategy` passes what is sound and names the breach of everything in the broken kit."""

from __future__ import annotations

import broken_kit
import pytest
from test_one_process import CASES
from test_tuned import TUNED
from tiny_models import write_model

from harness import registry, testing
from harness.errors import StrategyError
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
    "FailsOnNoQueries": "with no queries",
    "FailsOnOddText": "the query odd-1 failed: UnicodeEncodeError",
    "KeepsAnAbsolutePath": "FileNotFoundError",
    "WritesWhenServing": "writes into the artifact",
    "LoosensItsParams": "accept an unknown key",
    "HasForeignParams": "must inherit from harness.Params",
    "ClaimsTooMuch": "from 0 to 5",
    "ClaimsAnUnknownAnswer": "poem",
    "OffersWhatNoTaskAsks": "some of per_user_data, citations, offline, not ofline",
    "LogProbabilitiesThatAreNone": "not logarithms of probabilities",
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


def test_a_sound_strategy_passes():
    check_strategy(broken_kit.Sound)


@pytest.mark.parametrize("name", sorted(BREACHES))
def test_a_broken_strategy_is_caught(name):
    with pytest.raises(StrategyError) as caught:
        check_strategy(getattr(broken_kit, name))
    assert BREACHES[name] in str(caught.value)


@pytest.mark.parametrize("name", ["majority", "tfidf"])
def test_the_built_in_strategies_keep_the_contract(name):
    check_strategy(registry.find(name))


def test_one_with_a_model_keeps_it_too(tmp_path, monkeypatch):
    monkeypatch.setattr(testing, "KINDS", ("choice",))  # the other kinds stand in one process
    model = write_model(tmp_path / "model", "llama-tied", chat=True)
    check_strategy(registry.find("few_shot"), {"shots": 3}, model)


def test_every_built_in_strategy_is_checked_here_or_in_one_process():
    ours = {n for n in registry.names() if registry.find(n).__module__.startswith("strategies.")}
    assert ours == {"predictions", *(name for name, *_ in (*TUNED, *CASES))}
