"""What the README says can be done, can be done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "docs" / "results.md").read_text()


def test_it_is_short():
    prose = re.sub(r"```.*?```|<!--.*?-->|^\|.*?$", "", README, flags=re.S | re.M)
    assert 400 < len(prose.split()) < 700


def test_ci_runs_exactly_the_second_command():
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.S)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_package_that_is_imported_is_pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower() for line in lines}
    project = (ROOT / "pyproject.toml").read_text()
    wanted = re.search(r"dependencies = \[(.*?)\]", project, re.S)[1]
    wanted += re.search(r"test = \[(.*?)\]", project, re.S)[1]
    names = re.findall(r'"([\w.-]+)"', wanted)
    assert len(names) > 20
    assert {name.lower() for name in names} <= pinned


def test_the_declared_version_is_the_installed_one():
    from importlib import metadata

    import harness

    assert metadata.version("worth-tuning") == harness.__version__


@pytest.mark.parametrize("name", ["CHANGELOG.md", "LICENSE", "constraints.txt"])
def test_what_a_project_needs_is_there(name):
    assert (ROOT / name).stat().st_size > 100


def test_every_figure_in_the_readme_is_that_of_the_committed_report():
    from harness.analysis import Comparison
    from harness.wording import numbers

    path = ROOT / "reports" / "examples" / "ticket_triage" / "comparison.json"
    comparison = Comparison.model_validate_json(path.read_text())
    assert f"> {comparison.recommendation.headline}\n" in README
    for row in comparison.arms:
        score = row.score
        assert (
            f"| `{row.strategy}` | {numbers.score(score.value)}"
            f" ({numbers.interval(score.ci_low, score.ci_high)}) | {numbers.duration(row.p50_s)}"
            f" | {numbers.size(row.predict_peak_bytes)} | {numbers.duration(row.fit_wall_s)}"
            f" | {numbers.usd(row.total_usd)} |"
        ) in README


@pytest.mark.parametrize("name", ["handbook_qa", "ticket_to_json"])
def test_what_the_results_say_of_the_other_tasks_stands_in_their_reports(name):
    from harness.analysis import Comparison
    from harness.wording import numbers

    path = ROOT / "reports" / "examples" / name / "comparison.json"
    comparison = Comparison.model_validate_json(path.read_text())
    [line] = [line for line in RESULTS.splitlines() if f"examples/{name}/report.md" in line]
    assert f"| {comparison.recommendation.headline} |" in line
    told = re.findall(r"`(\w+)` ([\d.]+) \(([^)]+)\)", line)
    scores = {row.strategy: row.score for row in comparison.arms}
    assert len(told) >= 3
    for arm, value, interval in told:
        score = scores[arm]
        assert value == numbers.score(score.value)
        assert interval == numbers.interval(score.ci_low, score.ci_high)


@pytest.mark.usefixtures("drawn_plots")
def test_the_committed_reports_are_what_the_templates_draw_now():
    from harness.analysis import Comparison
    from reports import html, markdown, plot_files

    folders = sorted((ROOT / "reports" / "examples").iterdir())
    assert folders
    for folder in folders:
        comparison = Comparison.model_validate_json((folder / "comparison.json").read_text())
        assert (folder / "report.md").read_text() == markdown(comparison)
        assert (folder / "report.html").read_text() == html(comparison)
        drawn = plot_files(comparison)
        assert {name: (folder / name).read_text() for name in drawn} == drawn
        kept = {file.relative_to(folder).as_posix() for file in folder.rglob("*.svg")}
        assert kept == set(drawn)
