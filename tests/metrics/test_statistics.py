"""Every metric is a sum over items, finished: that is what makes the bootstrap exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import metrics
from harness.errors import UnknownNameError
from harness.metrics import Items

LABELS = ["a", "b", "c"]
DOCUMENTS = {"one": "a b", "two": "c"}
NO_ANSWER = "c"
OF_EACH = settings(max_examples=25)  # times 22 metrics
ALL = [metrics.find(name) for name in metrics.names()]
OF_ANSWERS = [metric for metric in ALL if not metric.needs]
CITED = st.lists(st.sampled_from([*DOCUMENTS, "gone"]), max_size=4).map(tuple)
ITEMS = st.lists(
    st.tuples(
        st.sampled_from([*LABELS, "Answer: a", "b or c", "", None]),
        st.lists(st.sampled_from(LABELS), min_size=1, max_size=2, unique=True).map(tuple),
        st.none() | CITED,
        st.lists(st.sampled_from(list(DOCUMENTS)), max_size=2, unique=True).map(tuple),
    ),
    min_size=1,
    max_size=30,
)


def test_perplexity_counts_a_letter_where_a_script_sets_no_spaces():
    perplexity = metrics.find("perplexity")
    items = Items(["x"] * 2, [("two words",), ("日本",)], log_likelihoods=[-4.0, -6.0])
    assert perplexity.value(items) == pytest.approx(np.exp(10 / 4))


def items_for(metric, rows):
    """Rows as a metric takes them: for one of JSON the same words as fields of objects."""
    texts, targets, sources, evidence = zip(*rows, strict=True) if rows else [[]] * 4
    schema = None
    if metric.answers == {"json"}:
        schema = {"properties": {"x": {"maxLength": 2}}}
        texts = [None if text is None else metrics.written({"x": text}) for text in texts]
        targets = [tuple(metrics.written({"x": t}) for t in accepted) for accepted in targets]
    shown = [tuple(DOCUMENTS[d] for d in cited or () if d in DOCUMENTS) for cited in sources]
    return Items(
        texts,
        targets,
        LABELS,
        sources=sources,
        source_texts=shown,
        evidence=evidence,
        no_answer=NO_ANSWER,
        schema=schema,
        log_likelihoods=[-0.5 * len(text or "") - 1 for text in texts],
    )


def statistics_of(metric, rows):
    return metric.statistics(items_for(metric, rows))


def value_of(metric, rows):
    return metric.value(items_for(metric, rows))


def test_all_metrics_of_the_design_are_here():
    of_choices = {"accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "weighted_f1"}
    of_texts = {"bleu", "chrf", "exact_match", "rouge_l", "token_f1", "grounded"}
    of_texts |= {"verbatim_match", "squad_exact_match", "numeric_match", "numeric_match_any_unit"}
    of_objects = {"field_f1", "json_valid"}
    of_sources = {f"recall_at_{k}" for k in (1, 3, 5, 10)} | {"mrr", "declined_unanswerable"}
    others = {"precision", "recall", "bits_per_byte", "perplexity"} | of_objects | of_sources
    assert set(metrics.names()) == of_choices | of_texts | others
    assert all(metric.summary and "\n" not in metric.summary for metric in ALL)


def test_an_unknown_metric_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'macro_f1'"):
        metrics.find("macrof1")


@pytest.mark.parametrize("metric", ALL, ids=metrics.names())
@settings(OF_EACH)
@given(items=ITEMS, seed=st.integers(0, 2**32))
def test_the_sum_over_any_parts_finishes_to_the_value(metric, items, seed):
    part = np.random.default_rng(seed).integers(0, 3, len(items))
    sums = sum(
        statistics_of(metric, [item for item, p in zip(items, part, strict=True) if p == k]).sum(0)
        for k in range(3)
    )
    assert float(metric.finish(sums)) == pytest.approx(
        value_of(metric, items), abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize("metric", ALL, ids=metrics.names())
@settings(OF_EACH)
@given(items=ITEMS, seed=st.integers(0, 2**32))
def test_counts_times_statistics_are_the_value_of_the_resample(metric, items, seed):
    drawn = np.random.default_rng(seed).integers(0, len(items), (4, len(items)))
    counts = np.stack([np.bincount(row, minlength=len(items)) for row in drawn])
    finished = metric.finish(counts @ statistics_of(metric, items))
    direct = [value_of(metric, [items[i] for i in row]) for row in drawn]
    assert finished == pytest.approx(direct, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("metric", ALL, ids=metrics.names())
@settings(OF_EACH)
@given(items=ITEMS)
def test_values_lie_in_the_range_that_the_metric_states(metric, items):
    of_items = statistics_of(metric, items)
    assert of_items.shape[0] == metric.counted(of_items).shape[0] == len(items)
    value = value_of(metric, items)
    assert np.isnan(value) == (not metric.counted(of_items).any())
    assert np.isnan(value) or metric.lowest <= value <= metric.highest


@pytest.mark.parametrize("metric", OF_ANSWERS, ids=lambda m: m.name)
@settings(OF_EACH)
@given(items=ITEMS)
def test_right_answers_are_worth_most_and_failed_ones_nothing(metric, items):
    # BLEU is 0 for perfect answers of fewer than four words, a match of numbers for other texts.
    if metric.name != "bleu" and not metric.name.startswith("numeric"):
        perfect = [(accepted[0], accepted, *rest) for _, accepted, *rest in items]
        assert value_of(metric, perfect) == pytest.approx(metric.highest)
    failed = [(None, accepted, *rest) for _, accepted, *rest in items]
    assert value_of(metric, failed) == metric.lowest


@pytest.mark.parametrize("metric", [m for m in ALL if m.binary], ids=lambda m: m.name)
@settings(OF_EACH)
@given(items=ITEMS)
def test_a_binary_metric_is_the_mean_of_zeros_and_ones(metric, items):
    each = [value_of(metric, [item]) for item in items]
    each = [value for value in each if not np.isnan(value)]
    assert set(each) <= {0.0, 1.0}
    expected = np.mean(each) if each else np.nan
    assert value_of(metric, items) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("metric", [m for m in ALL if m.binary], ids=lambda m: m.name)
@settings(OF_EACH)
@given(items=ITEMS)
def test_which_items_count_for_a_binary_metric_does_not_hang_on_the_answers(metric, items):
    silent = [(None, accepted, None, evidence) for _, accepted, _, evidence in items]
    of_items, of_silent = statistics_of(metric, items), statistics_of(metric, silent)
    assert np.array_equal(metric.counted(of_items), metric.counted(of_silent))
