"""What a task asks that nothing in it can give: a fault where no arm could ever be chosen."""

from __future__ import annotations

import pytest
from sentences import sentences
from task_folder import data, rows, task_text, told, write

from harness.task import load_task

HOSTED = {"provider": "openai", "base_url": "http://x/v1", "model": "m", "key_env": None}
CHARGES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 1.0}
OWN = """
from harness import Prediction, Strategy
class Plain(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""
ROW = "machines:\n  - {name: a machine, usd_per_hour: 1, source: an invoice, read_on: 2026-11-20"


def corpus(tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "one.md").write_text("# One\n\nSome words.\n")
    return data(corpus="documents")


@pytest.mark.parametrize(
    ("need", "arms", "names"),
    [
        ("citations", ["majority", "zero_shot"], "rag"),
        ("per_user_data", ["majority", "tfidf"], "few_shot"),
        ("offline", ["own.py:Plain"], "classic, corpus_tuning"),
    ],
)
def test_a_need_that_no_arm_offers_is_a_fault_with_what_to_add(tmp_path, need, arms, names):
    text = task_text(strategies=arms, needs={need: True})
    (line,) = told(write(tmp_path, text, own_py=OWN))
    assert f" needs.{need}: no arm of the task offers it, so none could be chosen" in line
    assert f"add an arm that does ({names}" in line
    assert line.endswith(f"or remove needs.{need}")


def test_one_arm_that_offers_it_is_enough(tmp_path):
    needs = {"citations": True, "per_user_data": True, "offline": True}
    text = task_text(strategies=["majority", "rag"], needs=needs, data=corpus(tmp_path))
    assert told(write(tmp_path, text)) == []


def test_needs_that_no_single_arm_offers_together_are_a_fault(tmp_path):
    arms = ["majority", "rag"]  # the one that cites asks a server
    needs = {"citations": True, "offline": True}
    text = task_text(strategies=arms, needs=needs, model=HOSTED, data=corpus(tmp_path))
    (line,) = told(write(tmp_path, text))
    assert " needs: no arm offers citations and offline together" in line


def test_an_arm_that_is_not_understood_may_be_the_one(tmp_path):
    text = task_text(strategies=["majority", "ragg"], needs={"citations": True})
    (line,) = told(write(tmp_path, text))
    assert "no strategy is called 'ragg'" in line


@pytest.mark.parametrize(
    ("model", "prices", "whose"),
    [
        ("m", None, "any arm"),
        ("m", ROW + "}\n", "any arm"),  # it stands for no machine
        ("m", ROW + ", stands_for: {cores: 2}}\n", None),
        (HOSTED, None, "any arm"),
        (HOSTED | CHARGES, None, "majority"),
        (HOSTED | CHARGES, ROW + ", stands_for: {}}\n", None),
    ],
)
def test_a_limit_on_money_without_a_price_is_told(tmp_path, model, prices, whose):
    arms = ["majority", "zero_shot"]
    files = {"prices_yaml": prices} if prices else {}
    text = task_text(
        strategies=arms,
        limits={"max_usd_per_1k": 1.0},
        model=model,
        prices="prices.yaml" if prices else None,
    )
    path = write(tmp_path, text, **files)
    said = [line for line in sentences(load_task(path).remarks) if "max_usd_per_1k" in line]
    assert len(said) == (whose is not None)
    assert all(f"no price applies to {whose}, and" in line for line in said)


def test_answers_from_elsewhere_may_bring_their_own_charges(tmp_path):
    arms = [{"use": "predictions", "file": "theirs.jsonl"}]
    text = task_text(strategies=arms, limits={"max_usd_per_1k": 1.0})
    answers = [{"id": row["id"], "text": "a"} for row in rows("test", 6)]
    assert load_task(write(tmp_path, text, theirs_jsonl=answers)).doubts == ()


@pytest.mark.parametrize("key", ["max_fit_memory_gib", "max_serve_memory_gib"])
def test_a_limit_above_what_a_trial_may_take_is_told(tmp_path, key):
    text = task_text(limits={key: 16}, run={"memory_gib": 8})
    (said,) = sentences(load_task(write(tmp_path, text)).doubts)
    assert said.startswith(f"limits.{key} (16) is above run.memory_gib (8)")
    text = task_text(limits={key: 8}, run={"memory_gib": 8})
    assert load_task(write(tmp_path, text)).doubts == ()
