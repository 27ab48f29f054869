"""Each part of a cost is shown, and what is not counted is said of the arms that lack it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hand_made import PRICES, TARGETS, TRAFFIC, Arm, cheap_and_good, right, write_run

from harness.analysis import Comparison, CostPart, CostParts, analyse
from reports import html
from reports import whole_markdown as markdown
from reports.sections.costs import headings, table

PEOPLE = "people's time (labour.usd_per_hour and hours)"
TITLE = "Every component and its source"


class Cells(HTMLParser):
    """The rows of every table of a page, as lists of texts."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.inside = [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def lines_of(comparison):
    """Return the table by arm and heading, the same in both reports."""
    section = markdown(comparison).split(f"<summary>{TITLE}</summary>")[1]
    text = next(part for part in section.split("\n\n") if part.startswith("| arm |"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    head, _, *body = rows
    of_page = Cells(
        html(comparison).split('<details id="cost-components"')[1].split("</table>")[0]
    ).rows
    assert of_page == [head, *body]
    return {row[0]: dict(zip(head, row, strict=True)) for row in body}


def run(path, **task):
    task = {"prices": PRICES, "traffic": TRAFFIC, **task}
    return analyse(write_run(path, TARGETS, cheap_and_good(), **task))


def test_every_part_and_both_ways_of_serving_are_shown_and_add_up(tmp_path):
    comparison = run(
        tmp_path,
        labour={"usd_per_label": 0.1, "usd_per_hour": 60, "hours": {"good": 40, "cheap": 0.5}},
        needs={"knowledge_updates_per_month": 2},
    )
    # 40 labels; 100 s of fitting, 20 times again over 10 months, at a thousandth a second; 10,000
    # requests at 10/s; one machine of $3.6 an hour for the 1,000 requests of a month.
    assert lines_of(comparison)["good"] == {
        "arm": "good",
        "labels": "$4.00",
        "people's time": "$2,400",
        "preparation": "$0.10",
        "repeated preparation": "$2.00",
        "serving": "$1.00",
        "total": "$2,407",
        "1,000 requests, pay per use": "$0.10",
        "1,000 requests, always on": "$2,628",
    }


def test_a_part_is_not_counted_for_the_arms_that_lack_it_alone(tmp_path):
    comparison = run(tmp_path, labour={"usd_per_hour": 60, "hours": {"good": 40}})
    lines = lines_of(comparison)
    assert lines["good"]["people's time"] == "$2,400"
    assert lines["cheap"]["people's time"] == "not counted"
    assert {line["labels"] for line in lines.values()} == {"not counted"}
    said = f"Not counted: labels (labour.usd_per_label); {PEOPLE} for cheap."
    assert said in markdown(comparison)
    assert said in html(comparison).replace("&#39;", "'")


def test_what_the_task_pays_for_is_said_beside_both_ways(tmp_path):
    reserved = {**TRAFFIC, "serving": "reserved", "utilisation": 0.5}
    for number, (traffic, pays) in enumerate(
        [
            (TRAFFIC, "This task pays for the seconds that requests take"),
            (reserved, "This task pays for machines that are always on and used to 50%"),
        ]
    ):
        comparison = run(tmp_path / str(number), traffic=traffic)
        assert pays in markdown(comparison)
        assert pays in html(comparison)


def test_without_traffic_the_total_is_of_serving_and_the_rest_stands_beside_it(tmp_path):
    comparison = run(tmp_path, traffic=None, labour={"usd_per_label": 0.1})
    line = lines_of(comparison)["good"]
    assert (line["labels"], line["serving"], line["total"]) == ("$4.00", "$0.10", "$0.10")
    assert line["1,000 requests, always on"] == "–"
    assert "The total is of serving 1,000 requests alone" in markdown(comparison)


def test_labels_are_shown_where_no_machine_has_a_price(tmp_path):
    line = lines_of(run(tmp_path, prices=None, labour={"usd_per_label": 0.1}))["good"]
    assert (line["labels"], line["preparation"], line["serving"]) == (
        "$4.00", "not counted", "not counted",
    )  # fmt: skip
    assert line["total"] == "–"


def test_where_nothing_is_known_to_cost_money_there_is_no_table(tmp_path):
    comparison = run(tmp_path, prices=None)
    assert "1,000 requests, pay per use" not in markdown(comparison) + html(comparison)


def test_an_arm_that_did_not_finish_has_no_costs(tmp_path):
    arms = [*cheap_and_good(), Arm("broken", status="failed", error="it broke")]
    comparison = analyse(write_run(tmp_path, TARGETS, arms, prices=PRICES, traffic=TRAFFIC))
    assert set(lines_of(comparison)) == {"cheap", "good"}


def test_costs_too_small_for_cents_are_told_from_nothing(tmp_path):
    quick = Arm("quick", [right(TARGETS)], fit_s=1e-6, predict_s=1e-5)
    comparison = analyse(write_run(tmp_path, TARGETS, [quick], prices=PRICES, traffic=TRAFFIC))
    line = lines_of(comparison)["quick"]
    assert line["preparation"] == line["1,000 requests, pay per use"] == "under $0.0001"
    assert line["repeated preparation"] == "$0"


@pytest.mark.parametrize(("partly", "said"), [(False, "$0.20"), (True, "at least $0.20")])
def test_a_component_that_is_counted_in_part_is_said_to_be(tmp_path, partly, said):
    (row, *_) = run(tmp_path).arms
    once = CostPart(name="preparation", usd=0.2, at_least=partly)
    again = CostPart(name="repeated preparation", usd=0.0, at_least=partly)
    parts = CostParts(components=(once, again))
    ((_, *cells),) = table([row.model_copy(update={"cost": parts})])
    assert cells[:2] == [said, "$0"]


def test_a_comparison_of_an_earlier_version_still_has_its_table(tmp_path):
    comparison = run(tmp_path, labour={"usd_per_label": 0.1})
    values = comparison.model_dump(mode="json")
    for row in values["rows"]:
        del row["cost"]["components"]
    earlier = Comparison.model_validate(values)
    assert table(earlier.arms) == table(comparison.arms)
    assert headings(earlier.arms) == headings(comparison.arms)


def test_the_table_stands_below_the_verdict_and_the_first_table(tmp_path):
    comparison = run(tmp_path)
    for page, first in ((markdown(comparison), "| arm | status |"), (html(comparison), "<table>")):
        assert page.index(comparison.recommendation.headline) < page.index(first)
        assert page.index(first) < page.index(TITLE)
        assert len(re.findall(TITLE, page)) == 1
