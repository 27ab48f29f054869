"""An unknown part of a forecast makes the whole unknown, with the reason."""

from __future__ import annotations

import re

import pytest
from planned_task import write

from harness.cli.commands import run_command
from harness.plan import arm_forecast as forecast
from harness.plan import foresee
from harness.plan.demand import PROCESS_BYTES
from harness.plan.target_machine import Place
from harness.task import load_task
from harness.types import TaskInfo
from harness.workload import Answering, Computing, Estimate

pytestmark = pytest.mark.torch


def test_what_the_price_file_does_not_say_is_unknown(planned):
    [card, other, mystery] = planned(["lora"])["lora"]["elsewhere"]
    assert card["fit_wall_s"] > 0
    assert card["fit_usd"] == pytest.approx(card["fit_wall_s"] * 3 / 3600)
    assert (other["fit_wall_s"], other["fit_usd"], other["fits"]) == (None, None, True)
    assert "teraflops" in other["why"]
    assert mystery["fits"] is None
    assert "how much memory" in mystery["why"]


def test_an_unknown_part_makes_the_sum_unknown_with_the_reason(planned, capsys, tmp_path):
    zero_shot = {"use": "zero_shot", "calibrate": "off"}
    found = planned([zero_shot, "majority", "own.py:Certain"])
    [card, slow, mystery] = found["zero_shot"]["elsewhere"]
    assert card["total_usd"] == card["fit_usd"] + card["serve_usd"] > 0
    assert (slow["fit_usd"], slow["serve_usd"], slow["total_usd"]) == (0, None, None)
    assert "teraflops" in slow["why"]
    assert slow["total_usd_why"] == slow["why"]
    assert found["zero_shot"]["total_usd_why"] == "no row of the price file stands for this machine"
    # Nothing that takes time: no price is missing.
    assert found["majority"]["total_usd"] == mystery["fit_usd"] == 0
    # The strategy names its preparation's time and no serving time.
    certain = found[["own.py", "Certain"][1].lower()]["elsewhere"][0]
    assert certain["fit_usd"] == pytest.approx(7 * 3 / 3600)
    assert certain["serve_usd"] is certain["total_usd"] is None
    assert "does not say how long" in certain["total_usd_why"]
    assert run_command(["plan", str(tmp_path / "task.yaml"), "--all"]) == 0
    printed = capsys.readouterr().out
    *_, slow, _, here = f"\n\n{printed}".split("\n\nOn ")
    assert slow.startswith("a card of 48")
    assert re.search(r"^zero_shot .* under 0.1 s +unknown +unknown +", slow, re.M)
    assert "$0" not in re.search(r"^(zero_shot|certain) .*$", slow, re.M)[0]
    assert "- zero_shot: cost is unknown: no row of the price file" in here


def test_preparation_that_asks_a_hosted_model_has_no_cost_that_leaves_its_own_time_out(tmp_path):
    hosted = {
        "provider": "openai", "base_url": "http://localhost:1/v1", "model": "m",
        "usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 2.0,
    }  # fmt: skip
    arms = ["zero_shot", {"use": "few_shot", "shots": [1, 2]}]
    outlook = foresee(load_task(write(tmp_path, arms, model=hosted)))
    zero, few = outlook.here["zero_shot"], outlook.here["few_shot"]
    assert zero.fit_usd == 0
    assert zero.serve_usd > 0
    assert few.fit_usd is None
    assert few.serve_usd > 0
    assert "is its server's matter" in few.why
    unpriced = {key: hosted[key] for key in ("provider", "base_url", "model")}
    [row] = foresee(load_task(write(tmp_path, ["zero_shot"], model=unpriced))).here.values()
    assert row.serve_usd is None
    assert "the prices of 'm' are not known" in row.why


def test_memory_with_an_unknown_part_is_unknown():
    strange = Computing(peak_bytes=5, libraries=frozenset({"sklearn", "a stranger's"}))
    place = Place("here", "cpu", "float32", 2**30, 1e11)
    found = forecast.forecast(forecast.Plan(Estimate(fit=(), serve=(strange,))), place)
    assert found.fit_peak_bytes == PROCESS_BYTES
    assert found.predict_peak_bytes is found.fits is found.memory_share is None
    assert "a stranger's" in found.why
    # A half that does not fit decides alone, whatever the other one takes.
    huge = Estimate(fit=(Computing(peak_bytes=2**31),), serve=(strange,))
    found = forecast.forecast(forecast.Plan(huge), place)
    assert found.fits is False
    assert found.memory_share > 1
    # A card's main memory is not stated: work that needs it may not fit, and 0 bytes are a figure.
    card = Place("a card", "cuda", "bfloat16", 2**34, 1e14)
    mixed = Estimate(fit=(Computing(libraries=frozenset({"torch"})),), serve=(Computing(),))
    assert forecast.forecast(forecast.Plan(mixed), card).fits is None
    none = Estimate(fit=(), serve=(), fit_peak_bytes=0, predict_peak_bytes=0)
    assert forecast.forecast(forecast.Plan(none), place).fit_peak_bytes == 0


def test_work_with_a_model_that_nobody_named_is_unknown():
    task = TaskInfo("t", "Which?", "choice", {"a": "", "b": ""})
    asked = Estimate(fit=(), serve=(Answering(["x"], task),))
    found = forecast.forecast(forecast.Plan(asked), Place("here", "cpu", "float32", 2**30, 1e11, 1))
    assert found.predict_peak_bytes is found.serve_wall_s is found.serve_usd is found.fits is None
    assert "none is named" in found.why
