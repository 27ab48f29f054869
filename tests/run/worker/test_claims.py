"""What a prediction, a server's part and a worker's account say of themselves can be true."""

from __future__ import annotations

import json
from math import inf, nan
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from harness.run.launchers.base import taken_account
from harness.run.worker.claims import held_to_account
from harness.store.records import LoadedModel, Measurement, WorkerResult
from harness.types import Prediction

IMPOSSIBLE = [
    ("usd", -1, "-1 is not a price"),
    ("usd", nan, "nan is not a price"),
    ("usd", inf, "inf is not a price"),
    ("usd", "1", "'1' is not a price"),
    ("usd", True, "True is not a price"),
    ("wall_s", nan, "nan is not seconds"),
    ("wall_s", -0.1, "-0.1 is not seconds"),
    ("prompt_tokens", -1, "-1 is no number of tokens"),
    ("cached_tokens", 1.5, "1.5 is no number of tokens"),
    ("output_tokens", nan, "nan is no number of tokens"),
    ("output_tokens", np.int64(3), "no number of tokens"),
    ("label_logprobs", {"a": 0.1}, "not the natural logarithm"),
    ("mean_logprob", 0.1, "not the natural logarithm"),
    ("least_logprob", nan, "not the natural logarithm"),
    ("label_logprobs", {"a": nan}, "not the natural logarithm"),
    ("label_logprobs", {"a": -inf}, "leave out a label of probability 0"),
    ("label_logprobs", {"a": None}, "not the natural logarithm"),
    ("label_logprobs", {1: -1.0}, "not the natural logarithm"),
    ("label_logprobs", [-1.0], "a mapping of labels"),
]
POSSIBLE = [
    Prediction("a"),
    Prediction("a", usd=0, wall_s=0.0, prompt_tokens=0, cached_tokens=0, output_tokens=0),
    Prediction("a", usd=np.float64(0.5), wall_s=1e-9),
    Prediction("a", label_logprobs={"a": 0.0, "b": -700.0}),
    Prediction("a", label_logprobs={"a": 1e-9}),  # rounded
    Prediction("a", label_logprobs={}),
]


@pytest.mark.parametrize(("field", "value", "why"), IMPOSSIBLE)
def test_an_answer_that_says_what_cannot_be_is_a_failed_item(field, value, why):
    held = held_to_account(Prediction("a", **{field: value}))
    assert held.text == ""
    assert held.error.startswith(f"{field}: ")
    assert why in held.error
    assert getattr(held, field) is None  # nothing of it enters a sum


@pytest.mark.parametrize("given", POSSIBLE, ids=str)
def test_an_answer_that_says_what_can_be_is_left_as_it_is(given):
    assert held_to_account(given) is given


OWN = """
from harness import Prediction, Strategy

class Odd(Strategy):
    def predict(self, queries):
        said = {"usd": -1} if self.context.seed == 0 else {"wall_s": float("nan")}
        return [Prediction("a", **(said if q.id == "test3" else {})) for q in queries]

class Likely(Strategy):
    def predict(self, queries):
        return [Prediction("a", prompt="p") for q in queries]

    def log_likelihood(self, prompts, completions):
        return [0.5] * len(prompts)
"""


def test_one_such_answer_fails_alone_whatever_the_seed(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, ["own.py:Odd"], seeds=[0, 1])
    folder, _ = run_tiny(path, tmp_path / "run")
    records = list(folder.trials().values())
    assert [record.status for record in records] == ["ok", "ok"]
    for record in records:
        at = folder.trial_folder(record.arm, record.fit_id, record.trial_id)
        rows = map(json.loads, (at / "predictions.jsonl").read_text().splitlines())
        failed = {row["id"]: row["error"] for row in rows if row["error"]}
        assert set(failed) == {"test3"}
        assert ("usd: -1" if record.seed == 0 else "wall_s: nan") in failed["test3"]
        assert all(wall < 10 for wall in record.serve.warm_walls_s)


def test_a_likelihood_above_1_is_refused(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, ["own.py:Likely"], also=["bits_per_byte"])
    _, records = run_tiny(path, tmp_path / "run")
    found = records["likely"].likelihood
    assert (found.status, "at most 0" in found.error) == ("failed", True)


@pytest.mark.parametrize("value", [-1, nan, inf])
def test_a_measurement_that_cannot_be_is_no_record(value):
    for field in ("wall_s", "cpu_s", "energy_j", "cpu_wait_s"):
        with pytest.raises(ValidationError):
            Measurement(**{"phase": "fit", "wall_s": 1, "cpu_s": 1, field: value})
    with pytest.raises(ValidationError):
        WorkerResult(status="ok", warm_walls_s=(value,))


def test_counts_below_0_are_no_record():
    for field in ("requests", "prompt_tokens", "output_tokens", "unanswered", "parameters"):
        with pytest.raises(ValidationError):
            LoadedModel(name="m", **{field: -1})


class Left:
    """A worker's folder with the account that it left."""

    job = SimpleNamespace(own_secrets=())

    def __init__(self, folder, account):
        self.folder = folder
        (folder / "result.json").write_text(account)


@pytest.mark.parametrize(
    "account",
    ['{"status": "ok", "warm_walls_s": [-1]}', '{"status": "fine"}', "{", "", "[]", "\x00"],
)
def test_an_account_that_cannot_be_read_is_a_failed_one(tmp_path, account):
    found = taken_account(Left(tmp_path, account))
    assert found.status == "failed"
    assert "account cannot be read" in found.error
    assert not any(tmp_path.iterdir())  # and none is left for the next job
