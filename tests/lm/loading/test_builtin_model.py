"""A fetch that is broken off leaves nothing half-made behind."""

from __future__ import annotations

import pytest

from harness.lm.loading import builtin_model as fetch

NAME = "smollm2-135m-instruct-q4"


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    return tmp_path / "models"


def whole(model, work):
    (work / "done").mkdir()
    (work / "done" / "weights").write_text("all")
    return work / "done"


def test_an_interrupted_fetch_leaves_nothing(models, monkeypatch):
    def interrupted(model, work):
        (work / "half.whl").write_text("hal")
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "_build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch.built_in_folder(NAME)
    assert [path.suffix for path in models.iterdir()] == [".lock"]


def test_what_a_killed_fetch_left_is_swept_away(models, monkeypatch):
    monkeypatch.setattr(fetch, "_build", whole)
    kept_as = fetch.built_in_folder(NAME).name
    (models / kept_as).rename(models / "elsewhere")
    stale = models / f".{kept_as}-killed"
    stale.mkdir()
    (stale / "half.whl").write_text("hal")
    assert (fetch.built_in_folder(NAME) / "weights").read_text() == "all"
    assert not stale.exists()


def test_it_is_fetched_once(models, monkeypatch):
    built = []
    monkeypatch.setattr(fetch, "_build", lambda *given: built.append(1) or whole(*given))
    assert fetch.built_in_folder(NAME) == fetch.built_in_folder(NAME)
    assert built == [1]


def test_a_model_that_is_not_wanted_is_not_fetched(models):
    with pytest.raises(fetch.ModelError, match="is not on this machine yet"):
        fetch.built_in_folder(NAME, fetch=False)
    assert not models.exists()
