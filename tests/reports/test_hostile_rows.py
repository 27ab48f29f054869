"""Foreign texts in every place of single rows: inputs, fields, labels, answers, errors, prompts.

A cheaper test than a browser would not do: whether a text acts is decided by the engine that shows
it. Each hostile text is a row of its own, so that one page holds all of them.
"""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hand_made import Arm, write_run
from hostile_texts import HOSTILE, ONE_WORD
from rows_page import CHROMIUM, LACKING, opened, sliced, written

from harness.analysis.analyse import analysis_of
from harness.store.run_folder import write_jsonl
from harness.types import Prediction
from harness.wording.values import nfc

pytestmark = [pytest.mark.process, pytest.mark.skipif(CHROMIUM is None, reason=LACKING)]
TEXTS = [*HOSTILE.values(), ONE_WORD, "\0"]
N = len(TEXTS)
ALL = " ".join(HOSTILE.values())
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20|%]")
OPEN_ALL = """
  const found = { ids: 0, wide: [] };
  for (let page = 1; page <= %d; page++) {
    await rows.go({ page });
    document.querySelectorAll("details").forEach(one => { one.open = true; });
    await new Promise(done => setTimeout(done, 300));
    document.querySelectorAll("#rows details").forEach(one => { one.open = true; });
    await new Promise(done => setTimeout(done, 100));
    found.ids += document.querySelectorAll(".row").length;
    const wide = document.documentElement;
    found.wide.push(wide.scrollWidth - wide.clientWidth);
  }
  found.text = document.body.innerText;
  found.csv = await rows.csv();
  return found;
"""


def prompts(text):
    return (f"{text} a", text, f"b {text}")


def columns():
    return {
        "input": TEXTS,
        "fields": [{text[:500]: text} for text in TEXTS],
        "groups": [[]] * N,
        "slices": [{"kind": ALL if n % 2 else "plain"} for n in range(N)],
    }


def choices(folder):
    """A run over labels that are hostile texts; each is the right one of one row."""
    labels = [nfc(text) for text in HOSTILE.values() if text.strip()]
    targets = [labels[n % len(labels)] for n in range(N)]
    wrong = [labels[(n + 1) % len(labels)] for n in range(N)]
    failed = [Prediction("", error=text) for text in TEXTS]
    said = [
        Prediction(label, prompt=prompts(text)) for label, text in zip(wrong, TEXTS, strict=True)
    ]
    arms = [
        Arm("right", [[Prediction(one) for one in targets]]),
        Arm("wrong", [said], plan={"tunes": True}),
        Arm("failed", [[*failed[:-1], Prediction(targets[-1])]]),
    ]
    answer = {"kind": "choice", "labels": labels}
    return sliced(write_run(folder, targets, arms, truth=columns(), answer=answer), "kind")


def texts(folder):
    """A run over free texts with sources; ids of documents, titles and texts are hostile too."""
    ids = [text[:500] for text in TEXTS]
    cited = [Prediction(text, sources=(one, "gone")) for text, one in zip(TEXTS, ids, strict=True)]
    arms = [Arm("cites", [cited]), Arm("other", [TEXTS[::-1]])]
    task = {"answer": {"kind": "text"}, "metric": "exact_match"}
    made = sliced(write_run(folder, TEXTS, arms, truth=columns(), **task), "kind")
    documents = dict(zip(ids, TEXTS, strict=True))
    write_jsonl(made.documents, ({"id": i, "title": t, "text": t} for i, t in documents.items()))
    return made


def objects(folder):
    """A run over JSON answers whose keys and values are hostile texts."""
    targets = [json.dumps({text[:500]: text, "list": [text]}) for text in TEXTS]
    answers = [json.dumps({text[:500]: "x", "extra": text}) for text in TEXTS]
    task = {"answer": {"kind": "json", "schema": {"type": "object"}}, "metric": "field_f1"}
    arms = [Arm("one", [answers])]
    return sliced(write_run(folder, targets, arms, truth=columns(), **task), "kind")


@pytest.fixture(scope="module", params=[choices, texts, objects], ids=lambda make: make.__name__)
def told(request, tmp_path_factory):
    """What a page says that has all texts in all places of rows, at the width of a phone."""
    folder = request.param(tmp_path_factory.mktemp("hostile"))
    file = written(folder)
    return opened(file, OPEN_ALL % -(-N // 25), width=500), file.read_text(encoding="utf-8")


def test_nothing_runs_and_nothing_is_asked_for(told):
    found, page = told
    assert "problem" not in found
    assert "hit" not in found  # window.__hit was never set
    assert (found["errors"], found["loaded"]) == ([], [])
    assert (found["images"], found["frames"], found["title"]) == (0, 0, True)
    assert found["scripts"] == page.count("<script") + 1  # and what the test put there


def test_no_text_makes_the_page_scroll_sideways(told):
    found, _ = told
    assert found["ids"] == N
    assert set(found["wide"]) == {0}
    assert found["sideways"] == 0


def test_nothing_that_turns_text_around_is_shown_as_it_is(told):
    found, page = told
    assert CONTROLS.findall(found["text"].replace("\n", "")) == []
    assert CONTROLS.findall(page.replace("\n", "")) == []


def test_no_cell_of_the_csv_is_a_formula(told):
    found, _ = told
    before = csv.field_size_limit(2**24)
    try:
        rows = list(csv.reader(io.StringIO(found["csv"])))
    finally:
        csv.field_size_limit(before)
    assert len(rows) == N + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    numbers = re.compile(r"-?\d+(\.\d+)?")
    cells = [cell for row in rows for cell in row if not numbers.fullmatch(cell)]
    assert [cell for cell in cells if FORMULA.match(cell)] == []
    assert CONTROLS.findall("".join(cells).replace("\n", "")) == []


def test_a_megabyte_of_one_word_is_cut(tmp_path):
    comparison = analysis_of(texts(tmp_path)).comparison()
    assert len(comparison.model_dump_json()) < 5_000_000
