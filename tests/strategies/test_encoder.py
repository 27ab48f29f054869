"""The encoder before it is tuned: what there is nothing to learn of is refused at once."""

from __future__ import annotations

import pytest
from small_world import context, rows

from harness import registry
from harness.errors import StrategyError
from harness.types import Split


@pytest.mark.parametrize("trains", ["head", "all", "contrastive"])
def test_rows_of_one_label_are_refused_before_anything_is_tuned(trains, tmp_path, monkeypatch):
    kind = registry.find("encoder")
    # Of one label the pairs would never end. No model is loaded before.
    monkeypatch.setattr("harness.retrieval.Embedder", None)
    params = kind.Params(trains=trains)
    sky = Split("train", tuple(row for row in rows("train") if row.targets == ("sky",)))
    with pytest.raises(StrategyError, match="all training rows answer 'sky' → add rows of others"):
        kind(params, context()).fit(sky, rows("validation"), tmp_path)
