"""What changed between two records of splits."""

from harness.store.split_record import changes, recorded_splits
from harness.types import Example, Query, Split


def record(train="", test="", *, prefix="", whole=True, targets=True):
    """Return the record of splits whose rows are called by single letters and ask their names."""
    made = {
        name: Split(name, tuple(Example(Query(prefix + i, f"asks {i}"), ("yes",)) for i in letters))
        for name, letters in (("train", train), ("validation", ""), ("test", test))
    }
    return recorded_splits(made, whole=whole, test_targets=targets)


def test_the_same_rows_are_no_change():
    assert list(changes(record("abc", "d"), record("abc", "d"))) == []


def test_rows_that_came_went_moved_and_stand_in_another_order():
    assert list(changes(record("abcdxy", "ef"), record("cbd", "faeg"))) == [
        "1 row moved from train to test (a)",
        "train: 2 rows gone (x, y)",
        "test: 1 row added (g)",
    ]
    assert list(changes(record("abc"), record("cba"))) == [
        "train: the same 3 rows in another order"
    ]


def test_of_many_rows_five_are_named():
    (line,) = changes(record("a"), record("abcdefgh"))
    assert line == "train: 7 rows added (b, c, d, e, f and 2 more)"


def test_of_a_sample_of_test_rows_no_row_is_said_to_be_gone():
    assert list(changes(record("a", "bcd"), record("a", "c", whole=False))) == []
    assert list(changes(record("a", "c", whole=False), record("a", "bcd"))) == []
    assert list(changes(record("ax", "bcd"), record("a", "cx", whole=False))) == [
        "1 row moved from train to test (x)"
    ]


def test_right_answers_of_test_rows_are_in_it_only_where_they_may():
    hidden, told = record("a", "b", targets=False), record("a", "b")
    assert hidden.splits["test"].targets is None
    assert hidden.splits["train"].targets == told.splits["train"].targets
    assert len(told.splits["test"].targets) == 1
    assert list(changes(hidden, told)) == []


def test_rows_called_by_split_and_number_are_known_by_what_they_ask():
    def numbered(texts):
        rows = [Example(Query(f"test-{n}", text), ("a",)) for n, text in enumerate(texts, start=1)]
        return recorded_splits({"test": Split("test", tuple(rows))}, test_targets=True)

    lines = list(changes(numbered("abbc"), numbered("bbcd")))
    assert [line.split(" (")[0] for line in lines] == ["test: 1 row added", "test: 1 row gone"]
