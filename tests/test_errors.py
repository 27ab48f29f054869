"""Faults are printed in the order of the file, each in 2 kB, each kind with five examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MOST_BYTES, Fault, TaskError, UserError, shortened, shown, unknown_name


def lines_of(*faults):
    return str(TaskError(faults)).splitlines()


def test_the_same_fault_of_many_rows_is_one_line_with_five_places_and_a_count():
    (line,) = lines_of(*(Fault(f"r.csv:{n}", "'text' is empty", "write one") for n in range(2, 99)))
    assert line == (
        "r.csv:2: 'text' is empty → write one (and 96 more like it, lines 3, 4, 5, 6, …)"
    )
    (line,) = lines_of(Fault("r.csv:2", "x"), Fault("r.csv:7", "x"))
    assert line == "r.csv:2: x (and 1 more like it, line 7)"


@pytest.mark.parametrize(
    "what",
    [
        "no label is called '{}'; known: a, b",
        "the id '{}' already stands at r.csv:{}",
        "'label' must be a text, not [{}]",
        "is not JSON: Expecting value at column {}",
        "no label is called 'it's \"{}'; did you mean 'it{}'? known: 'a'",
    ],
)
def test_faults_that_differ_in_what_they_quote_are_five_examples_and_a_count(what):
    lines = lines_of(*(Fault(f"r.csv:{n}", what.format(n, n)) for n in range(1, 601)))
    assert len(lines) == 6
    assert lines[-1] == "r.csv: … and 595 more like these, lines 6, 7, 8, 9, …"


def test_what_is_wrong_in_several_files_alike_is_one_line_that_names_them():
    faults = [Fault(f"in/{name}:{n}", "'x' is NaN") for name in ("a.csv", "b.csv") for n in (2, 5)]
    assert lines_of(*faults) == ["in/a.csv:2: 'x' is NaN (and 3 more like it, line 5, 2 in b.csv)"]


def test_labels_that_all_want_quotes_are_five_examples_and_a_count_too():
    faults = (Fault(f"task.yaml:{n + 9} answer.labels.{n}", f"got {n}") for n in range(80))
    assert len(lines_of(*faults)) == 6


def test_faults_of_different_keys_are_all_told():
    faults = [Fault(f"task.yaml:1 {key}", "this key is missing") for key in "abcdefgh"]
    assert len(lines_of(*faults)) == 8


def test_faults_stand_in_the_order_of_their_files():
    places = ["task.yaml:9 metric", "b.csv:12", "task.yaml:2 name", "a.csv:1", "b.csv:3", "b.csv"]
    problem = TaskError([Fault(place, "wrong") for place in places])
    assert [fault.where for fault in problem.faults] == [
        "task.yaml:2 name", "task.yaml:9 metric", "b.csv", "b.csv:3", "b.csv:12", "a.csv:1",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", ["x", "é", "語", "😀", "\n", "'"])
def test_no_fault_is_longer_than_2_kb_and_its_remedy_stays(unit):
    much = unit * 1_000_000
    (line,) = lines_of(*[Fault(f"r.jsonl:{n}", f"'{much}' is wrong", "write x") for n in (1, 2)])
    assert len(line.encode()) <= MOST_BYTES
    assert "→ write x (and 1 more like it, line 2)" in line
    assert all(len(said.encode()) <= MOST_BYTES for said in str(UserError(much)).split("\n"))
    assert len(shown({"a": much})) < 250


@given(st.lists(st.builds(Fault, st.text(), st.text(), st.text()), max_size=9))
def test_any_faults_are_at_most_fifty_short_lines(faults):
    lines = str(TaskError(faults)).split("\n")
    assert len(lines) <= 51
    assert all(len(line.encode("utf-8", "replace")) <= MOST_BYTES for line in lines)


@given(st.text(), st.integers(60, 300))
def test_what_is_shortened_fits(text, most):
    assert len(shortened(text, most).encode("utf-8", "replace")) <= most


def test_a_long_list_of_known_names_is_cut_and_the_nearest_stays():
    said = unknown_name("label", "label_700x", [f"label_{n}" for n in range(1000)])
    assert "did you mean 'label_700'?" in said
    assert said.endswith(" and 970 more")
    assert len(unknown_name("label", "x" * 5_000_000, ["a"])) < MOST_BYTES
