"""Every metric is a sum over items, finished: that is what makes the bootstrap exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import metrics
from harness.errors import UnknownNameError

LABELS = ["a", "b", "c"]
ALL = [metrics.find(name) for name in metrics.names()]
ITEMS = st.lists(
    st.tuples(
        st.sampled_from([*LABELS, "Answer: a", "b or c", "", None]),
        st.lists(st.sampled_from(LABELS), min_size=1, max_size=2, unique=True).map(tuple),
    ),
    min_size=1,
    max_size=30,
)


def statistics_of(metric, items):
    texts, targets = [text for text, _ in items], [accepted for _, accepted in items]
    return metric.statistics(texts, targets, LABELS)


def value_of(metric, items):
    return metric.value([text for text, _ in items], [accepted for _, accepted in items], LABELS)


def test_all_metrics_of_the_design_are_here():
    of_choices = {"accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "weighted_f1"}
    of_texts = {"bleu", "chrf", "exact_match", "rouge_l", "token_f1"}
    assert set(metrics.names()) == of_choices | {"precision", "recall"} | of_texts


def test_an_unknown_metric_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'macro_f1'"):
        metrics.find("macrof1")


@pytest.mark.parametrize("metric", ALL, ids=metrics.names())
@settings(deadline=None)
@given(items=ITEMS, seed=st.integers(0, 2**32))
def test_the_sum_over_any_parts_finishes_to_the_value(metric, items, seed):
    part = np.random.default_rng(seed).integers(0, 3, len(items))
    sums = sum(
        statistics_of(metric, [item for item, p in zip(items, part, strict=True) if p == k]).sum(0)
        for k in range(3)
    )
    assert float(metric.finish(sums)) == pytest.approx(value_of(metric, items), abs=1e-12)


@pytest.mark.parametrize("metric", ALL, ids=metrics.names())
@settings(deadline=None)
@given(items=ITEMS, seed=st.integers(0, 2**32))
def test_counts_times_statistics_are_the_value_of_the_resample(metric, items, seed):
    drawn = np.random.default_rng(seed).integers(0, len(items), (4, len(items)))
    counts = np.stack([np.bincount(row, minlength=len(items)) for row in drawn])
    finished = metric.finish(counts @ statistics_of(metric, items))
    direct = [value_of(metric, [items[i] for i in row]) for row in drawn]
    assert finished == pytest.approx(direct, abs=1e-12)


@pytest.mark.parametrize("metric", ALL, ids=metrics.names())
@settings(deadline=None)
@given(items=ITEMS)
def test_values_lie_in_the_range_that_the_metric_states(metric, items):
    assert statistics_of(metric, items).shape[0] == len(items)
    assert metric.lowest <= value_of(metric, items) <= metric.highest
    if metric.name != "bleu":  # which is 0 for perfect answers of fewer than four words
        perfect = [(accepted[0], accepted) for _, accepted in items]
        assert value_of(metric, perfect) == pytest.approx(metric.highest)
    assert value_of(metric, [(None, accepted) for _, accepted in items]) == metric.lowest


@pytest.mark.parametrize("metric", [m for m in ALL if m.binary], ids=lambda m: m.name)
@settings(deadline=None)
@given(items=ITEMS)
def test_a_binary_metric_is_the_mean_of_zeros_and_ones(metric, items):
    each = [value_of(metric, [item]) for item in items]
    assert set(each) <= {0.0, 1.0}
    assert value_of(metric, items) == pytest.approx(np.mean(each))
