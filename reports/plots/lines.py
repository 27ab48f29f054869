"""What plots of lines share: who is drawn in colour, who in grey, and the layers of a line.

Colour and dash tell lines apart together; each line's name stands at its end or in the key.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.plots.palette import DASHES, SERIES, sign
from reports.section import Spec

MOST_LINES = 6
"""That have a colour and a dash of their own; further ones are grey."""


def series(names: Sequence[str], field: str = "arm") -> Spec:
    """Return the encodings that tell lines apart: colour, dash and one key for both.

    Args:
        names: of the lines, the most important first.
        field: of the rows, that holds a name.
    """
    told = list(names[:MOST_LINES])
    further = list(names[MOST_LINES:])
    colours = [sign(SERIES[at]) for at in range(len(told))] + [sign("grey")] * len(further)
    dashes = [DASHES[at] for at in range(len(told))] + [[1, 3]] * len(further)
    key = {
        "title": None,
        "orient": "top",
        "symbolStrokeWidth": 2,
        "symbolType": "stroke",
        "symbolSize": 300,
        "values": told,
        "columns": 3,
        "labelLimit": 110,
    }
    return {
        "color": {
            "field": field, "type": "nominal", "legend": key,
            "scale": {"domain": [*told, *further], "range": colours},
        },
        "strokeDash": {
            "field": field, "type": "nominal", "legend": key,
            "scale": {"domain": [*told, *further], "range": dashes},
        },
    }  # fmt: skip
