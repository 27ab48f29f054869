"""A run asks 20 of its rows again in another order, and says what changed; no figure holds it."""

from __future__ import annotations

import json

import pytest

from harness.analysis import analyse
from harness.store.order_check import KILLED_BEFORE
from reports import html
from reports import whole_markdown as markdown

OWN = """
import os
import signal
import time
from pathlib import Path

from harness import Prediction, Strategy

class Sound(Strategy):
    def predict(self, queries):
        return [Prediction("ab"[len(query.id) % 2], {"a": -0.7, "b": -0.7}) for query in queries]

class ByPlace(Strategy):
    def predict(self, queries):
        return [Prediction("ab"[place % 2]) for place, _ in enumerate(queries)]

class FirstThree(Strategy):
    def predict(self, queries):
        return [Prediction("a" if place < 3 else "b") for place, _ in enumerate(queries)]

class Stateful(Strategy):
    asked = 0

    def predict(self, queries):
        self.asked += len(queries)
        return [Prediction("a", sources=(str(self.asked),)) for query in queries]

class Batch(Strategy):
    def predict(self, queries):
        return [Prediction("a", {"a": -0.1, "b": -1.0 * len(queries)}) for _ in queries]

class Leaves(Sound):
    \"\"\"Ends its process when it is asked in reversed order.\"\"\"

    def predict(self, queries):
        if len(queries) > 1 and queries[0].id > queries[-1].id:
            self.leave()
        return super().predict(queries)

    def leave(self):
        raise SystemExit(7)

class Dies(Leaves):
    def leave(self):
        os._exit(7)

class Killed(Leaves):
    def leave(self):
        if (Path(__file__).parent / "kill").exists():
            (Path(__file__).parent / "kill").unlink()
            os.kill(os.getpid(), signal.SIGKILL)

class Hangs(Leaves):
    def leave(self):
        time.sleep(600)

class Breaks(Leaves):
    def leave(self):
        raise MemoryError("no room for another order")

class ReturnsNothing(Leaves):
    def predict(self, queries):
        return None if queries[0].id > queries[-1].id else super().predict(queries)

class Replays(ByPlace):
    replays = True

class Charges(ByPlace):
    def predict(self, queries):
        return [Prediction("a", usd=0.01) for _ in queries]
"""
CHANGED = {"sound": 0, "byplace": 8, "firstthree": 6, "stateful": 8, "batch": 0}
UNKNOWN = {
    "leaves": "the process ended before it was found",
    "returnsnothing": "asking again failed: predict returned NoneType",
    "replays": "its answers come from elsewhere",
    "charges": "its answers come from elsewhere",
}


def arms(*names):
    return [{"use": f"own.py:{name}"} for name in names]


@pytest.fixture(scope="module")
def run(tiny, run_tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("order")
    names = ("Sound", "ByPlace", "FirstThree", "Stateful", "Batch", "Leaves", "Breaks")
    path = tiny(folder, OWN, arms(*names, "ReturnsNothing", "Replays", "Charges"))
    return run_tiny(path, folder / "run")


@pytest.mark.parametrize("name", CHANGED)
def test_answers_that_another_order_changes_are_counted(name, run):
    _, records = run
    order = records[name].serve.order
    assert (order.undefined, order.asked, len(order.changed)) == (None, 8, CHANGED[name])


def test_probabilities_are_compared_where_there_are_any(run):
    _, records = run
    assert records["sound"].serve.order.largest_logprob_change == 0.0
    assert records["byplace"].serve.order.largest_logprob_change is None


@pytest.mark.parametrize("name", UNKNOWN)
def test_where_it_cannot_be_found_the_arm_stands_and_the_reason_is_told(name, run):
    folder, records = run
    record = records[name]
    assert (record.status, record.error) == ("ok", None)
    assert UNKNOWN[name] in record.serve.order.undefined
    [row] = [row for row in analyse(folder).arms if row.strategy == name]
    assert row.score.n == 8
    assert any(UNKNOWN[name] in note for note in row.notes)


def test_an_answer_that_fails_in_another_order_is_another_answer(run):
    _, records = run
    assert records["breaks"].serve.order.undefined is None
    # Asked again one at a time: then no order is left that it could break on.
    assert records["breaks"].serve.order.changed == ()


def test_the_first_screen_warns_with_both_counts(run):
    folder, _ = run
    found = {one.arms[0]: one for one in analyse(folder).warnings if "another order" in one.text}
    assert set(found) == {name for name, changed in CHANGED.items() if changed}
    assert found["firstthree"].text.startswith(
        "firstthree: 6 of 8 answers changed when the same inputs were asked in another order"
    )
    for text in (markdown(analyse(folder)), html(analyse(folder))):
        assert "8 of 8 answers changed when the same inputs" in text


def test_only_twenty_rows_are_asked_again(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("ByPlace", "Batch"))
    lines = "".join(f'{{"id": "r{n}", "text": "t{n}", "label": "a"}}\n' for n in range(50))
    (tmp_path / "test.jsonl").write_text(lines)
    _, records = run_tiny(path, tmp_path / "run")
    assert records["byplace"].serve.order.asked == 20
    # A batch of 20 moves probabilities, and no answer: that is on record, and no warning.
    order = records["batch"].serve.order
    assert (order.changed, order.largest_logprob_change) == ((), 30.0)


def test_no_measured_phase_and_no_prediction_holds_it(run):
    _, records = run
    for record in records.values():
        phases = [measured.phase for measured in record.serve.measurements]
        assert phases == ["start", "load", "latency", "predict"]
        assert len(record.serve.warm_walls_s) == 8


def test_a_process_that_ends_or_is_stopped_meanwhile_loses_nothing(
    tiny, run_in_processes, tmp_path
):
    """Only a process of its own can die, or be stopped at its time, while it is asked again."""
    path = tiny(tmp_path, OWN, arms("Dies", "Hangs"), run={"timeout_min": 0.25})
    folder, records = run_in_processes(path, tmp_path / "run")
    for record in records.values():
        assert (record.status, record.error) == ("ok", None)
        assert record.serve.order.undefined == "the process ended before it was found"
        assert record.serve.measurements[-1].phase == "predict"
    assert all(row.score.n == 8 for row in analyse(folder).arms)


def test_what_a_kill_from_outside_took_is_found_by_the_next_run(tiny, run_in_processes, tmp_path):
    """Only a process of its own can be killed."""
    path = tiny(tmp_path, OWN, arms("Killed", "Sound"))
    (tmp_path / "kill").touch()
    folder, records = run_in_processes(path, tmp_path / "run")
    order = records["killed"].serve.order
    assert (records["killed"].status, order.asked) == ("ok", 0)
    assert order.undefined == KILLED_BEFORE
    _, records = run_in_processes(path, tmp_path / "run")
    order = records["killed"].serve.order
    assert (order.asked, order.undefined) == (8, None)
    arms_run = [json.loads(line).get("arm") for line in folder.records.read_text().splitlines()]
    assert (arms_run.count("killed"), arms_run.count("sound")) == (2, 1)
