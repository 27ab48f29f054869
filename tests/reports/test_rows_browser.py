"""The browser over all rows in a real browser: its filters, its address, its files and its CSV.

A cheaper test would not do: what is tested is a page's script in the engine that runs it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from math import log

import pytest
from hand_made import Arm, right, write_run
from rows_page import CHROMIUM, LACKING, opened, sliced, written

from harness.analysis.analyse import analysis_of
from harness.types import Prediction
from reports import Browser

pytestmark = [pytest.mark.process, pytest.mark.skipif(CHROMIUM is None, reason=LACKING)]
N = 60
TARGETS = ["yes", "no"] * (N // 2)


def sure(labels):
    return [Prediction(label, {label: log(0.9)}) for label in labels]


def run(folder, n=N, arms=None, **more):
    targets = TARGETS[:2] * (n // 2)
    truth = {
        "input": [f"text {row}" + (" needle" if row == n - 3 else "") for row in range(n)],
        "fields": [{"from": "mail"}] * n,
        "groups": [["hr"] if row == 5 else [] for row in range(n)],
        "slices": [{"kind": "odd" if row % 2 else "even"} for row in range(n)],
    }
    prompted = [
        Prediction(label, prompt=f"Yes or no?\nInput: {text}\nAnswer:")
        for label, text in zip(right(targets, [3, 5, 6]), truth["input"], strict=True)
    ]
    arms = arms or [
        Arm("cheap", [sure(right(targets, [1, 2, 3]))]),
        Arm("tuned", [[Prediction("", error="no luck"), *prompted[1:]]], plan={"tunes": True}),
    ]
    return sliced(write_run(folder, targets, arms, truth=truth, **more), "kind")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(run(tmp_path_factory.mktemp("rows")))


def test_filters_find_what_the_answers_say(page):
    script = """
      const found = {};
      const ask = async (name, change) => {
        const plain = { slice: "", gold: "", said: "", min: "", max: "", q: "" };
        await rows.go({ a: 0, b: 1, show: "all", ...plain, ...change });
        found[name] = rows.rows();
      };
      await ask("all", {});
      await ask("differ", { show: "differ" });
      await ask("ab", { show: "ab" });
      await ask("ba", { show: "ba" });
      await ask("wrong", { show: "wrong" });
      await ask("failed", { show: "failed" });
      await ask("slice", { slice: "0.1", show: "awrong" });
      await ask("label", { gold: 0, said: 1 });
      await ask("score", { max: "0.5" });
      await ask("search", { q: "NEEDLE" });
      return found;
    """
    found = opened(page, script)
    assert found["all"] == list(range(N))
    assert found["differ"] == [0, 1, 2, 5, 6]
    assert found["ab"] == [0, 5, 6]
    assert found["ba"] == [1, 2]
    assert found["wrong"] == [3]
    assert found["failed"] == [0]
    assert found["slice"] == [1, 3]
    assert found["label"] == [2]  # right yes, answered no
    assert found["score"] == [1, 2, 3]
    assert found["search"] == [N - 3]
    assert (found["errors"], found["loaded"], found["sideways"]) == ([], [], 0)


def test_the_address_holds_the_view_and_opens_it_again(page):
    script = "return { state: rows.state(), found: rows.rows(), hash: location.hash };"
    found = opened(page, script, "#rows?a=1&show=awrong&slice=0.1")
    assert found["found"] == [3, 5]
    assert found["state"]["a"] == 1
    one = opened(page, script, "#rows?row=r7")
    assert one["found"] == [7]
    for odd in ("#rows?a=99&gold=x&min=y&page=-1&show=<b>", "#rows?row=none", "#rows?%E0%A4%A"):
        assert opened(page, script, odd)["errors"] == []


def test_cells_of_the_matrix_lead_to_their_rows(page):
    script = """
      const cell = [...document.querySelectorAll("td[data-rows] a")]
        .find(one => one.getAttribute("aria-label").includes("right yes, answered no"));
      cell.click();
      await new Promise(done => setTimeout(done, 100));
      return { text: cell.textContent, found: rows.rows(), name: rows.state().a };
    """
    found = opened(page, script)
    assert int(found["text"]) == len(found["found"]) > 0


def test_an_open_row_shows_all_that_is_known_of_it(page):
    script = """
      await rows.go({ row: "r5" });
      await new Promise(done => setTimeout(done, 100));  // a row is filled once it opens
      const text = document.querySelector(".row").textContent;
      return { text };
    """
    text = opened(page, script)["text"]
    for said in ("text 5", "from", "mail", "kind: odd", "cheap", "tuned", "90%", "Yes or no?"):
        assert said in text


def test_what_is_filtered_can_be_had_as_csv(page):
    script = 'await rows.go({ show: "ba" }); return { csv: await rows.csv() };'
    found = list(csv.reader(io.StringIO(opened(page, script)["csv"])))
    heads = ["id", "kind", "input", "right", "cheap", "cheap accuracy", "tuned", "tuned accuracy"]
    assert found[0] == heads
    assert [row[:4] for row in found[1:]] == [
        ["r1", "odd", "text 1", "no"], ["r2", "even", "text 2", "yes"],
    ]  # fmt: skip
    assert found[1][4:] == ["yes", "0", "no", "1"]


@pytest.mark.parametrize("single_file", [False, True])
def test_many_rows_lie_in_chunks_beside_the_page_or_in_it(tmp_path, single_file):
    file = written(run(tmp_path, 1502), single_file=single_file)
    beside = sorted(tmp_path.glob("report-data/*/*.js"))
    assert len(beside) == (0 if single_file else 2)
    script = """
      await new Promise(done => setTimeout(done, 500));
      const first = document.querySelector(".row-line").textContent;
      const before = performance.getEntriesByType("resource").length;
      await rows.go({ q: "needle" });
      const line = document.querySelector(".row-line").textContent;
      return { first, before, found: rows.rows(), line };
    """
    found = opened(file, script)
    assert (found["first"], found["found"]) == ("text 0", [1499])
    assert found["line"] == "text 1499 needle"
    assert found["errors"] == []


def test_texts_of_another_report_are_not_taken(tmp_path):
    file = written(run(tmp_path, 1502))
    for beside in tmp_path.glob("report-data/*/*.js"):
        beside.write_text(beside.read_text().replace('.chunk("', '.chunk("0'))
    script = 'return { line: document.querySelector(".row-line").textContent };'
    assert opened(file, script)["line"] == ""


@pytest.mark.parametrize(
    ("shown", "texts"), [("none", 0), ("ids", 0), (12, 5), ("all", N)], ids=str
)
def test_the_page_holds_as_many_texts_as_the_task_lets_it(tmp_path, shown, texts):
    file = written(run(tmp_path), shown)
    page = file.read_text()
    held = {int(row) for row in re.findall(r'"i":"text (\d+)', page)}
    assert len(held) == texts
    if shown == 12:  # six rows tell the arms apart, and one of them is for a group
        assert held == {0, 1, 2, 3, 6}
    if shown in ("none", "ids"):
        assert "text 1" not in page
        assert "Yes or no?\\nInput" not in page
    assert ("rows-index" in page) == (shown != "none")


def test_ten_thousand_rows_of_twelve_arms_take_little_room(tmp_path):
    n = 10_000
    targets = TARGETS[:2] * (n // 2)
    arms = [Arm(f"arm{k}", [sure(right(targets, range(k, n, 7)))]) for k in range(12)]
    folder = run(tmp_path, n, arms)
    browser = Browser(analysis_of(folder, shown="all").rows_shown.all)
    assert len(browser.html) < 700_000
    assert len(browser.files) == 10
    assert max(map(len, browser.files.values())) < 400_000
    assert json.loads(next(iter(browser.files.values())).partition(", 0, ")[2][:-3])["rows"]
