"""`harness record`: a hosted model's answers are asked for once, kept, and replayed."""

from __future__ import annotations

import json
import os
from collections import deque

import command_line
import pytest
from command_line import rows_of, write_task
from scripted_server import KEY, Script, fails, reply, serving

from harness.files.network import is_loopback
from harness.task import load_task

PRICES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 2.0}
RAIN = "rain all day test 0"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)


def written(folder, url, arm=None, **changes):
    model = {"provider": "openai", "base_url": url, "model": "ft:small:us", "key_env": "TEST_KEY"}
    model |= {"max_retries": 0, "concurrency": 2, **PRICES, **changes.pop("model", {})}
    old = {"use": "zero_shot", "name": "old", "as_tuned": "instruction", **(arm or {})}
    return write_task(folder / "task", ["majority", {**old, "model": model}], **changes)


def record(path, *words, **environment):
    return command_line.harness("record", path, "--arm", "old", *words, **environment)


def replayed(path, **params):
    """Put the recorded answers in the place of the arm."""
    spec = json.loads(path.read_text())
    spec["strategies"][1] = {
        "use": "predictions",
        "name": "old",
        "file": "recorded/old.jsonl",
        **params,
    }
    path.write_text(json.dumps(spec, indent=1))
    return path


def lines_of(path):
    first, *rows = (path.parent / "recorded" / "old.jsonl").read_text().splitlines()
    return json.loads(first)["recorded"], list(map(json.loads, rows))


def forget_cache(tmp_path):
    for file in (tmp_path / "cache").rglob("*.json"):
        file.unlink()


def test_answers_are_asked_for_once_and_replayed_with_times_and_charges(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url)
        done = record(path)
        assert done.returncode == 0, done.stderr
        assert len(script.bodies) == 20
        asked = {"messages": script.bodies[0]["messages"], "model": script.bodies[0]["model"]}
        forget_cache(tmp_path)
        again = record(path)
        assert len(script.bodies) == 20  # with no cache either
    assert asked == {
        "model": "ft:small:us",
        "messages": [
            {"role": "system", "content": "Rain or sun?"},
            {"role": "user", "content": script.bodies[0]["messages"][1]["content"]},
        ],
    }
    said = done.stderr.splitlines()
    assert said[0] == f"asks {script.url[7:-3]} ({script.url}) with the key in TEST_KEY"
    assert said[1].startswith("20 requests, at $")
    assert "20 of 20 answers stand in" in again.stderr
    assert "asks " not in again.stderr

    recording, rows = lines_of(path)
    assert (recording["model"], recording["arm"]) == ("ft:small:us", "old")
    assert [row["id"] for row in rows] == [f"test-{i}" for i in range(20)]
    assert {row["usd"] for row in rows} == {100e-6 + 14e-6}
    assert is_loopback(recording["base_url"])

    # The line that it prints is what replays them, with the server gone and no key.
    [entry] = [line for line in done.stdout.splitlines() if line.startswith("  - {use: pred")]
    assert entry == (
        '  - {use: predictions, name: old, file: "recorded/old.jsonl", tuned: true, fit_usd: 0}'
    )
    ran = command_line.harness("run", replayed(path, tuned=True), "--out", tmp_path / "run")
    assert ran.returncode == 0, ran.stderr
    row = rows_of(tmp_path / "run")["old"]
    assert row["score"]["value"] == 0.5
    assert row["usd_per_1k_busy"] == pytest.approx(1000 * 114e-6)
    walls = sorted(one["wall_s"] for one in rows)
    assert walls[9] <= row["p50_s"] <= walls[10]


def test_what_stops_halfway_goes_on_where_it_stopped(tmp_path):
    ill = {"default": fails(503, "ill")}
    with serving(Script(*[reply("rain")] * 7, **ill)) as script:
        path = written(tmp_path, script.url, model={"concurrency": 1})
        done = record(path)
        assert done.returncode == 2
        assert "7 of 20 answers were recorded, and the same command then asks" in done.stderr
        assert sum("error" not in row for row in lines_of(path)[1]) == 7
        asked = {body["messages"][-1]["content"] for body in script.bodies[:7]}
        script.bodies.clear()
        forget_cache(tmp_path)
        script.default = reply("sun")
        done = record(path)
    assert done.returncode == 0, done.stderr
    assert len(script.bodies) == 13
    assert not asked & {body["messages"][-1]["content"] for body in script.bodies}
    texts = [row["text"] for row in lines_of(path)[1]]
    assert (texts.count("rain"), texts.count("sun")) == (7, 13)


def test_a_line_that_was_being_written_when_the_process_was_killed_is_asked_again(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url)
        record(path)
        file = path.parent / "recorded" / "old.jsonl"
        file.write_text(file.read_text()[:-40])
        forget_cache(tmp_path)
        script.bodies.clear()
        assert record(path).returncode == 0
    assert len(script.bodies) == 1
    assert len(lines_of(path)[1]) == 20


def test_failed_rows_stay_with_their_error_and_are_asked_again(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url)
        script.by_prompt[RAIN] = deque([fails(400, "too rude")] * 9)
        done = record(path)
        assert done.returncode == 0
        assert "19 of 20 test rows are answered" in done.stdout
        assert "error: test-0: " in done.stderr
        first = lines_of(path)[1][0]
        assert "too rude" in first["error"]
        ran = command_line.harness("run", replayed(path), "--out", tmp_path / "run")
        assert rows_of(tmp_path / "run")["old"]["score"]["n"] == 20, ran.stderr

        script.by_prompt.clear()
        script.bodies.clear()
        path = written(tmp_path, script.url)
        assert record(path).returncode == 0
        assert [body["messages"][-1]["content"] for body in script.bodies] == [RAIN]
        assert "error" not in lines_of(path)[1][0]


def test_held_back_requests_are_tried_again(tmp_path):
    later = fails(429, "slow down", headers={"Retry-After": "0"})
    with serving(Script(later, later, default=reply("rain"))) as script:
        path = written(tmp_path, script.url, model={"max_retries": 3, "concurrency": 1})
        done = record(path)
    assert done.returncode == 0, done.stderr
    assert not [row for row in lines_of(path)[1] if row.get("error")]


def test_a_changed_prompt_or_row_is_refused_and_the_remedy_works(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url)
        assert record(path).returncode == 0
        hosted = path.read_text()
        words = hosted.replace("Rain or sun?", "Sun or rain?")
        path.write_text(words)
        refused = record(path)
        assert refused.returncode == 2
        assert "was recorded with another prompt" in refused.stderr
        for command in ("check", "run", "plan"):
            done = command_line.harness(command, replayed(path))
            assert done.returncode == 2
            assert "strategies.1: old.jsonl was recorded with another prompt" in done.stderr

        path.write_text(hosted)
        test = path.parent / "test.jsonl"
        before = test.read_text()
        test.write_text(before.replace(RAIN, "rain all night test 0"))
        done = command_line.harness("check", replayed(path))
        assert done.returncode == 2
        assert "answers test rows that have changed since ('test-0') → put them back" in done.stderr
        path.write_text(hosted)
        script.bodies.clear()
        assert record(path).returncode == 0
        assert len(script.bodies) == 1
        assert command_line.harness("check", replayed(path)).returncode == 0


def test_rows_that_were_added_are_refused_until_they_are_asked(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url)
        assert record(path, "--limit", 4).returncode == 0
        hosted = path.read_text()
        assert len(script.bodies) == 4
        few = command_line.harness("run", replayed(path), "--limit", 4, "--out", tmp_path / "few")
        assert rows_of(tmp_path / "few")["old"]["status"] == "ok", few.stderr
        command_line.harness("run", path, "--out", tmp_path / "all")
        error = rows_of(tmp_path / "all")["old"]["error"]
        assert "has no answer to 16 of 20 rows" in error
        assert "`harness record` asks for these alone" in error
        path.write_text(hosted)
        assert record(path).returncode == 0
        assert len(script.bodies) == 20


def test_another_server_gets_no_key_unless_it_is_named(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, "http://127.0.0.1:9/v1")
        done = record(path, "--base-url", script.url, TEST_KEY="")
        assert done.returncode == 0, done.stderr
        assert f"({script.url}) with no key" in done.stderr
        assert {headers["authorization"] for headers in script.headers} == {"Bearer none"}
        other = record(path, "--base-url", script.url, "--key-env", "TEST_KEY", "--out", "x.jsonl",
                       cwd=tmp_path)  # fmt: skip
        assert other.returncode == 0, other.stderr
        assert "with the key in TEST_KEY" in other.stderr
    alone = record(path, "--key-env", "TEST_KEY")
    assert (alone.returncode, "--key-env goes with --base-url" in alone.stderr) == (2, True)


def test_no_key_is_written_anywhere(tmp_path):
    with serving(Script(default=fails(401, f"{KEY} is no key"))) as script:
        done = record(written(tmp_path, script.url))
    assert done.returncode == 2
    assert "refuses the key" in done.stderr
    assert KEY not in done.stderr + done.stdout
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


@pytest.mark.parametrize(
    ("arm", "words"),
    [
        ("majority", "the arm 'majority' has no hosted model → name one that does: old"),
        ("older", "did you mean 'old'"),
    ],
)
def test_an_arm_that_asks_nobody_is_refused(tmp_path, arm, words):
    path = written(tmp_path, "http://127.0.0.1:9/v1")
    done = command_line.harness("record", path, "--arm", arm)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_missing_key_is_told_before_anything_is_asked_or_written(tmp_path):
    with serving(Script()) as script:
        path = written(tmp_path, script.url)
        done = record(path, TEST_KEY="")
        assert done.returncode == 2
        assert "holds no key → set TEST_KEY" in done.stderr
        assert script.bodies == []
    assert not (path.parent / "recorded").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is no file of recorded answers → name another one with --out"),
        ('{"id": "test-0", "text": "rain"}\n', "is no file of recorded answers"),
        ('{"recorded": {"format": 1}}\n', ":1: does not say how the answers were asked for"),
    ],
)
def test_a_file_of_something_else_is_never_written_over(tmp_path, content, words):
    path = written(tmp_path, "http://127.0.0.1:9/v1")
    file = tmp_path / "mine.jsonl"
    file.write_text(content)
    done = record(path, "--out", file)
    assert done.returncode == 2
    assert words in done.stderr
    assert file.read_text() == content


def test_a_damaged_line_is_named_with_its_remedy_which_works(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url)
        record(path)
        file = path.parent / "recorded" / "old.jsonl"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join([*lines[:3], lines[3][:30] + "\n", *lines[4:]]))
        done = record(path)
        assert done.returncode == 2
        assert "old.jsonl:4: is no recorded answer" in done.stderr
        file.write_text("".join([*lines[:3], *lines[4:]]))
        assert record(path).returncode == 0


def test_an_unknown_price_is_said_and_enters_as_unknown(tmp_path):
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url, model=dict.fromkeys(PRICES))
        done = record(path)
    assert "at a price that is not known → " in done.stderr
    assert "cost unknown" in done.stdout
    assert "usd_per_1k" in done.stdout
    assert not [row for row in lines_of(path)[1] if "usd" in row]


def test_two_processes_do_not_pay_twice(tmp_path):
    from filelock import FileLock

    path = written(tmp_path, "http://127.0.0.1:9/v1")
    (path.parent / "recorded").mkdir()
    with FileLock(path.parent / "recorded" / ".old.jsonl.lock"):
        done = record(path)
    assert done.returncode == 2
    assert "is being recorded by another process" in done.stderr


def test_the_answers_go_to_whoever_asks_the_same_words(tmp_path):
    """Ids alone do not make a row: the hash of what it asks does."""
    with serving(Script(default=reply("rain"))) as script:
        path = written(tmp_path, script.url)
        record(path)
    hashes = {row["id"]: row["query_sha256"] for row in lines_of(path)[1]}
    assert hashes == {query.id: query.sha256 for query in load_task(path).test.queries}
    assert os.environ["TEST_KEY"] == KEY  # a job in this process leaves the environment as it was
