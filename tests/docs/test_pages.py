"""What the documents say can be done, can be done: links, commands, keys and code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from task_folder import KEYS, task_text, write

from harness import registry
from harness.cli.parser import parsed
from harness.prices import Prices
from harness.task import load_task
from harness.task.schema import Diagnostics, TaskFile, arm_of

ROOT = Path(__file__).parents[2]
HEADS = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*(ROOT / name for name in HEADS), *sorted((ROOT / "docs").rglob("*.md"))]
LINKED = [*PAGES, ROOT / "benchmarks" / "README.md", *sorted((ROOT / "tasks").rglob("README.md"))]
HOW_TO = [page for page in PAGES if page.parent.name == "how-to"]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, without the indent of the list that they stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", page.read_text(), re.S | re.M)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


def every(language: str) -> list:
    return [
        pytest.param(text, id=f"{name_of(page)}-{number}")
        for page in PAGES
        for number, text in enumerate(blocks(page, language), 1)
    ]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", LINKED, ids=name_of)
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_reached_from_the_first():
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
        waiting += [(page.parent / link).resolve() for link in links if not link.startswith("http")]
    assert {name_of(page) for page in PAGES} <= {name_of(page) for page in found if page.exists()}


def commands() -> list:
    lines = [
        (name_of(page), line)
        for page in PAGES
        for text in blocks(page, "sh")
        for line in re.split(r"\n|&&", text)
    ]
    return [(page, words) for page, line in lines if (words := re.search(r"-m harness (.+)", line))]


def test_every_command_makes_sense():
    assert len(commands()) > 25
    for page, words in commands():
        try:
            parsed(re.split(r"\s+", words[1].split(" #")[0].strip()))
        except SystemExit:
            pytest.fail(f"{page}: {words[0]}")


@pytest.mark.parametrize("text", every("yaml"))
def test_every_key_of_a_task_or_price_file_exists(text):
    from ruamel.yaml import YAML

    given = YAML(typ="safe").load(text)
    if isinstance(given, list):  # entries of `strategies`
        given = {"strategies": given}
    if set(given) <= {"machines", "hosted"}:
        assert Prices.model_validate(given)
        return
    given["strategies"] = [arm_of(entry) for entry in given.get("strategies", KEYS["strategies"])]
    task = TaskFile.model_validate(KEYS | given)
    for arm in task.strategies:
        if ":" not in arm.use:
            registry.find(arm.use).Params.model_validate(arm.params)


@pytest.mark.parametrize("text", every("python"))
def test_all_code_is_python(text):
    compile(text, "page", "exec")


@pytest.mark.parametrize("text", every("json"))
def test_all_json_is_json(text):
    assert json.loads(text)


@pytest.mark.parametrize("page", HOW_TO, ids=name_of)
def test_a_how_to_page_says_its_goal_and_what_can_go_wrong(page):
    if page.stem == "leave-hosted-tuning":  # dated, in days; tests/cli runs it whole
        return
    text = page.read_text()
    heads = re.findall(r"^## (.+)$", text, re.M)
    assert re.search(r"^\*\*Goal:\*\* ", text, re.M)
    assert "Steps" in heads[:2]
    assert heads[-1] == "What can go wrong"
    assert {"What you see", "What holds for it", "What the two mean"} & set(heads)


def test_approaches_and_diagnostics_are_all_there():
    approaches = (ROOT / "docs/explanation/approaches.md").read_text()
    assert [name for name in registry.names() if f"`{name}`" not in approaches] == []
    diagnostics = (ROOT / "docs/explanation/diagnostics.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", diagnostics, re.M)) == set(Diagnostics.model_fields)


def test_the_metric_of_the_page_works(tmp_path):
    [code] = blocks(ROOT / "docs/how-to/own-metric.md", "python")
    (tmp_path / "worth.py").write_text(code)
    task = load_task(write(tmp_path, task_text(metric="worth.py:close", also=["exact_match"])))
    assert task.spec.metric == "worth.py:close"
    space: dict = {}
    exec(code, space)
    assert [space["close"](said, ("nine",)) for said in ("nine", "it is nine", "ten")] == [
        1,
        0.5,
        0,
    ]


def test_the_strategy_of_the_page_keeps_the_contract(tmp_path):
    """In a process of its own, as its author runs it: the page's test is run too."""
    code, test = blocks(ROOT / "docs/how-to/own-strategy.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    (tmp_path / "last_word.py").write_text(code)
    (tmp_path / "test_it.py").write_text(test)
    words = [sys.executable, "-m", "pytest", "-q", str(tmp_path)]
    tested = subprocess.run(words, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout


def test_the_answers_of_the_page_are_read(tmp_path):
    from harness.registry import find

    [line] = blocks(ROOT / "docs/how-to/answers-from-elsewhere.md", "json")
    module = __import__(find("predictions").__module__, fromlist=["Line"])
    read = module.Line.model_validate_json(line)
    assert (read.wall_s, read.usd) == (41.0, 0.35)
