"""Rows of the model hub, through `datasets` (which loads torch); no test here reaches the hub."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from task_folder import data, task_text, told, write

from harness.task import load_task
from harness.task.rows import read_rows

pytestmark = pytest.mark.torch
datasets = pytest.importorskip("datasets")


def test_a_hub_set_that_cannot_be_had_says_how_to_give_a_local_copy(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", refused)
    (line,) = told(write(tmp_path, task_text(data=data(train={"hub": "org/set", "config": "c"}))))
    assert line.startswith("hub:org/set/c[train]: cannot be had from the hub: ")
    assert "datasets.load_dataset('org/set', 'c', split='train').to_parquet" in line
    (line,) = told(write(tmp_path, task_text(data=data(train={"hub": "/etc/passwd"}))))
    assert "is no id of a data set" in line


def test_a_hub_set_is_read_with_the_names_of_its_classes(tmp_path, monkeypatch):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])}
    )
    held = datasets.Dataset.from_list(
        [{"text": f"x{n}", "label": n % 2} for n in range(5)], features=features
    )
    asked = []
    monkeypatch.setattr(
        datasets, "load_dataset", lambda *args, **keys: asked.append((args, keys)) or held
    )
    hub = {"hub": "org/set", "revision": "abc", "split": "test"}
    task = load_task(write(tmp_path, task_text(data=data(test=hub))))
    assert [row.targets[0] for row in task.test] == list("ababa")
    assert asked == [(("org/set", None), {"revision": "abc", "split": "test"})]


# `to_json` writes ten digits of a fraction, as pandas does: those here have fewer.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=8)
TABLES = st.lists(
    st.fixed_dictionaries(
        {
            "text": TEXTS | st.none(),
            "n": st.integers(-(2**62), 2**62) | st.none(),
            "share": st.integers(-999, 999).map(lambda n: n / 8) | st.none(),
            "ok": st.booleans() | st.none(),
            "kind": st.sampled_from([0, 1, None]),
            "many": st.lists(TEXTS | st.none(), max_size=3) | st.none(),
            "deep": st.fixed_dictionaries({"at": st.lists(st.integers(0, 9) | st.none())}),
        }
    ),
    min_size=1,
    max_size=4,
)
FEATURES = {
    "text": datasets.Value("string"),
    "n": datasets.Value("int64"),
    "share": datasets.Value("float64"),
    "ok": datasets.Value("bool"),
    "kind": datasets.ClassLabel(names=["no", "yes"]),
    "many": datasets.List(datasets.Value("string")),
    "deep": {"at": datasets.List(datasets.Value("int64"))},
}
FLAT = ("text", "n", "ok")
"""Columns that delimited text can hold; a null is an empty cell there."""


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.json", "a.csv"])
@given(table=TABLES)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_datasets_writes_is_read_back_equal(tmp_path, name, table):
    datasets.disable_progress_bars()
    held = datasets.Dataset.from_list(table, features=datasets.Features(FEATURES))
    file, faults = tmp_path / name, []
    if name == "a.csv":
        held.select_columns(FLAT).to_csv(file)
    elif name == "a.parquet":
        held.to_parquet(file)
    else:
        held.to_json(file, lines=name == "a.jsonl")
    found = [row.values for row in read_rows(file, faults)]
    expected = list(held)
    if name == "a.parquet":  # the file keeps the names of classes, JSON keeps their numbers
        expected = [
            {**row, "kind": None if row["kind"] is None else ["no", "yes"][row["kind"]]}
            for row in expected
        ]
    if name == "a.csv":
        texts = [
            {column: "" if row[column] is None else str(row[column]) for column in FLAT}
            for row in expected
        ]
        expected = [row for row in texts if any(row.values())]
    assert [str(fault) for fault in faults] == (
        [] if expected else [f"{file}: has no rows → add rows"]
    )
    assert found == expected
