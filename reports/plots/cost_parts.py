"""The plot of what each arm's cost is made of: spent and to come, pay per use and always on."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import ArmResult, Comparison, ordered
from harness.wording import numbers
from reports.plots.by_arm import MOST, arms_axis, frame
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table
from reports.tiles import always_on, rough_usd

COLOURS = {
    "labels": "grey",
    "people's time": "s3",
    "preparation": "s2",
    "repeated preparation": "s5",
    "serving": "s1",
}
"""Components that every cost has. Grey is spent already."""
OTHERS = ("s4", "s6")
SPENT = "labels"
PAYING = ("pay per use", "always on")
KEY = {"title": None, "orient": "top"}
END = {"type": "text", "align": "left", "dx": 5, "baseline": "middle", "fontSize": 11}


@dataclass(frozen=True)
class Bar:
    """One way of paying for one arm: its parts in dollars, in the order of the cost table."""

    arm: str
    paying: str
    parts: tuple[tuple[str, float], ...]

    @property
    def total(self) -> float:
        """What it comes to."""
        return sum(usd for _, usd in self.parts)


def bars(comparison: Comparison) -> list[Bar]:
    """Return the bars of the plot: two an arm where requests can be priced in both ways."""
    found = []
    for row in ordered(comparison)[:MOST]:
        if not row.score or row.total_usd is None:
            continue
        parts = tuple(
            (part.name, part.usd) for part in row.cost.components if part.usd and part.in_total
        )
        found += _both(comparison, row, parts)
    return found


def _both(
    comparison: Comparison, row: ArmResult, parts: tuple[tuple[str, float], ...]
) -> list[Bar]:
    """Return an arm's bar as the task pays, and as it would the other way."""
    traffic = comparison.task.get("traffic")
    always = always_on(comparison, row)
    if not traffic or always is None or row.usd_per_1k_busy is None:
        return [Bar(row.strategy, PAYING[0], parts)]
    thousands = traffic["requests_per_month"] * traffic["months"] / 1000
    rest = tuple(part for part in parts if part[0] != "serving")
    return [
        Bar(row.strategy, paying, (*rest, ("serving", usd)))
        for paying, usd in zip(PAYING, (row.usd_per_1k_busy * thousands, always), strict=True)
    ]


def cost_parts(comparison: Comparison) -> Plot | None:
    """Return the plot; None where no arm costs any money."""
    found = bars(comparison)
    if not any(bar.total for bar in found):
        return None
    names = list(dict.fromkeys(name for bar in found for name, _ in bar.parts))
    rows = tuple(
        (
            bar.arm,
            bar.paying,
            *(numbers.usd(dict(bar.parts).get(name, 0.0)) for name in names),
            numbers.usd(bar.total),
        )
        for bar in found
    )
    return Plot(
        name="cost_parts",
        finding=_finding(found),
        caption="Grey is spent already. Above each other: paying per use, and for machines that"
        " are always on.",
        spec=lambda width: _spec(found, names, width),
        data=Table(("arm", "paid", *names, "total"), rows, caption="Cost by part"),
        wide=1160,
    )


def _finding(found: list[Bar]) -> str:
    first = found[0]
    same = [bar for bar in found if bar.arm == first.arm]
    text = " or ".join(f"{rough_usd(bar.total)} {_paid(bar.paying)}" for bar in same)
    spent = dict(first.parts).get(SPENT)
    of_it = f", of which {rough_usd(spent)} is spent on labels already" if spent else ""
    return f"{first.arm} costs {text}{of_it}."


def _paid(paying: str) -> str:
    return "paid per use" if paying == PAYING[0] else "always on"


def _spec(found: list[Bar], names: list[str], width: int) -> Spec:
    arms = list(dict.fromkeys(bar.arm for bar in found))
    both = len({bar.paying for bar in found}) > 1
    rows = [
        {"arm": bar.arm, "paying": bar.paying, "part": name, "usd": usd, "at": names.index(name)}
        for bar in found
        for name, usd in bar.parts
    ]
    ends = [{"arm": b.arm, "paying": b.paying, "usd": b.total, "text": _end(b)} for b in found]
    most = max(bar.total for bar in found)
    room = 110 / max(width - 200, 100)
    x = {
        "field": "usd",
        "type": "quantitative",
        "scale": {"domain": [0, most * (1 + room * 1.5)], "nice": False},
        "axis": {
            "title": "dollars over the horizon",
            "format": "$,.0f",
            "tickCount": max(3, width // 160),
        },
    }
    offset = (
        {"yOffset": {"field": "paying", "type": "nominal", "sort": list(PAYING)}} if both else {}
    )
    y = arms_axis(arms, width)
    others = iter(OTHERS * len(names))
    colours = [sign(COLOURS.get(name) or next(others)) for name in names]
    return {
        **frame(arms, width, 40 if both else 28, 34 if width > 400 else 62),
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "height": 13},
                "encoding": {
                    "x": {**x, "stack": "zero"},
                    "y": y,
                    **offset,
                    "order": {"field": "at"},
                    "color": {
                        "field": "part",
                        "type": "nominal",
                        "scale": {"domain": names, "range": colours},
                        "legend": {**KEY, "columns": 5 if width > 400 else 2},
                    },
                },
            },
            {
                "data": {"values": ends},
                "mark": {**END, "color": sign("soft")},
                "encoding": {"x": x, "y": y, **offset, "text": {"field": "text"}},
            },
        ],
    }  # fmt: skip


def _end(bar: Bar) -> str:
    """Return what stands at a bar's end."""
    return f"{rough_usd(bar.total)} {'per use' if bar.paying == PAYING[0] else 'always on'}"
