"""The final table: the rule's order and words, whole at any width."""

from __future__ import annotations

from io import StringIO

import pytest
from hand_made import PRICES, TARGETS, TRAFFIC, Arm, right, write_run
from rich.console import Console

from harness.analysis import analyse
from harness.cli.result_table import result_table
from harness.cli.terminal import Screen

WIDTHS = (60, 80, 120)
ARMS = (
    Arm("few_shot_nearest_8", [right(TARGETS, range(60))], complexity=2, predict_s=30),
    Arm("few_shot_random_8", [right(TARGETS, range(50))], complexity=2, predict_s=30),
    Arm("good", [right(TARGETS, [119])], complexity=3, fit_s=100, predict_s=12),
    Arm("broken", status="out_of_memory", error="no room"),
    Arm("as_good", [right(TARGETS, [118])], complexity=4, fit_s=900, predict_s=90),
    Arm("left_out", selected=False),
)


@pytest.fixture
def comparison(tmp_path):
    def compare(arms=ARMS, prices=PRICES, **task):
        task = {"margin": 0.05, "traffic": TRAFFIC} | task
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return analyse(write_run(folder, TARGETS, arms, prices=prices, **task))

    return compare


def column(table, heading):
    place = table[0].index(heading)
    return [row[place] for row in table[1:]]


def test_arms_stand_in_the_rules_order_with_its_words_and_the_choice_is_marked(comparison):
    table = result_table(comparison(), None)
    assert column(table, "arm") == [
        "> good", "  as_good", "  few_shot_random_8", "  few_shot_nearest_8", "  broken",
        "  left_out",
    ]  # fmt: skip
    assert column(table, "status") == [
        "chosen", "tied", "significantly worse", "significantly worse", "failed: out of memory",
        "not run",
    ]  # fmt: skip


def test_a_limit_that_is_missed_stands_before_the_score(comparison):
    table = result_table(comparison(limits={"max_p95_ms": 150.0}), None)
    assert column(table, "status")[:4] == ["over a limit"] * 4
    scores = column(table, "score")[:4]
    assert scores == sorted(scores, reverse=True)
    table = result_table(comparison(prices=None, limits={"max_usd_per_1k": 1.0}), None)
    assert column(table, "status")[0] == "a limit is unknown"


def test_what_the_data_cannot_tell_is_undecided_and_a_choice_for_now_is_provisional(comparison):
    arms = [
        Arm("cheap", [right(TARGETS, range(8))], complexity=0),
        Arm("good", [right(TARGETS, range(100, 104))], complexity=3, predict_s=50),
    ]
    table = result_table(comparison(arms, margin=0.02), None)
    assert column(table, "arm") == ["> good", "  cheap"]
    assert column(table, "status") == ["provisional", "undecided"]


def test_seconds_are_never_called_a_cost(comparison):
    priced, unpriced = (result_table(comparison(prices=p), None) for p in (PRICES, None))
    assert "machine time" not in priced[0]
    assert column(priced, "cost")[0].startswith("$")
    assert "cost" not in unpriced[0]
    assert column(unpriced, "machine time")[0].endswith((" s", " min", " h"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("prices", [PRICES, None], ids=["priced", "unpriced"])
def test_a_screen_shows_every_cell_whole(comparison, width, prices):
    found = comparison(prices=prices)
    screen = Screen()
    screen.console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    screen._live = True
    screen.show(found)
    lines = screen.console.file.getvalue().splitlines()
    drawn = lines[: lines.index("")]
    assert len(drawn) == 1 + len(ARMS)  # nothing is wrapped
    assert max(map(len, drawn)) <= width
    table = result_table(found, width)
    for line, cells in zip(drawn, table, strict=True):
        assert "…" not in line
        assert line.split() == " ".join(cells).split()
    assert {"arm", "status", "score"} <= set(table[0])


def test_more_columns_fit_a_wider_screen_and_all_a_file(comparison):
    found = comparison()
    sizes = [len(result_table(found, width)[0]) for width in (*WIDTHS, None)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 12
    assert "cost" in result_table(found, 80)[0]


def test_a_name_that_is_wider_than_the_screen_goes_on_in_the_next_line(comparison):
    name = "a_very_long_name_of_an_arm_" * 3
    arms = [Arm(f"{name}{n}", [right(TARGETS, range(n))]) for n in (1, 2)]
    screen = Screen()
    screen.console = Console(file=StringIO(), width=60, force_terminal=True, color_system=None)
    screen._live = True
    screen.show(comparison(arms))
    text = screen.console.file.getvalue()
    assert "…" not in text
    table = text.split("\n\n")[0]
    assert table.count("_") == 2 * name.count("_")
