"""Arms whose parts work with models of their own: a run with a local and a hosted one.

The server is a script of this process, and jobs are done in it: what is looked at is who is asked,
with which key, and what is counted.
"""

from __future__ import annotations

import pytest
from scripted_server import Script, fails, reply, serving
from task_folder import faults_of

from harness.store.run_folder import read_jsonl
from harness.task import load_task

NOTHING = "from harness import Strategy\n"
TEXT = {"answer": {"kind": "text"}, "metric": "exact_match"}
PRICES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 10.0}
UNSURE = """
from harness import Prediction, Strategy

class Unsure(Strategy):
    answers = frozenset({"choice", "text"})
    provides = frozenset({"offline"})

    def predict(self, queries):
        sure = {q.id: -0.1 if q.text[-1] in "02" else -3.0 for q in queries}
        return [Prediction("a", mean_logprob=sure[q.id], least_logprob=sure[q.id]) for q in queries]
"""


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", "sk-of-the-part")


def far(url, **more):
    spec = {"provider": "openai", "base_url": url, "model": "far", "key_env": "TEST_KEY"}
    return {**spec, "max_retries": 0, **PRICES, **more}


def cascade(url, **more):
    dear = {"use": "zero_shot", "model": far(url, **more)}
    return {"use": "cascade", "cheap": "own.py:Unsure", "dear": dear}


def predictions(folder, arm):
    (path,) = folder.path.glob(f"trials/{arm}/*/*/predictions.jsonl")
    return read_jsonl(path)


def test_only_where_the_cheap_one_is_unsure_the_hosted_one_is_asked_and_paid(
    tiny, run_tiny, tmp_path
):
    with serving(Script(default=reply("b"))) as server:
        path = tiny(tmp_path, UNSURE, [cascade(server.url)], **TEXT)
        folder, records = run_tiny(path, tmp_path / "run")
    record = records["cascade"]
    assert record.status == "ok", record.error
    rows = predictions(folder, "cascade")
    paid = 100e-6 + 70e-6  # 100 tokens of the prompt and 7 of the answer
    assert [row["usd"] for row in rows] == [
        0.0 if n in (0, 2) else pytest.approx(paid) for n in range(8)
    ]
    assert "".join(row["text"] for row in rows) == "abab" + "bbbb"
    # In preparation it answers the four validation rows, which is charged likewise.
    (asked,) = [model for model in record.fit.loaded_models if model.hosted_at]
    assert (asked.requests, asked.prompt_tokens) == (4, 400)
    assert all("sk-of-the-part" not in str(body) for body in server.bodies)
    assert {headers["authorization"] for headers in server.headers} == {"Bearer sk-of-the-part"}


def test_the_arm_needs_no_model_of_the_task_and_its_price_decides_no_fit(tiny, run_tiny, tmp_path):
    with serving(Script(default=reply("b"))) as server:
        path = tiny(tmp_path, UNSURE, [cascade(server.url)], **TEXT)
        run_tiny(path, tmp_path / "run")
        asked = len(server.bodies)
        dearer = cascade(server.url, usd_per_million_input_tokens=9.0)
        path = tiny(tmp_path, UNSURE, [dearer], **TEXT)
        run_tiny(path, tmp_path / "run")
        assert len(server.bodies) == asked
        other = cascade(server.url, model="another")
        run_tiny(tiny(tmp_path, UNSURE, [other], **TEXT), tmp_path / "run")
        assert len(server.bodies) > asked
    assert load_task(path).arms[0].model is None


def test_an_arm_that_asks_a_server_while_it_serves_is_not_offline(tiny, tmp_path):
    path = tiny(tmp_path, UNSURE, [cascade("http://x/v1")], **TEXT, needs={"offline": True})
    (fault,) = faults_of(path)
    assert "offline" in str(fault)


def test_a_server_that_ends_in_the_middle_fails_the_arm_and_what_it_said_is_kept(
    tiny, run_tiny, tmp_path
):
    poor = fails(402, "no money left")
    with serving(Script(*[reply("b")] * 3, default=poor)) as server:
        path = tiny(tmp_path, UNSURE, [cascade(server.url, concurrency=1)], **TEXT)
        _, records = run_tiny(path, tmp_path / "run")
        assert records["cascade"].status == "failed"
        assert "no money left" in records["cascade"].error
        server.default = reply("b")
        asked = len(server.bodies)
        _, records = run_tiny(path, tmp_path / "run")
    assert records["cascade"].status == "ok"
    assert len(server.bodies) - asked == 4 - 3 + 6  # of validation rows, then of test rows


@pytest.mark.parametrize(
    ("arm", "says"),
    [
        (
            {"use": "cascade", "cheap": {"use": "tfidf", "model": "x"}, "dear": "zero_shot"},
            "the part tfidf uses no model → remove its `model`",
        ),
        (
            {"use": "cascade", "dear": {"use": "lora", "model": far("http://x/v1")}},
            "the part lora needs a model's weights; 'far' is hosted → name a model that runs here",
        ),
        (
            {"use": "cascade", "dear": {"use": "zero_shot", "model": far("ftp://x")}},
            "a model that cascade names: model.base_url: must be an http(s) address",
        ),
        (
            {"use": "cascade", "dear": {"use": "zero_shot", "model": {"provider": "openai"}}},
            "a model that cascade names: model.base_url: is missing → add it",
        ),
    ],
)
def test_what_a_part_cannot_do_with_a_model_is_a_fault_of_the_task(tiny, tmp_path, arm, says):
    path = tiny(tmp_path, NOTHING, [arm])
    told = [f"{f.what} → {f.fix} {f}" for f in faults_of(path)]
    assert any(says in one for one in told), told


def test_one_model_that_is_asked_in_two_ways_is_a_fault(tiny, tmp_path):
    arms = [
        cascade("http://x/v1"),
        {"use": "zero_shot", "model": far("http://x/v1", concurrency=2)},
    ]
    (fault,) = faults_of(tiny(tmp_path, UNSURE, arms, **TEXT))
    assert "in another way" in str(fault)
