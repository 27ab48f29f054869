"""`harness record --paraphrases`: a model writes them once, and a run learns from its file."""

from __future__ import annotations

import json
from collections import deque

import command_line
import pytest
from command_line import write_task
from scripted_server import KEY, Script, fails, serving
from tiny_models import write_model

from harness.task import load_task

AUGMENT = {"factor": 2, "kinds": ["paraphrase"], "paraphrases": "recorded/paraphrases.jsonl"}
PRICES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 2.0}
TRAIN = [f"train-{n}" for n in range(16)]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)


def says_otherwise(call):
    """Answer with the words of the text in another order, so that each row has its own."""
    prompt = call.server.script.bodies[-1]["messages"][-1]["content"]
    return call.send(200, answer(" ".join(reversed(prompt.split()[-5:]))))


def answer(text):
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
    }
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
    return json.dumps({"id": "1", "model": "served", "choices": [choice], "usage": usage})


def written(folder, url, augment=AUGMENT, **model):
    """A task whose arm `asks` has a hosted model, asked one request at a time."""
    model = {
        "provider": "openai",
        "base_url": url,
        "model": "writer",
        "key_env": "TEST_KEY",
    } | model
    model |= {"max_retries": 0, "concurrency": 1, **PRICES}
    arms = ["majority", {"use": "zero_shot", "name": "asks", "model": model}]
    return write_task(folder / "task", arms, augment=augment)


def record(path, *words):
    return command_line.harness("record", path, "--arm", "asks", "--paraphrases", *words)


def rows_in(path, file="recorded/paraphrases.jsonl"):
    return list(map(json.loads, (path.parent / file).read_text().splitlines()))


def test_the_refusal_names_the_command_that_writes_what_is_missing(tmp_path):
    with serving(Script(default=says_otherwise)) as script:
        path = written(tmp_path, script.url)
        refused = command_line.harness("check", path)
        assert refused.returncode == 2
        command = refused.stderr.split("python -m harness ")[1].splitlines()[0]
        done = command_line.harness(*command.replace("ARM", "asks").split())
        assert done.returncode == 0, done.stderr
        assert len(script.bodies) == 16
        again = record(path)
        assert len(script.bodies) == 16
    assert "16 of 16 answers stand in" in again.stderr
    said = done.stderr.splitlines()
    assert said[0].endswith("with the key in TEST_KEY")
    assert said[1].startswith("16 requests, at $")
    assert "16 of 16 paraphrases stand in" in done.stdout
    assert "$0.0018 in all" in done.stdout
    assert done.stdout.splitlines()[-1] == f"augment: {json.dumps(AUGMENT)}"
    first, *rows = rows_in(path)
    assert first["recorded"]["model"] == "writer"
    assert [row["id"] for row in rows] == [f"{row}~paraphrase-1" for row in TRAIN]
    assert {row["usd"] for row in rows} == {114e-6}
    assert KEY not in (path.parent / "recorded/paraphrases.jsonl").read_text()

    # No test or validation row leaves the machine, and no arm's instruction is asked.
    sent = json.dumps(script.bodies)
    assert "train 0" in sent
    assert "test" not in sent
    assert "validation" not in sent
    assert "Rain or sun?" not in sent
    assert command_line.harness("check", path).returncode == 0


def test_a_run_has_a_pair_with_and_without_and_asks_for_nothing(tmp_path):
    with serving(Script(default=says_otherwise)) as script:
        path = written(tmp_path, script.url)
        assert record(path).returncode == 0
    words = ("run", path, "--only", "majority", "--out", tmp_path / "out")
    ran = command_line.harness(*words)
    assert ran.returncode == 0, ran.stderr
    found = json.loads((tmp_path / "out/comparison.json").read_text())
    [effect] = [one for one in found["learning_curve"]["effects"] if one["strategy"] == "majority"]
    assert (effect["kind"], effect["kinds"], effect["trainings"]) == ("augment", ["paraphrase"], 1)
    assert effect["value"] == 0
    assert "2 × by paraphrase" in (tmp_path / "out/report.html").read_text()
    header = json.loads((tmp_path / "out/records.jsonl").read_text().splitlines()[0])
    [trial] = [one for one in header["curve"] if one["arm"] == "majority"]
    assert trial["rows"]["paraphrases"] == load_task(path).paraphrases.sha256

    # Another text is another trial, and the same file the same one.
    known = trial["trial_id"]
    assert command_line.harness(*words).returncode == 0
    first, changed, *others = rows_in(path)
    changed["text"] = "drizzle"
    file = path.parent / "recorded/paraphrases.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (first, changed, *others)))
    assert command_line.harness(*words).returncode == 0
    lines = map(json.loads, (tmp_path / "out/records.jsonl").read_text().splitlines())
    planned = [
        one["trial_id"]
        for line in lines
        if line["kind"] == "header"
        for one in line["curve"]
        if one["arm"] == "majority"
    ]
    assert planned[0] == planned[1] == known != planned[2]


def test_what_stops_halfway_goes_on_and_failed_ones_are_asked_again(tmp_path):
    with serving(Script(*[says_otherwise] * 5, default=fails(503, "ill"))) as script:
        path = written(tmp_path, script.url)
        done = record(path)
        assert done.returncode == 2
        assert "5 of 16 answers were recorded, and the same command then asks" in done.stderr
        script.bodies.clear()
        script.default, script.steps = says_otherwise, deque([fails(400, "too rude")])
        done = record(path)
        assert done.returncode == 0, done.stderr
        assert len(script.bodies) == 11
        assert "15 of 16 paraphrases stand in" in done.stdout
        assert "failed rows stand in the file" in done.stderr
        [fewer, left_out] = [one for one in load_task(path).doubts if one.kind == "paraphrases"]
        assert (fewer.count, left_out.text.split(": ", 1)[1]) == (
            1,
            "1 of its paraphrases are left out: 1 failed",
        )
        script.bodies.clear()
        assert record(path).returncode == 0
        assert len(script.bodies) == 1
    assert not [one for one in load_task(path).doubts if one.kind == "paraphrases"]


def test_only_what_augment_takes_is_asked_for(tmp_path):
    mixed = {"factor": 2, "kinds": ["typo", "paraphrase"], "paraphrases": "mine.jsonl"}
    with serving(Script(default=says_otherwise)) as script:
        path = written(tmp_path, script.url, augment=mixed)
        assert record(path).returncode == 0
        asked = len(script.bodies)
        assert 0 < asked < 16
        assert len(rows_in(path, "mine.jsonl")) == asked + 1
        assert not [one for one in load_task(path).doubts if one.kind == "paraphrases"]


def test_of_several_each_is_asked_for_in_another_way(tmp_path):
    many = {**AUGMENT, "factor": 4}
    with serving(Script(default=says_otherwise)) as script:
        path = written(tmp_path, script.url, augment=many)
        assert record(path, "--limit", "5").returncode == 0
        assert len(script.bodies) == 5
        assert record(path).returncode == 0
        assert len(script.bodies) == 48
    asked = [body["messages"][-1]["content"].split("Input: ")[1] for body in script.bodies]
    styles = {text.split(":")[0] for text in asked}
    assert len(styles) == 3  # greedy answers to the same words would be the same text


def test_without_augment_one_of_each_row_is_written_and_the_key_is_told(tmp_path):
    with serving(Script(default=says_otherwise)) as script:
        path = written(tmp_path, script.url, augment=None)
        spec = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in spec.items() if k != "augment"}))
        done = record(path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"augment: {json.dumps(AUGMENT)}"


def test_a_model_that_runs_here_writes_them_too(tmp_path):
    """A real one, of random weights: that no server is needed no fake could show."""
    path = write_task(
        tmp_path / "task", ["majority", "zero_shot"], model="./model", augment=AUGMENT
    )
    write_model(path.parent / "model", "llama-tied", chat=True)
    words = ("record", path, "--arm", "zero_shot", "--paraphrases", "--limit", "3")
    done = command_line.harness(*words)
    assert done.returncode == 0, done.stderr
    assert "3 requests to ./model, which runs here" in done.stderr
    first, *rows = rows_in(path)
    assert (first["recorded"]["model"], first["recorded"]["base_url"]) == ("./model", None)
    assert len(rows) == 3
    refused = command_line.harness(*words, "--base-url", "http://127.0.0.1:9/v1")
    assert refused.returncode == 2
    assert "runs here → leave --base-url out" in refused.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--arm", "majority"), "the arm 'majority' has no model → name one that has: asks"),
        (("--arm", "nobody"), "nobody"),
        (("--arm", "asks", "--out", "own.csv"), "→ name a .jsonl file"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, words, error):
    path = written(tmp_path, "http://127.0.0.1:9/v1")
    done = command_line.harness("record", path, "--paraphrases", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert error in done.stderr
