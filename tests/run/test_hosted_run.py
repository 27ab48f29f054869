"""A whole run against a real server in a process of its own, which really generates."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import deque
from dataclasses import replace
from pathlib import Path

import command_line
import pytest
from scripted_server import Script, fails, reply, serving, slow
from tiny_models import write_model

from harness.lm import load
from harness.run import fingerprints as identity
from harness.store.run_folder import RunFolder, read_jsonl
from harness.task import load_task
from harness.toolkit import answer
from harness.toolkit.prompts import full_prompt
from harness.types import Endpoint, ModelRef, TaskInfo, read_prompt

SERVER = Path(__file__).parents[1] / "support" / "hosted_server.py"
KEY, WRONG = "sk-5f0c-never-to-be-written", "sk-wrong-but-still-a-secret"
PRICES = {
    "usd_per_million_input_tokens": 1.0,
    "usd_per_million_output_tokens": 2.0,
    "usd_per_million_cached_tokens": 0.5,
}
ARMS = ["majority", "zero_shot", {"use": "few_shot", "shots": 2}, "lora"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return write_model(folder, "llama-tied", chat=True)


@pytest.fixture(scope="module")
def server(model):
    """The server's address and a way to stop it, which gives the prompts that it answered."""
    command = [sys.executable, str(SERVER), model.location, KEY]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        port = process.stdout.readline().strip()

        def stop():
            return [read_prompt(json.loads(line)) for line in process.communicate()[0].splitlines()]

        yield f"http://127.0.0.1:{port}/v1", stop
        process.kill()


def write(tiny, folder, url, arms=ARMS, **changes):
    spec = {"provider": "openai", "base_url": url, "model": "far", "key_env": "TEST_KEY"}
    hosted = {**spec, "max_retries": 0, **changes.pop("model", {})}
    return tiny(folder, "", arms, model=hosted, generation={"max_new_tokens": 4}, **changes)


def harness_here(folder, *words, key=KEY):
    """Run a command in this process, where it is the answers that matter."""
    named = {"TEST_KEY": key} if key else {}
    return command_line.harness(*words, HARNESS_CACHE=str(folder / "cache"), **named)


def harness(folder, *words, key=KEY):
    environment = {k: v for k, v in os.environ.items() if k != "TEST_KEY"}
    environment |= {"HARNESS_CACHE": str(folder / "cache")} | ({"TEST_KEY": key} if key else {})
    command = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ran(tiny, server, tmp_path_factory):
    """A run with a wrong key; a run; the same from nothing with the server gone; what was asked."""
    folder = tmp_path_factory.mktemp("hosted")
    url, stop = server
    path = write(tiny, folder, url, needs={"offline": True}, model=PRICES)
    only = ("--only", "zero_shot", "--out")
    refused = harness(folder, "run", path, *only, folder / "refused", key=WRONG)
    first = harness(folder, "run", path, "--out", folder / "run")
    asked = stop()
    again = harness(folder, "run", path, *only, folder / "again")
    return folder, (refused, first, again), asked


def rows_of(folder):
    rows = json.loads((folder / "comparison.json").read_text())["rows"]
    return {row["strategy"]: row for row in rows}


def predictions(folder, arm):
    (path,) = folder.glob(f"trials/{arm}/*/*/predictions.jsonl")
    return read_jsonl(path)


def test_prompted_arms_finish_and_a_tuned_one_is_refused_with_its_reason(ran):
    folder, (_, first, _), _ = ran
    assert first.returncode == 0, first.stderr
    rows = rows_of(folder / "run")
    assert {name: row["status"] for name, row in rows.items()} == {
        "majority": "ok",
        "zero_shot": "ok",
        "few_shot": "ok",
        "lora": "skipped",
    }
    assert rows["lora"]["error"] == "needs a model's weights; 'far' is hosted"
    assert rows["zero_shot"]["models"][0].startswith("far, hosted at http://127.0.0.1:")
    assert rows["zero_shot"]["p50_s"] > 0


def test_the_answers_are_those_of_the_model_behind_the_server(ran, model):
    folder, *_ = ran
    task = load_task(folder / "task.yaml")
    prompts = [full_prompt(task.info, query) for query in task.test.queries]
    info = TaskInfo("t", "", "text", {}, max_new_tokens=4)
    expected = answer(load(model, "cpu", "float32"), prompts, info)
    served = predictions(folder / "run", "zero_shot")
    assert [row["text"] for row in served] == [prediction.text for prediction in expected]
    assert [row["prompt_tokens"] for row in served] == [p.prompt_tokens for p in expected]
    cost = [p.prompt_tokens * 1e-6 + p.output_tokens * 2e-6 for p in expected]
    assert [row["usd"] for row in served] == pytest.approx(cost)


def test_each_prompt_was_asked_once_although_latency_is_measured_first(ran):
    folder, _, asked = ran
    assert len(asked) == len(set(asked)) == 2 * 8  # two arms, eight test rows
    # Nor is it asked again in another order: that would cost money, or replay the cache.
    diagnostics = rows_of(folder / "run")["zero_shot"]["facts"]
    assert "to ask again would cost money" in diagnostics["order"]["undefined"]


def test_a_rerun_replays_times_tokens_and_prices_without_the_server(ran):
    folder, (_, _, again), _ = ran
    assert again.returncode == 0, again.stderr
    first, second = (
        [{**row, "wall_s": None} for row in predictions(folder / name, "zero_shot")]
        for name in ("run", "again")
    )
    assert second == first
    before, after = (rows_of(folder / name)["zero_shot"] for name in ("run", "again"))
    for key in ("usd_per_1k_busy", "prompt_tokens_mean"):
        assert after[key] == before[key]
    # Our own clock is in both times, and moves; what the server took is not less the second time.
    kept = [json.loads(file.read_text()) for file in folder.glob("cache/responses/*/*.json")]
    least_s = min(answer["wall_s"] for answer in kept)
    for times in (before, after):
        assert times["p50_s"] >= least_s
        assert times["throughput_per_s"] <= 1 / least_s
    assert any("earlier run are replayed" in note for note in after["notes"])
    assert not any("earlier run are replayed" in note for note in before["notes"])


def test_what_asks_a_server_is_not_offline(ran):
    folder, *_ = ran
    rows = rows_of(folder / "run")
    assert rows["zero_shot"]["misses"] == ["needs.offline"]
    assert rows["majority"]["misses"] == []


def test_a_price_that_is_corrected_later_needs_no_new_answers(ran):
    folder, *_ = ran
    path = folder / "task.yaml"
    spec = json.loads(path.read_text())
    before = rows_of(folder / "run")["zero_shot"]["usd_per_1k_busy"]
    dearer = {key: 10 * price for key, price in PRICES.items()}
    path.write_text(json.dumps({**spec, "model": {**spec["model"], **dearer}}))
    done = harness(folder, "run", path, "--out", folder / "run", key=None)
    path.write_text(json.dumps(spec))
    assert done.stdout.count("done before") + done.stderr.count("done before") == 3
    assert rows_of(folder / "run")["zero_shot"]["usd_per_1k_busy"] == pytest.approx(10 * before)


def test_a_refused_key_ends_the_arm_with_one_clear_error(ran):
    folder, (refused, _, _), _ = ran
    assert refused.returncode == 3
    error = rows_of(folder / "refused")["zero_shot"]["error"]
    assert "refuses the key: Error code: 401 - Bearer [key] is no key of ours" in error
    assert error.endswith("→ correct TEST_KEY")


def test_no_key_is_written_anywhere(ran):
    folder, runs, _ = ran
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 30
    for key in (KEY, WRONG):
        assert [file for file in files if key.encode() in file.read_bytes()] == []
        assert [run for run in runs if key in run.stdout + run.stderr] == []


@pytest.mark.parametrize(("key", "words"), [(None, "set TEST_KEY"), (KEY, "start the server")])
def test_what_is_missing_ends_the_arm_before_anything_else(tiny, tmp_path, key, words):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    path = write(tiny, tmp_path, url, ["zero_shot"])
    done = harness_here(tmp_path, "run", path, "--out", tmp_path / "run", key=key)
    assert done.returncode == 3
    assert words in rows_of(tmp_path / "run")["zero_shot"]["error"]
    assert [
        model.hosted.key_env for model in RunFolder(tmp_path / "run").last_header().models.values()
    ] == ["TEST_KEY"]


def test_what_a_server_failed_to_answer_is_asked_again_and_nothing_else(
    tiny, run_tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)
    with serving(Script(default=reply("a"))) as script:
        path = write(tiny, tmp_path, script.url, ["zero_shot"])
        task = load_task(path)
        prompts = [full_prompt(task.info, query) for query in task.test.queries]
        script.by_prompt[prompts[3]] = deque([fails(503, "ill")] * 9)
        _, records = run_tiny(path, tmp_path / "run")
        first = records["zero_shot"]
        errors = [row["error"] for row in predictions(tmp_path / "run", "zero_shot")]
        assert first.status == "ok"
        assert first.serve.unanswered == 1
        assert [number for number, error in enumerate(errors) if error] == [3]
        assert "to answer: 1 → run again" in first.serve.notes[-1].text

        script.by_prompt.clear()
        script.bodies.clear()
        _, records = run_tiny(path, tmp_path / "run")
        assert [body["messages"][-1]["content"] for body in script.bodies] == [prompts[3]]
        assert records["zero_shot"].serve.unanswered == 0
        texts = [row["text"] for row in predictions(tmp_path / "run", "zero_shot")]
        assert texts == ["a"] * 8

        _, again = run_tiny(path, tmp_path / "run")
        assert again["zero_shot"] == records["zero_shot"]  # now it is done
        assert len(script.bodies) == 1


def test_a_fit_that_a_server_left_without_answers_is_done_again(
    tiny, run_tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)
    with serving(Script(fails(503, "ill"), default=reply("a"))) as script:
        arm = {"use": "few_shot", "shots": [1, 2], "select": "random"}
        path = write(tiny, tmp_path, script.url, [arm], model={"concurrency": 1})
        _, records = run_tiny(path, tmp_path / "run")
        assert (records["few_shot"].fit.unanswered, records["few_shot"].serve.unanswered) == (1, 0)
        _, records = run_tiny(path, tmp_path / "run")
        assert (records["few_shot"].fit.unanswered, records["few_shot"].fit_reused) == (0, False)


LEARNER = """
from strategies.zero_shot import ZeroShot

class Learner(ZeroShot):
    learns = "weights"

    @classmethod
    def needs(cls, params):
        return frozenset({"model"})
"""


TWICE = """
from harness import Prediction, Strategy, lm, toolkit

class Twice(Strategy):
    needs_model = True

    def load(self, artifact):
        self.model = lm.open_model(self.context)

    def predict(self, queries):
        drafts, finals = (self.ask(queries, ending) for ending in ("?", "!"))
        return [Prediction(a.text + b.text) for a, b in zip(drafts, finals, strict=True)]

    def ask(self, queries, ending):
        prompts = [query.text + ending for query in queries]
        return toolkit.answer(self.model, prompts, self.context.task)
"""


def test_a_plugin_that_does_nothing_about_time_is_as_slow_and_as_expensive_replayed_as_live(
    tiny, tmp_path
):
    delay_s = 0.1
    with serving(Script(default=slow(delay_s, reply("a")))) as script:
        path = write(tiny, tmp_path, script.url, [{"use": "own.py:Twice"}], model=PRICES)
        (tmp_path / "own.py").write_text(TWICE)
        live = harness(tmp_path, "run", path, "--out", tmp_path / "live")
        assert len(script.bodies) == 2 * 8
    replayed = harness(tmp_path, "run", path, "--out", tmp_path / "replayed")
    assert (live.returncode, replayed.returncode) == (0, 0), live.stderr + replayed.stderr
    for name in ("live", "replayed"):
        row = rows_of(tmp_path / name)["twice"]
        assert row["p50_s"] >= 2 * delay_s
        assert row["throughput_per_s"] <= 1 / (2 * delay_s)
        # 100 tokens at $1 and 7 at $2 a million, twice an answer.
        assert row["usd_per_1k_busy"] == pytest.approx(1000 * 2 * (100e-6 + 14e-6))
    told = rows_of(tmp_path / "replayed")["twice"]["notes"]
    assert any("earlier run are replayed" in note for note in told)


def test_no_fact_is_drawn_from_requests_that_a_server_failed_to_answer(
    tiny, run_tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)
    with serving(Script(default=reply("a"))) as script:
        path = write(tiny, tmp_path, script.url, [{"use": "own.py:Learner"}])
        (tmp_path / "own.py").write_text(LEARNER)
        info = load_task(path).info
        shouted = [
            full_prompt(info, replace(query, text=query.text.upper()))
            for query in load_task(path).test.queries
        ]
        script.by_prompt[shouted[3]] = deque([fails(503, "ill")] * 9)
        _, records = run_tiny(path, tmp_path / "run")
        assert records["learner"].serve.unanswered == 0
        assert records["learner"].robustness.status == "failed"
        assert "failed to answer 1 of the requests" in records["learner"].robustness.error

        script.by_prompt.clear()
        script.bodies.clear()
        _, records = run_tiny(path, tmp_path / "run")
        assert [body["messages"][-1]["content"] for body in script.bodies] == [shouted[3]]
        assert records["learner"].robustness.status == "ok"


def test_only_what_decides_answers_makes_a_fit_another(tiny, tmp_path):
    task = load_task(write(tiny, tmp_path, "http://one/v1", ["zero_shot", "majority"]))

    def fit_id(url="http://one/v1", name="far", arm="zero_shot", dtype="float32", **endpoint):
        ref = ModelRef(name, url, hosted=Endpoint("openai", **endpoint))
        return identity.fit_id(task, arm, 0, ref, dtype)

    same = {"concurrency": 1, "timeout_s": 1, "max_retries": 0, "key_env": None, **PRICES}
    assert fit_id(**same) == fit_id(dtype="bfloat16") == fit_id()
    others = (fit_id("http://two/v1"), fit_id(name="near"), fit_id(extra={"top_k": 1}))
    assert len({fit_id(), *others}) == 4
    assert fit_id("http://two/v1", arm="majority") == fit_id(arm="majority")


def test_search_wordings_and_cascades_are_served_by_a_hosted_model_too(tiny, tmp_path):
    """Each with the charges of its answers, be they asked for or chosen on."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "letters.md").write_text("# Letters\n\na comes before b\n")
    arms = [
        {"use": "rag", "shots": 1, "top_k": [1]},
        {"use": "instruction_search", "instructions": ["a or b?"], "rephrased": 0},
        {"use": "cascade", "cheap": "tfidf", "dear": "zero_shot"},
    ]
    with serving(Script(default=reply("a"))) as script:
        path = write(tiny, tmp_path, script.url, arms, model=PRICES)
        task = json.loads(path.read_text())
        task["data"]["corpus"] = "docs"
        path.write_text(json.dumps(task))
        ended = harness_here(tmp_path, "run", path, "--out", tmp_path / "run")
    assert ended.returncode == 0, ended.stderr
    rows = rows_of(tmp_path / "run")
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(rows, "ok")
    assert {p["sources"][0] for p in predictions(tmp_path / "run", "rag")} == {"letters"}
    for name in rows:
        assert all(p["usd"] is not None for p in predictions(tmp_path / "run", name))
    # Two wordings for four validation rows, at what an answer costs.
    each_usd = rows["instruction_search"]["usd_per_1k_busy"] / 1000
    assert rows["instruction_search"]["cost"]["fitting_usd"] == pytest.approx(8 * each_usd)
