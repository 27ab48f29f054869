"""What a reader meets first, on the three committed examples and on comparisons made by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hand_made import PRICES, Arm, right, write_run

from harness.analysis import Comparison, Flip, analyse
from reports import html, markdown, plot_files
from reports.first_screen import first_screen, parameter_count, subject, weak_spot
from reports.next_step import next_step
from reports.section import Link
from reports.sections.costs import changes

EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
TASKS = ("ticket_triage", "ticket_to_json", "handbook_qa")
TARGETS = ["yes", "no"] * 60
NUMBER = re.compile(r"(?<![\w.])[+−-]?\$?\d[\d,.]*")


@pytest.fixture(params=TASKS)
def example(request):
    path = EXAMPLES / request.param / "comparison.json"
    return Comparison.model_validate_json(path.read_text(encoding="utf-8"))


@pytest.fixture
def usual(tmp_path):
    arms = [
        Arm("cheap", [right(TARGETS, range(30))], complexity=0),
        Arm("good", [right(TARGETS, [7])], complexity=3, fit_s=100, predict_s=12),
    ]
    traffic = {"requests_per_month": 1000, "months": 10}
    return analyse(write_run(tmp_path, TARGETS, arms, prices=PRICES, traffic=traffic))


def opened(page):
    """Return what of a page is read without opening or picking anything."""
    soup = BeautifulSoup(page, "lxml")
    hidden = [
        "style",
        "script",
        "details:not([open]) > :not(summary)",
        ".narrow",
        ".more",
        "caption",
    ]
    for selector in (*hidden, ".option ~ .option", "svg style"):
        for one in soup.select(selector):
            one.decompose()
    return soup


@pytest.mark.usefixtures("drawn_plots")
def test_under_1500_words_stand_open(example):
    text = opened(html(example)).body.get_text(" ")
    assert 200 < len(text.split()) < 1500


@pytest.mark.usefixtures("drawn_plots")
def test_under_60_numbers_stand_before_the_table(example):
    found = opened(html(example)).select_one("#decision").get_text(" ")
    numbers = NUMBER.findall(found)
    assert 10 < len(numbers) < 60, numbers


def test_the_markdown_is_short_and_its_plots_lie_beside_it(example):
    text, files = markdown(example), plot_files(example)
    assert len(text.splitlines()) < 150
    assert set(re.findall(r"\]\((report-plots/[^)]*)\)", text)) == set(files)
    assert all(drawing.startswith("<svg") for drawing in files.values())
    header = next(line for line in text.splitlines() if line.startswith("| arm |"))
    assert header.count("|") == 8  # seven columns


def test_the_header_names_task_rows_date_model_and_machine(example):
    about = first_screen(example).about
    assert about[0] == example.task["name"]
    assert about[1] == f"{example.run['data']['test_n']} test rows"
    assert re.fullmatch(r"\d+ \w+ \d{4}", about[2])
    assert any("smollm2-135m" in fact for fact in about)


def test_where_another_arm_wins_the_weak_spot_is_said_whatever_else_there_is(example):
    of = subject(example)
    spot = weak_spot(example, of)
    first = first_screen(example)
    assert len(first.caveats) <= 4
    if spot is not None:
        assert spot in first.caveats
        assert of.strategy in spot.text
        assert of.worst_slice.value in spot.text


def test_counts_are_of_whole_answers(usual):
    first = first_screen(usual)
    assert first.sentence == (
        "good gets 99 of 100 requests right; cheap 75. About 8 of 1,000 a month would go wrong."
    )
    assert [tile.label for tile in first.tiles] == [
        "accuracy", "latency p95", "serving memory", "cost of 10 months",
    ]  # fmt: skip
    assert first.tiles[0].detail.endswith("target: none set")


def test_a_limit_stands_beside_its_figure_and_whether_it_is_met(tmp_path):
    arms = [Arm("good", [right(TARGETS, [7])])]
    limits = {"min_score": 0.9, "max_p95_ms": 1}
    first = first_screen(analyse(write_run(tmp_path, TARGETS, arms, limits=limits)))
    assert first.tiles[0].detail.endswith("target 0.9: met")
    assert first.tiles[1].detail.endswith(": missed")


def test_where_nothing_finished_there_are_no_tiles_but_a_next_step(tmp_path):
    arms = [Arm("broken", status="failed", error="it broke")]
    first = first_screen(analyse(write_run(tmp_path, TARGETS, arms)))
    assert first.tiles == ()
    assert first.plots == ()
    assert first.sentence == ""
    assert first.next.text.startswith("Mend what failed")


def test_what_is_not_as_sealed_comes_first_of_all(usual):
    edited = usual.model_copy(update={"not_as_sealed": ("The margin was edited.",)})
    assert first_screen(edited).caveats[0].text == "The margin was edited."


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("python -m harness run a/task.yaml", "predict runs/by-hand "),
        ("python -m harness run a/task.yaml --out 'my runs/1'", "predict 'my runs/1' "),
        ("harness run a/task.yaml --out=x", "predict x "),
        ("an 'unclosed quotation", "predict runs/by-hand "),
    ],
)
def test_the_next_command_names_the_folder_that_was_run(usual, command, said):
    run = {**usual.run, "command": command}
    assert said in next_step(usual.model_copy(update={"run": run})).command


def test_more_rows_are_asked_for_as_many_as_the_verdict_says(usual):
    found = usual.recommendation.model_copy(
        update={"verdict": "not_enough_evidence", "rows_needed": {"cheap": 818}}
    )
    step = next_step(usual.model_copy(update={"recommendation": found}))
    assert step.text == "Add about 700 test rows, then run again"


@pytest.mark.parametrize(
    ("n", "said"), [(134_515_008, "135M"), (1_711_376_384, "1.7B"), (7_000_000, "7.0M")]
)
def test_sizes_read_as_models_are_named(n, said):
    assert parameter_count(n) == said


def test_only_changes_within_a_factor_of_ten_are_read_out(usual):
    flips = tuple(
        Flip(change="x", choice="cheap", text=text, key="traffic", value=value, now=1.0)
        for text, value in (("near", 9.0), ("far", 11.0), ("far below", 0.09))
    )
    found = usual.recommendation.model_copy(update={"flips": flips})
    section = changes(usual.model_copy(update={"recommendation": found}))
    lines = [line.text for line in section.blocks[0].lines]
    assert lines == ["near", "Changes by more than a factor of 10, not named here: 2."]


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://x.example/prices", True),
        ("http://x.example", True),
        ("HTTPS://x.example", True),
        ("javascript:alert(1)", False),
        (" https://x.example", False),
        ("data:text/html,x", False),
        ("//x.example", False),
    ],
)
def test_only_addresses_of_the_web_are_linked(address, safe):
    assert Link(address).safe is safe


def test_sources_of_prices_are_links_that_tell_nothing_of_the_page(example):
    soup = BeautifulSoup(html(example), "lxml")
    outside = [a for a in soup.find_all("a") if a["href"].startswith("http")]
    assert outside
    for link in outside:
        assert set(link["rel"]) == {"noopener", "noreferrer"}
        assert link["href"] in example.cost_basis


def test_every_anchor_leads_somewhere_and_no_id_stands_twice(example):
    soup = BeautifulSoup(html(example), "lxml")
    ids = [one["id"] for one in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in soup.find_all("a") if a["href"].startswith("#")}
    assert targets
    assert targets <= set(ids)


@pytest.mark.parametrize(
    ("status", "said", "drawn"),
    [("skipped", "Of the arms that ran", True), ("failed", "Strong evidence", False)],
)
def test_a_verdict_without_arms_that_have_not_run_is_called_one_of_those_that_have(
    status, said, drawn, tmp_path
):
    arms = [Arm("good", [right(TARGETS, [7])]), Arm("other", status=status, error="left out")]
    found = analyse(write_run(tmp_path, TARGETS, arms))
    assert found.recommendation.verdict == "choose"
    assert first_screen(found).badge == said
    assert ('class="verdict choose partial"' in html(found)) is drawn
