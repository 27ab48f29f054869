"""Rows of the model hub, through `datasets` (which loads torch); no test here reaches the hub."""

import pytest
from task_folder import data, task_text, told, write

from harness.task import load_task

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
