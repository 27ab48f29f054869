"""The Markdown and the HTML report of judged runs, friendly and hostile."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hand_made import PRICES, Arm, right, write_run
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis import ArmDiagnostics, analyse, ordered, status
from harness.analysis.schema.diagnostics import Calibration
from harness.store.finding import Finding
from harness.store.records import Note
from reports import html
from reports import whole_markdown as markdown
from reports.render_markdown import safe
from reports.sections.diagnostics import _calibration as calibration

TARGETS = ["yes", "no"] * 60
EVIL = (
    'a|b \\| <script>alert("1")</script>\n\n# no heading\n'
    '| x | `unclosed <img src="http://x.example/1.png"> &amp;'
    "![x](http://x.example/2.png) ![y][y]\n\n[y]: http://x.example/3.png"
)
VOID = {"meta", "br", "img", "link", "hr", "input", "base"}
LOADING = {"src", "href", "srcset", "data", "action", "background", "poster", "xlink:href"}


def leads(tag, key, value):
    """Tell whether an attribute only leads a reader who clicks: within the page, or to the data."""
    if (tag, key) != ("a", "href"):
        return False
    return value.startswith(("#", "https://", "http://")) or value == "comparison.json"


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.loads, self.text = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [
            (tag, key)
            for key, value in attrs
            if (key in LOADING and not leads(tag, key, value)) or key.startswith("on")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def arms():
    return [
        Arm("cheap", [right(TARGETS, range(30))], complexity=0),
        Arm("good", [right(TARGETS, [7])], complexity=3, fit_s=100, predict_s=12),
        Arm("broken", status="out_of_memory", error="killed at 16 GiB"),
        Arm("refused", refused="needs documents, and the task has none (data.corpus)"),
    ]


@pytest.fixture
def usual(tmp_path):
    traffic = {"requests_per_month": 1000, "months": 10}
    return analyse(write_run(tmp_path, TARGETS, arms(), prices=PRICES, traffic=traffic))


@pytest.fixture
def hostile(tmp_path):
    bad = arms()
    bad[0].notes = [Note(kind=EVIL, text=EVIL)]
    bad[0].plan = {"params": {"template": EVIL}}
    bad[2].error = EVIL
    bad[3].refused = EVIL
    prices = {"machines": [{**PRICES["machines"][0], "name": EVIL, "source": EVIL}]}
    return analyse(hostile_folder(tmp_path, bad, prices))


def hostile_folder(path, bad, prices):
    targets = [EVIL if target == "no" else target for target in TARGETS[:19]]
    bad[0].answers = [targets]
    folder = write_run(
        path,
        targets,
        [bad[0], *bad[2:]],
        prices=prices,
        metric="macro_f1",
        instruction=EVIL,
        answer={"kind": "choice", "labels": ["yes", EVIL]},
        data={"findings": (Finding.of_sentence(EVIL),)},
        truth={"slices": [{EVIL: EVIL}] * 19},
    )
    header = folder.last_header()
    task = {**header.task, "data": {**header.task["data"], "slices": [EVIL]}}
    update = {"task": task, "command": EVIL, "git_commit": EVIL, "packages": {EVIL: EVIL}}
    folder.append(header.model_copy(update=update))
    return folder


def cells(line):
    """Split a table row as GitHub does: an escaped character, or anything but a pipe, is text."""
    return re.findall(r"(?:\\[^\w\s]|[^|])+", line.strip().strip("|"))


def tables(text):
    """Return each run of lines that begin with a pipe."""
    return [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)]


def test_the_verdict_comes_first(usual):
    text = markdown(usual)
    assert text.splitlines()[0] == "# by-hand: Choose good."
    assert text.index("Verdict: Choose") < text.index("## ")
    assert html(usual).index("<h1>Choose good.</h1>") < html(usual).index("<table>")


@pytest.mark.parametrize("render", [markdown, html])
def test_arms_that_did_not_finish_stand_there_with_their_reason(usual, render):
    text = render(usual)
    assert "out of memory" in text
    assert "killed at 16 GiB" in text
    assert "needs documents, and the task has none (data.corpus)" in text


def test_arms_are_ordered_by_score_and_the_unfinished_come_last(usual):
    (table, *_) = tables(markdown(usual))
    assert [cells(line)[0].strip() for line in table[2:]] == ["good", "cheap", "broken", "refused"]


def test_both_reports_give_the_same_figures(usual):
    text, page = markdown(usual), "".join(Page(html(usual)).text)
    for figure in ("0.992", "0.750", "0.954 to 0.999", "$1.10", "100 s", "200 ms"):
        assert figure in text
        assert figure in page


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"limits": {"min_score": 1.1}}, "over a limit"),
        ({"limits": {"min_score": 1.1}, "needs": {"citations": True}}, "over a limit"),
        ({"limits": {"max_usd_per_1k": 1}, "needs": {"citations": True}}, "misses a need"),
        ({"limits": {"max_usd_per_1k": 1}}, "a limit is unknown"),
    ],
)
def test_an_arm_that_is_out_has_the_status_that_holds(tmp_path, task, said):
    found = analyse(write_run(tmp_path, TARGETS, arms(), **task))
    assert [status(row, found) for row in ordered(found)[:2]] == [said] * 2


def test_what_right_probabilities_would_show_is_no_part_of_what_was_seen(usual):
    found = Calibration(expected_error=0.135, error_by_chance=0.06, brier=0.2, n=310)
    row = usual.arms[0].model_copy(update={"diagnostics": ArmDiagnostics(calibration=found)})
    assert calibration(row) == (
        "calibration error 0.135; perfectly calibrated answers would show about 0.060 on 310 rows;"
        " Brier score 0.200"
    )


def test_a_provisional_choice_is_called_so(tmp_path):
    close = [
        Arm("a", [right(TARGETS, range(6))]),
        Arm("b", [right(TARGETS, range(9, 13))], complexity=3),
    ]
    comparison = analyse(write_run(tmp_path, TARGETS, close, margin=0.01))
    assert comparison.recommendation.provisional
    assert "(provisional)" in markdown(comparison)
    assert "(provisional)" in html(comparison)


def test_where_nothing_finished_both_reports_still_say_so(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, arms()[2:]))
    for text in (markdown(comparison), html(comparison)):
        assert "no arm finished" in text
        assert "killed at 16 GiB" in text


def test_what_is_not_measured_is_a_dash_and_never_zero(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, arms()))
    (table, *_) = tables(markdown(comparison))
    broken = next(line for line in table if "broken" in line)
    assert [cell.strip() for cell in cells(broken)[2:-1]] == ["–"] * 10
    assert "$0" not in markdown(comparison)
    assert "None" not in markdown(comparison) + "".join(Page(html(comparison)).text)


@pytest.mark.parametrize("case", ["usual", "hostile"])
def test_every_table_row_has_as_many_cells_as_its_header(case, request):
    found = tables(markdown(request.getfixturevalue(case)))
    assert len(found) == 9
    for header, _, *rows in found:
        assert rows
        assert {len(cells(row)) for row in rows} == {len(cells(header))}


def test_hostile_text_makes_no_element_and_no_heading_in_markdown(hostile):
    from markdown_it import MarkdownIt

    text = markdown(hostile)
    assert "no heading" in text
    made = Page(MarkdownIt("commonmark").enable("table").render(text))
    assert not {"script", "img"} & set(made.tags)
    assert not made.loads
    headings = re.findall(r"^#+ .*", text, flags=re.MULTILINE)
    assert len(headings) >= 5
    assert not any("no heading" in heading for heading in headings)


def test_hostile_text_is_only_text_in_html(hostile):
    page = Page(html(hostile))
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "base"} & set(page.tags)
    text = "".join(page.text)
    assert text.count('<script>alert("1")</script>') >= 8  # where each of them was put
    assert "&amp;" in text


@pytest.mark.parametrize("case", ["usual", "hostile"])
def test_the_page_loads_nothing_from_anywhere(case, request):
    page = html(request.getfixturevalue(case))
    found = Page(page)
    assert len(found.tags) > 50
    assert found.loads == []
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL))
    assert styles
    assert not re.search(r"url\(|@import|https?:", styles)


def test_the_cost_curve_is_drawn_and_stands_as_a_table_too(usual):
    assert 'aria-label="At 1,000 requests a month cheap costs least, ' in html(usual)
    table = next(t for t in tables(markdown(usual)) if "| 1,000 |" in t[0])
    assert [cell.strip() for cell in cells(table[0])] == [
        "arm", "10", "100", "1,000", "10,000", "100,000",
    ]  # fmt: skip
    good = next(cells(line) for line in table if "good" in line)
    assert good[3].strip() == "$1.10"


def test_without_traffic_no_curve_is_drawn(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, arms(), prices=PRICES))
    assert "requests a month cheap costs" not in html(comparison)
    assert "by requests a month" not in markdown(comparison)


def test_a_reserved_machine_is_called_so_beside_break_even(tmp_path):
    traffic = {"requests_per_month": 10, "serving": "reserved", "utilisation": 0.5}
    comparison = analyse(write_run(tmp_path, TARGETS, arms(), prices=PRICES, traffic=traffic))
    for page in (markdown(comparison), html(comparison)):
        assert "Break-even, paying for machines that are always on and used to 50%:" in page


@given(st.text(alphabet='|\\<>`"a\n \r\t&#*_[]()!:'))
def test_no_text_can_leave_its_cell(text):
    made = safe(text)
    assert len(cells(f"| {made} | next |")) == 2
    assert not set("<>\n\r") & set(made)
    assert "](" not in made
    assert "]:" not in made
