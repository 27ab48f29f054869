"""The reference pages are what the code says now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from docs.keys import table
from docs.reference_pages import reference_pages
from harness import metrics, registry
from harness.store.run_folder import ROOMS, RunFolder
from harness.task.schema import TaskFile

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def made():
    return reference_pages()


def test_the_committed_pages_are_current(made):
    stale = [name for name, text in made.items() if (REFERENCE / name).read_text() != text]
    assert not stale, "write them anew: python -m docs"
    by_hand = {page.name for page in REFERENCE.glob("*.md")} - set(made)
    assert by_hand == {"run-folder.md"}


def test_every_key_strategy_and_metric_is_there(made):
    for key in TaskFile.model_fields:
        assert f"\n| `{key}` |" in made["task-file.md"]
    for name in registry.names():
        assert f"\n## {name}\n" in made["strategies.md"]
    for name in metrics.names():
        assert f"\n| `{name}` |" in made["metrics.md"]
    for code in (0, 2, 3, 130):
        assert f"\n| {code} | " in made["commands.md"]


def test_every_link_to_a_model_has_its_section(made):
    for name, text in made.items():
        wanted = set(re.findall(r"\]\(#(\w+)\)", text))
        heads = {head.lower() for head in re.findall(r"^## (\w+)$", text, re.M)}
        assert wanted <= heads, name


def test_a_key_is_told_with_type_bounds_default_and_words():
    class Inner(BaseModel):
        share: float = Field(0.5, gt=0, le=1)
        """Of a|b."""

    class Outer(BaseModel):
        names: list[str]
        inner: Inner | None = None
        count: int = Field(3, description="How many.")

    Outer.__doc__ = Inner.__doc__ = ""
    rows = (table(Inner) + table(Outer)).splitlines()
    assert r"| `share` | number, above 0, at most 1 | `0.5` | Of a\|b. |" in rows
    assert "| `names` | list of text | must be given |  |" in rows
    assert "| `inner` | [Inner](#inner) | – |  |" in rows
    assert "| `count` | whole number | `3` | How many. |" in rows


def test_the_run_folder_page_names_every_file(tmp_path):
    page = (REFERENCE / "run-folder.md").read_text()
    paths = (path for path in vars(RunFolder(tmp_path)).values() if isinstance(path, Path))
    for name in [*(path.name for path in paths if path != tmp_path), *ROOMS]:
        assert f"`{name}" in page, name
