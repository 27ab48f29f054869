"""`history`: runs of a folder in a terminal."""

from __future__ import annotations

from command_line import harness
from hand_made import Arm, right, write_run
from rich.cells import cell_len

from harness.analysis import analyse, history_of
from harness.cli.history_table import history_table, remarks

TARGETS = ["yes", "no"] * 30


def past(path, wrong=0, **facts):
    arms = [Arm(name, [right(TARGETS, range(wrong))]) for name in ("a", "b")]
    folder = write_run(path, TARGETS, arms, **facts)
    folder.comparison.write_text(analyse(folder).model_dump_json())


def test_a_line_for_each_run_and_arm(tmp_path):
    past(tmp_path / "one", 30)
    past(tmp_path / "two")
    done = harness("history", tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "by-hand, accuracy:"
    assert lines[1].split() == [
        "arm", "run", "started", "status", "score", "95%", "interval", "rows", "machine", "time",
    ]  # fmt: skip
    assert len(lines) == 6
    assert lines[2].startswith("> a  one  2026-11-20 12:00  ok      0.500  0.37")
    assert " 1.000 " in lines[5]


def test_a_table_fits_the_screen(tmp_path):
    past(tmp_path / "one")
    [timeline] = history_of(tmp_path).timelines
    for width in (40, 60, 80, 120):
        rows = history_table(timeline, width)
        assert {"arm", "run", "score"} <= set(rows[0])
        widths = [max(cell_len(row[at]) for row in rows) for at in range(len(rows[0]))]
        assert sum(widths) + 2 * (len(widths) - 1) <= width


def test_other_test_rows_are_remarked_in_one_line(tmp_path):
    for number in range(6):
        past(tmp_path / f"r{number}", data={"sha256": {"test": str(number)}})
    [timeline] = history_of(tmp_path).timelines
    [line] = remarks(timeline)
    assert line.startswith("r1, r2, r3 and 2 more have other test rows than the run before")


def test_two_hundred_runs_are_shown(tmp_path):
    past(tmp_path / "r0")
    text = (tmp_path / "r0" / "comparison.json").read_text()
    for number in range(1, 200):
        (tmp_path / f"r{number}").mkdir()
        (tmp_path / f"r{number}" / "comparison.json").write_text(text)
    done = harness("history", tmp_path, "--arm", "b")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 202


def test_a_folder_without_runs_is_the_users_mistake(tmp_path):
    done = harness("history", tmp_path)
    assert done.returncode == 2
    assert "no run with a verdict" in done.stderr


def test_a_page_is_written_where_it_is_asked_for(tmp_path):
    past(tmp_path / "one")
    done = harness("history", tmp_path, "--html", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"Page: {tmp_path / 'page.html'}"
    assert "by-hand: a, accuracy 1.000." in (tmp_path / "page.html").read_text()


def test_two_runs_are_compared_as_a_page(tmp_path):
    past(tmp_path / "one", 30)
    past(tmp_path / "two")
    folders = tmp_path / "one", tmp_path / "two"
    done = harness("compare", *folders, "--html", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert "a: 30 rows fixed, 0 broken" in done.stdout
    assert "a, b got better." in (tmp_path / "page.html").read_text()


def test_a_page_is_written_into_a_folder_that_is_there_and_is_named_as_one(tmp_path):
    past(tmp_path / "one")
    done = harness("history", tmp_path, "--html", tmp_path / "nowhere" / "page.html")
    assert done.returncode == 2
    assert "nowhere: there is no such folder → make it" in done.stderr
    done = harness("history", tmp_path, "--html", tmp_path / "one" / "comparison.json")
    assert done.returncode == 2
    assert "does not end in .html" in done.stderr
