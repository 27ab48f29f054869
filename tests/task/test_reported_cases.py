"""Situations from public bug reports, beside the project: what `check` makes of each.

The cases say what is right; here stand the words that tell it. They are no part of the project.
"""

import contextlib
import io
import re

import pytest

from benchmarks import public_sets
from harness.cli.commands import run_command

CASES = public_sets.FOLDER.parent / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"there is no {CASES}")

READ = {
    "01-ids-restart-per-split/task_id_null": "60 train, 0 validation, 60 test rows",
    "02-boolean-labels/a_list": "6 train",
    "02-boolean-labels/b_mapping": "6 train",
    "02-boolean-labels/d_json_booleans": "6 train",
    "02-boolean-labels/e_null_label": "6 train",
    "03-leading-zero-labels/a_mapping": "8 train",
    "03-leading-zero-labels/b_list": "8 train",
    "03-leading-zero-labels/c_version": "8 train",
    "03-leading-zero-labels/d_hex_exp": "8 train",
    "04-nfd-labels/task": "8 train",
    "05-chat-messages-rows/task": "6 train",
    "06-squad2-null-answers/dict": "8 train",
    "06-squad2-null-answers/empty": "8 train",
    "06-squad2-null-answers/list": "8 train",
    "06-squad2-null-answers/null": "8 train",
    "09-many-small-labels-split/a": "200 train, 31 validation, 77 test rows",
    "09-many-small-labels-split/b": "231 train, 38 validation, 116 test rows",
    "09-many-small-labels-split/c": "246 train, 31 validation, 31 test rows",
    "09-many-small-labels-split/d": "38 train, 193 validation, 154 test rows",
    "13-excel-csv/a": "12 train",
    "13-excel-csv/b": "12 train",
    "13-excel-csv/c": "read as UTF-16",
    "13-excel-csv/d": "read as windows-1252",
    "13-excel-csv/e": "a semicolon stands between the cells",
    "13-excel-csv/g": "12 train",
    "13-excel-csv/h": "12 train",
    "13-excel-csv/j": "12 train",
    "14-json-shapes/a": "12 train",
    "14-json-shapes/b": "12 train",
    "14-json-shapes/c": "12 train",
    "28-copies-in-the-corpus/a": "11 of 14 documents say the same as another",
    "42-split-tears-clusters-apart/task": "60 train, 10 validation, 30 test rows",
    "43-margin-by-rows-not-clusters/task": "add test rows of further clusters",
    "45-list-target-means-any/multi": "5 of 15 test rows accept several answers",
    "45-list-target-means-any/task": "1 of 2 test rows accept several answers",
    "48-one-json-array/renamed": "6 train, 1 validation, 3 test rows",
    "48-one-json-array/task": "6 train, 1 validation, 3 test rows",
    "49-tabs-and-semicolons/semicolon": "semicolon.csv: a semicolon stands between the cells",
    "49-tabs-and-semicolons/task": "tab.csv: a tab stands between the cells",
    "51-label-descriptions-that-are-lists/task": "2 of 4 labels stand in no row (P40, P22)",
    "52-same-input-different-answers/task": "no arm can be right on both",
    "54-visible-column-absent-or-null/task": "2 train",
    "56-visible-list-shown-as-repr/task": "6 train, 1 validation, 3 test rows",
}
"""Cases that are read, without `.yaml`, and what is told of them."""
SILENT = {"41-leaks-ignore-visible-fields/task": "also stand in"}
"""Cases that are read, and what must not be told of them."""
REFUSED = {
    "01-ids-restart-per-split/task": "write `id: null` under `data`",
    "02-boolean-labels/c_quoted_as_told": "no label is called 'true'; did you mean 'True'?",
    "08-nan-values/label": "'label' is NaN, which is no value",
    "08-nan-values/slice": "'city' is NaN, which is no value",
    "08-nan-values/visible": "'price' holds NaN or Infinity",
    "12-overlap-not-smaller-than-passage/a": "overlap_words (40) is not below passage_words (40)",
    "12-overlap-not-smaller-than-passage/b": "overlap_words (500) is not below passage_words (20)",
    "12-overlap-not-smaller-than-passage/c_zero": "passage_words' of retrieve: must be more than 0",
    "13-excel-csv/f": 'a quote inside a cell is written \\"',
    "13-excel-csv/i": "write `id: null` under `data`",
    "14-json-shapes/d": "is a Python dict, not JSON",
    "14-json-shapes/e": "holds several JSON objects on one line",
    "14-json-shapes/f": 'the key "label" stands twice in it',
    "25-bleu-and-f1-by-script-and-length/b_short": "'bleu' would be 0 for perfect answers",
    "55-order-of-faults/task": "no column is called 'label'; did you mean 'lable'?",
}


def said(*words):
    """The exit code of a command in this process, and all that it printed."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        code = run_command([*words])
    return code, re.sub(r"\s+", " ", stream.getvalue())


@pytest.mark.parametrize("case", READ)
def test_what_can_be_read_is_read_and_what_is_odd_is_told(case):
    code, text = said("check", str(CASES / f"{case}.yaml"))
    assert code == 0, text
    assert READ[case] in text


@pytest.mark.parametrize("case", SILENT)
def test_what_is_not_odd_is_not_told(case):
    code, text = said("check", str(CASES / f"{case}.yaml"))
    assert code == 0, text
    assert SILENT[case] not in text


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_cause_and_a_remedy(case):
    code, text = said("check", str(CASES / f"{case}.yaml"))
    assert code == 2, text
    assert REFUSED[case] in text
    assert " → " in text
    assert len(text) < 2000
