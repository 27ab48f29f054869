"""The numbers of plots, apart from drawing; and drawings as a page and a browser take them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hostile_texts import HOSTILE

from harness.analysis import Comparison
from reports.plots import draw
from reports.plots.axes import LogAxis, placed
from reports.plots.cost_curve import cost_curve, totals
from reports.plots.differences import differences, differences_plot
from reports.plots.palette import COLOURS, sign
from reports.plots.score_against import AGAINST, points, score_against
from reports.section import Plot, Table

EXAMPLES = Path(__file__).parents[3] / "reports" / "examples"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", params=["ticket_triage", "ticket_to_json", "handbook_qa"])
def example(request):
    return Comparison.model_validate_json(
        (EXAMPLES / request.param / "comparison.json").read_text()
    )


def finished(comparison):
    return {r.strategy: r for r in comparison.arms if r.score and r.score.value is not None}


@pytest.mark.parametrize("against", AGAINST, ids=lambda a: a.name)
def test_every_finished_arm_is_a_point_or_said_to_be_none(example, against):
    found, arms = points(example, against), finished(example)
    assert {p.arm for p in found.points} | set(found.absent) == set(arms)
    for point in found.points:
        row = arms[point.arm]
        assert (point.x, point.y) == (against.of(row), row.score.value)
        assert point.low == row.score.ci_low <= point.y <= row.score.ci_high == point.high
    best = max(row.score.value for row in arms.values())
    assert found.band == (best - example.task["margin"], best)
    assert [p.arm for p in found.points if p.kind == "chosen"] in (
        [],
        [example.recommendation.choice],
    )


def test_no_arm_on_the_frontier_is_beaten_and_every_other_one_is(example):
    found = points(example, AGAINST[0]).points
    for point in found:
        beaten = [o for o in found if o.y >= point.y and o.x <= point.x and o != point]
        assert point.best == (not beaten)


def test_differences_are_those_of_the_comparison_in_points(example):
    found = differences(example)
    known = {one.strategy: one for one in example.differences}
    assert {line.arm for line in found.lines} == set(known)
    for line in found.lines:
        assert line.value == pytest.approx(100 * known[line.arm].value)
        assert line.low <= line.value <= line.high
    assert found.margin == 100 * example.task["margin"]


def test_without_a_choice_there_are_no_differences(example):
    none = example.recommendation.model_copy(update={"choice": None})
    assert differences_plot(example.model_copy(update={"recommendation": none})) is None


def test_totals_are_those_of_the_comparison_but_for_nothing(example):
    if example.cost_curve is None:
        pytest.skip("this example has no traffic")
    curve = example.cost_curve
    found = totals(curve)
    for line, known in zip(found.lines, curve.lines, strict=True):
        every = zip(curve.requests_per_month, known.totals, strict=True)
        assert line.points == tuple((v, t) for v, t in every if t > 0)
    assert curve.requests_per_month[0] < found.here < curve.requests_per_month[-1]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1.0, 1000.0], ("1", "10", "100", "1000")),
        ([20.0, 60.0], ("20", "50")),
        ([5.0], ("5", "10")),
        ([1e-6, 1e6], ("1e-06", "0.001", "1", "1000", "1e+06")),
    ],
)
def test_ticks_are_round_and_fit(values, labels):
    axis = LogAxis.of(values, lambda v: f"{v:g}", most=5)
    assert axis.labels == labels
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


def test_no_two_labels_meet():
    crowd = [(100.0, 100.0, "first"), (104.0, 101.0, "second"), (98.0, 104.0, "third")]
    first, second, third = placed(crowd, 400, 300)
    assert first is not None
    assert len({(p.dx, p.dy) for p in (first, second, third) if p}) > 1


def plots_of(comparison):
    curve = comparison.cost_curve and cost_curve(comparison.cost_curve)
    against = score_against(comparison)
    found = [differences_plot(comparison), curve or None]
    return [plot for plot in found if plot] + [plot for _, plot in against.plots[:1]]


@pytest.fixture(scope="module")
def triage():
    return Comparison.model_validate_json(
        (EXAMPLES / "ticket_triage" / "comparison.json").read_text()
    )


@pytest.mark.usefixtures("drawn_plots")
@pytest.mark.parametrize("width", [draw.NARROW, 560])
def test_a_drawing_fits_has_one_label_and_no_colour_of_its_own(triage, width):
    for plot in plots_of(triage):
        root = ElementTree.fromstring(draw.drawn(plot, width))
        assert root.get("role") == "img"
        assert root.get("aria-label") == plot.finding
        left, top, right, bottom = map(float, root.get("viewBox").split())
        assert (left, top) == (0, 0)
        assert right == pytest.approx(width, abs=1)
        assert 100 < bottom < 500
        for element in list(root.iter())[1:]:
            assert not {"role", "font-family"} & set(element.attrib)
            for key in ("fill", "stroke"):
                said = element.get(key, "none")
                assert re.fullmatch(r"none|transparent|var\(--\w+\)", said), said
        texts = [one.text for one in root.iter("text")]
        assert len(texts) > 5


@pytest.mark.usefixtures("drawn_plots")
def test_a_file_brings_its_own_colours_for_light_and_dark(triage):
    (plot, *_) = plots_of(triage)
    text = draw.as_file(plot)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    sheet = root.find(f"{SVG}style").text
    assert "prefers-color-scheme: dark" in sheet
    assert set(re.findall(r"var\(--(\w+)\)", text)) <= set(COLOURS)


def bars(texts):
    rows = [{"arm": text, "at": at} for at, text in enumerate(texts)]
    spec = {
        "width": 300,
        "data": {"values": rows},
        "mark": {"type": "bar", "color": sign("dot")},
        "encoding": {
            "x": {"field": "at", "type": "quantitative", "title": texts[0]},
            "y": {"field": "arm", "type": "nominal"},
        },
    }
    return Plot("bars", texts[0], "", lambda width: spec, Table(("arm",), ()))


@pytest.mark.usefixtures("drawn_plots")
def test_hostile_text_in_a_drawing_is_text():
    drawn = draw.drawn(bars(list(HOSTILE.values())), 560)
    root = ElementTree.fromstring(drawn)  # so it is well formed
    assert {element.tag for element in root.iter()} <= {"svg", "g", "path", "line", "text", "rect"}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not {key for key in attributes if key.startswith("on") or "href" in key}
    assert all(len(text.text or "") <= draw.LONGEST for text in root.iter("text"))
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn


def test_where_plots_cannot_be_drawn_the_figures_stand_open(triage, monkeypatch):
    from reports import html

    monkeypatch.setattr(draw, "available", lambda: False)
    page = html(triage)
    assert "<svg" not in page
    assert re.search(r"<details open>\s*<summary>The figures of this plot", page)


def test_a_specification_is_json(triage):
    for plot in plots_of(triage):
        assert json.loads(json.dumps(plot.spec(560)))["data"]["values"]
