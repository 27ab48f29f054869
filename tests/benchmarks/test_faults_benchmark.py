"""The page `faults`: what it counts as a case, and when two comparisons are the same."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks import faults, kills
from benchmarks.sides import ROOT

RESULT = """<testsuites><testsuite>
<testcase name="test_a[x]"><properties><property name="cases" value="40"/></properties></testcase>
<testcase name="test_b[y]"><properties><property name="folder" value="/f"/></properties></testcase>
<testcase name="test_c"><failure message="no">no</failure></testcase>
<testcase name="test_d"><error message="leaked">leaked</error></testcase>
<testcase name="test_e"><skipped message="no chromium"/></testcase>
</testsuite></testsuites>"""


def test_a_case_is_a_test_or_what_it_goes_through_and_leaks_count(tmp_path):
    (tmp_path / "result.xml").write_text(RESULT)
    cases = list(faults._cases(tmp_path / "result.xml"))
    assert [case.number for case in cases] == [40, 1, 1, 1, 1]
    assert [case.ending for case in cases] == [None, None, "failure", "error", "skipped"]
    assert cases[1].folder == "/f"


SOME = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_some(n, tmp_path, record_property):
    record_property("cases", 10)
    assert n == 1
"""


@pytest.mark.process  # only pytest itself shows that it writes what is read
def test_what_pytest_writes_is_what_is_counted(tmp_path):
    (tmp_path / "test_some.py").write_text(SOME)
    part = faults.Part("some", "nothing", (str(tmp_path / "test_some.py"),))
    found = faults._tested(part, tmp_path, quick=False)
    assert (found["cases"], found["not_held"], found["skipped"]) == (20, ["test_some[2]"], [])


def test_every_test_that_it_names_is_there():
    for part in faults.PARTS:
        for test in part.tests:
            file, _, function = test.partition("::")
            if (ROOT / file).is_dir():
                assert list((ROOT / file).glob("test_*.py"))
                assert not function
                continue
            assert f"def {function}(" in (ROOT / file).read_text() or not function


def test_its_table_has_a_line_for_every_part():
    found = {part.name: {"cases": 1200, "not_held": ["x"]} for part in faults.PARTS}
    found[faults.PARTS[4].name] |= {
        "checked": 3,
        "longest_s": ["test_x[a bomb.pdf]", 9.04],
        "largest_bytes": ["test_y[a line]", 512_000_000],
    }
    killed = {"kills": 200, "survived": 199, "by_way": {"parent, SIGKILL": (49, 50)}}
    lines = faults.table(found, killed).splitlines()
    assert len(lines) == 3 + len(faults.PARTS)
    assert "(parent, SIGKILL 49 of 50) | 200 | 199 |" in lines[2]
    assert "| 1,200 | 1,199 |" in lines[3]
    assert "at most 9.0 s of CPU (a bomb.pdf) and 512 MB (a line) |" in lines[7]


def write(folder, **values):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "comparison.json").write_text(json.dumps(values))
    return kills.essence(folder)


def test_times_memory_and_their_words_are_no_difference(tmp_path):
    row = {"score": 0.5, "p50_s": 0.1, "foresight": {"within": True}}
    one = write(tmp_path, rows=[row], text="cheaper: 26.5 ms against 184 ms", warnings=[])
    other = write(
        tmp_path,
        rows=[{**row, "p50_s": 0.2, "foresight": None}],
        text="cheaper: 1.2 s against 2 min",
        warnings=[{"text": "busy machine: 20%"}],
    )
    assert list(kills.differences(one, other)) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"rows": [{"score": 0.4}]}, ".rows[0].score"),
        ({"rows": [{"score": 0.5}, {}]}, ".rows"),
        ({"rows": [{"score": 0.5}], "more": 1}, ".more"),
        ({"rows": [{"score": 0.5, "note": "1 row"}]}, ".rows[0].note"),
    ],
)
def test_all_else_is(tmp_path, change, where):
    found = list(kills.differences(write(tmp_path, rows=[{"score": 0.5}]), change))
    assert len(found) == 1
    assert re.match(rf"{re.escape(where)}: ", found[0])


def test_kills_that_were_counted_are_not_done_again(tmp_path):
    hows = list(kills.HOW)
    rows = [
        {
            "number": n,
            "how": hows[n % 4],
            "survived": n != 5,
            "arms_recorded": n % 2,
            "problems": [],
        }
        for n in range(8)
    ]
    (tmp_path / "kills.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = kills.kills(tmp_path, 8, print)
    assert (found["kills"], found["survived"], found["before_a_record"]) == (8, 7, 4)
    assert found["by_way"]["worker, SIGKILL"] == [1, 2]
    assert [one["number"] for one in found["not_survived"]] == [5]
