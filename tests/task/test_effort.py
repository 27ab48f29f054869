"""What a task spends on choosing parameters: checked with remedies, and shared by family."""

import json

import pytest
from sentences import sentences
from task_folder import rows, task_text, told, write

from harness.search_space import Dimension
from harness.task import load_task
from harness.task.effort import MOST_TRIALS, Effort, Searchable, shared_out

SOURCE = """
from typing import ClassVar
from pydantic import Field, model_validator
import harness
from harness import log, search

class Tried(harness.Strategy):
    needs_train = True

    class Params(harness.Params):
        rate: float = Field(1e-3, json_schema_extra=search(log(1e-4, 5e-3)))
        shots: int = Field(8, json_schema_extra=search([4, 8]))

    def predict(self, queries):
        return [harness.Prediction("a") for _ in queries]

class Idle(Tried):
    class Params(harness.Params):
        tuned: bool = False
        rate: float = Field(1e-3, json_schema_extra=search(log(1e-4, 5e-3)))

        @model_validator(mode="after")
        def _agrees(self):
            if not self.tuned:
                self.refuse_idle("rate", why="tuned: false")
            return self

class Asking(Tried):
    needs_model = True
"""
HOSTED = {"provider": "openai", "base_url": "http://x/v1", "model": "m", "key_env": None}
PRICED = HOSTED | {"usd_per_million_input_tokens": 1, "usd_per_million_output_tokens": 1}
TRIED = {"use": "arms.py:Tried", "name": "one"}


def task(folder, validation=4, **changes):
    """A task file whose arms have parameters to choose."""
    (folder / "arms.py").write_text(SOURCE)
    keys = {"strategies": [TRIED], **changes}
    data = {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"}
    if validation:
        data["validation"] = "validation.jsonl"
    text = task_text(data=data, **keys)
    return write(folder, text, validation_jsonl=rows("validation", validation))


def test_without_the_key_every_arm_has_its_defaults(tmp_path):
    loaded = load_task(task(tmp_path))
    assert loaded.spec.effort == "none"
    assert not loaded.searches


def test_an_arm_is_told_its_space_and_its_share(tmp_path):
    loaded = load_task(task(tmp_path, effort={"trials": 7}))
    found = loaded.searches["one"]
    assert (found.trials, found.seconds, found.usd) == (7, None, None)
    assert (found.family, found.sharing) == ("classic", 1)
    assert [each.name for each in found.space] == ["rate", "shots"]


def test_what_an_arm_gives_is_not_tried(tmp_path):
    loaded = load_task(task(tmp_path, effort={"trials": 7}, strategies=[TRIED | {"shots": 8}]))
    assert [each.name for each in loaded.searches["one"].space] == ["rate"]


def test_a_parameter_without_effect_is_nothing_to_choose(tmp_path):
    arms = [{"use": "arms.py:Idle"}, {"use": "arms.py:Idle", "name": "tuned", "tuned": True}]
    loaded = load_task(task(tmp_path, effort={"trials": 7}, strategies=arms))
    assert {name: search.trials for name, search in loaded.searches.items()} == {"tuned": 7}


@pytest.mark.parametrize(
    ("effort", "said"),
    [
        ("some", "write none, {trials: 12}"),
        (12, "write none, {trials: 12}"),
        ({}, "gives no limit"),
        ({"trials": 0}, "must be more than 0"),
        ({"minutes": -1}, "must be more than 0"),
        ({"hours": 1}, "no key is called 'hours'"),
        ({"usd": 2}, "no arm that has parameters to choose asks a hosted model → write minutes"),
    ],
)
def test_a_wrong_effort_is_told_with_a_remedy(tmp_path, effort, said):
    lines = told(task(tmp_path, effort=effort))
    assert any(" effort" in line and said in line for line in lines), lines


def test_the_remedies_work(tmp_path):
    for effort in ("none", {"trials": 12}, {"minutes": 20}):
        assert told(task(tmp_path, effort=effort)) == []
    asking = {"use": "arms.py:Asking", "model": PRICED}
    assert told(task(tmp_path, effort={"usd": 2}, strategies=[asking])) == []


def test_money_alone_says_nothing_of_arms_that_run_here(tmp_path):
    asking = {"use": "arms.py:Asking", "model": PRICED}
    arms = [TRIED, asking]
    (line,) = told(task(tmp_path, effort={"usd": 2}, strategies=arms))
    assert "(one) → write minutes or trials beside it" in line
    loaded = load_task(task(tmp_path, effort={"usd": 2, "trials": 4}, strategies=arms))
    assert loaded.searches["one"].usd is None
    assert loaded.searches["asking"].usd == 2


def test_money_needs_prices(tmp_path):
    asking = {"use": "arms.py:Asking", "model": HOSTED}
    (line,) = told(task(tmp_path, effort={"usd": 2}, strategies=[asking]))
    assert "what the model of asking charges is not known → give the model its token" in line


def test_without_validation_rows_the_defaults_run_and_it_is_said(tmp_path):
    loaded = load_task(task(tmp_path, validation=0, effort={"trials": 7}))
    assert not loaded.searches
    assert "there are no validation rows to choose on" in " ".join(sentences(loaded.remarks))


def test_nothing_to_choose_is_said(tmp_path):
    loaded = load_task(task(tmp_path, effort={"trials": 7}, strategies=["majority"]))
    assert not loaded.searches
    assert "no arm has a parameter left to choose" in " ".join(sentences(loaded.remarks))


def test_too_few_trials_for_a_family_are_said(tmp_path):
    arms = [TRIED, TRIED | {"name": "two"}]
    loaded = load_task(task(tmp_path, effort={"trials": 1}, strategies=arms))
    assert [search.trials for search in loaded.searches.values()] == [1, 1]
    assert "leaves two its defaults alone" in " ".join(sentences(loaded.remarks))


def test_a_wrong_space_is_a_fault_without_effort_too(tmp_path):
    path = task(tmp_path)
    (tmp_path / "arms.py").write_text(SOURCE.replace("Field(8", "Field(9"))
    (line,) = told(path)
    assert "'shots': its default 9 is none of the values to try" in line


def arms_of(*families):
    return [
        Searchable(f"{family}{number}", family, (Dimension("x", 1, (1, 2)),), family == "hosted")
        for number, family in enumerate(families)
    ]


def test_families_have_the_same_effort_and_their_arms_equal_shares():
    arms = arms_of("classic", "tuned", "tuned", "tuned")
    shares = shared_out(Effort(trials=8, minutes=12), arms)
    assert [search.trials for search in shares.values()] == [8, 3, 3, 2]
    assert [search.seconds for search in shares.values()] == [720, 240, 240, 240]


def test_minutes_alone_try_so_many_at_the_most():
    (share,) = shared_out(Effort(minutes=1), arms_of("classic")).values()
    assert share.trials == MOST_TRIALS


def test_an_effort_can_be_written_down():
    (share,) = shared_out(Effort(usd=1), arms_of("hosted")).values()
    assert json.loads(json.dumps(share.decides()))["usd"] == 1
