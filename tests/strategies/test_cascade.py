"""The cascade on hand-made parts: its threshold, its curve, what it refuses and what it costs."""

from __future__ import annotations

import json
from dataclasses import replace
from math import log

import pytest
from small_world import context, rows

from harness.errors import StrategyError
from harness.metrics.items import right_choices
from harness.toolkit.charges import with_earlier
from harness.types import Endpoint, ModelRef, Prediction
from strategies.cascade import NEVER, ROUNDING, Cascade, thresholds

TOKENS = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 2.0}
HOSTED = ModelRef("far", "http://x/v1", hosted=Endpoint("openai", **TOKENS))


class ByHand:
    """A part with an answer to each word."""

    replays = False

    def __init__(self, answers):
        self.answers, self.asked, self.fits = answers, [], 0

    def fit(self, train, validation, artifact):
        self.fits += 1

    def load(self, artifact):
        pass

    def predict(self, queries):
        self.asked += [query.text for query in queries]
        return [self.answers[query.text] for query in queries]


def sure(text, probability, **more):
    return Prediction(text, {"sky": log(probability), "sea": log(1.0 - probability)}, **more)


# Of rows("validation"), cloud, bird and star are in the sky, wave, fish and ship in the sea.
CHEAP = {
    "cloud": sure("Sky.", 0.9),  # right, as metrics read it
    "bird": sure("sky", 0.8),
    "star": sure("sea", 0.7),
    "wave": Prediction("sea", {"sea": log(0.6), "sky": log(0.4)}),
    "fish": sure("sky", 0.6),
    "ship": Prediction("", error="too long"),
}
DEAR = {
    **{word: Prediction("sky") for word in ("cloud", "bird", "star", "wave")},
    **{word: Prediction("sea") for word in ("fish", "ship")},
}


def cascade(cheap=CHEAP, dear=DEAR, model=None, **told):
    parts = {"cheap": ByHand(cheap), "dear": ByHand(dear)}
    world = context(model, **told)

    def metric(predictions, examples):
        right = right_choices(predictions, examples, world.task)
        return sum(right) / len(right)

    def build(name, params, role, model=None, *, logprobs=False):
        assert logprobs == (role == "cheap" and "second" not in parts)
        assert name == f"a {role} one"
        return parts[role]

    params = Cascade.Params(cheap="a cheap one", dear="a dear one")
    return Cascade(params, replace(world, build=build, metric=metric)), parts


def fitted(folder, *args, **more):
    made, parts = cascade(*args, **more)
    made.fit(rows("train"), rows("validation"), folder)
    made.load(folder)
    for part in parts.values():
        part.asked.clear()
    return made, parts


def test_thresholds_stand_below_values_that_rounding_tells_apart():
    close = [NEVER, 0.5, 0.5 + ROUNDING, 0.9]
    assert list(thresholds(close)) == pytest.approx([NEVER, 0.5 - ROUNDING, 0.9 - ROUNDING, 2.0])


def test_many_values_close_together_are_not_one_threshold():
    many = [0.9 + place * ROUNDING / 10 for place in range(1_000)]
    tried = list(thresholds(many))
    assert 40 < len(tried) < 60
    assert not set(tried) & set(many)


def test_the_threshold_is_the_lowest_of_the_best_and_the_curve_is_kept(tmp_path):
    logged, notes = [], []
    fitted(tmp_path, logged=logged, notes=notes)
    # threshold, share that the cheap one answers, its wrong ones among those, score of both
    curve = [
        (-1.0, 6 / 6, 3 / 6, 3 / 6),
        (0.6, 5 / 6, 2 / 5, 4 / 6),
        (0.7, 3 / 6, 1 / 3, 4 / 6),
        (0.8, 2 / 6, 0 / 2, 5 / 6),
        (0.9, 1 / 6, 0 / 1, 5 / 6),
        (2.0, 0 / 6, 0.0, 5 / 6),
    ]
    keys = ("threshold", "coverage", "risk", "score")
    assert [row["step"] for row in logged] == [1, 2, 3, 4, 5, 6]
    assert [[row[key] for key in keys] for row in logged] == [
        pytest.approx(row, abs=2e-4) for row in curve
    ]
    assert json.loads((tmp_path / "threshold.json").read_text()) == pytest.approx(0.8, abs=2e-4)
    ((_, said),) = notes
    assert said.endswith("below a probability of 0.800: 4 of 6 validation rows, 0.833")


def test_the_expensive_one_is_asked_where_the_cheap_one_is_not_sure_and_only_there(tmp_path):
    made, parts = fitted(tmp_path)
    answers = made.predict(rows("validation").queries)
    assert [answer.text for answer in answers] == ["Sky.", "sky", "sky", "sky", "sea", "sea"]
    assert parts["dear"].asked == ["star", "wave", "fish", "ship"]
    noted = [answer.notes == ("the expensive one answered",) for answer in answers]
    assert noted == [False, False, True, True, True, True]


def test_what_the_cheap_one_fails_on_is_the_expensive_ones_when_serving_too(tmp_path):
    """Also where it raises, and where the expensive one was no better on validation rows."""
    wrong = {word: Prediction("air") for word in DEAR}
    made, parts = fitted(tmp_path, dear=wrong)
    assert made.threshold > -1
    parts["cheap"].answers = {word: CHEAP[word] for word in CHEAP if word != "ship"}
    answers = made.predict(rows("validation").queries)
    assert [answer.text for answer in answers][-1] == "air"
    assert not answers[-1].error


def test_a_cheap_part_without_probabilities_is_refused_before_the_other_is_trained(
    tmp_path,
):
    made, parts = cascade(cheap=DEAR)
    with pytest.raises(StrategyError, match=r"'a cheap one', gives no probab.* → name one as `ch"):
        made.fit(rows("train"), rows("validation"), tmp_path)
    assert parts["dear"].fits == 0


def test_a_cheap_part_that_only_fails_is_told_from_one_without_probabilities(tmp_path):
    made, _ = cascade(cheap=dict.fromkeys(CHEAP, Prediction("", error="too long")))
    with pytest.raises(StrategyError, match=r"failed on all 6 validation rows, .* too long"):
        made.fit(rows("train"), rows("validation"), tmp_path)


def test_an_expensive_part_that_only_fails_is_not_left_out_in_silence(tmp_path):
    lost = dict.fromkeys(DEAR, Prediction("", error="the file has no answer"))
    made, _ = cascade(dear=lost)
    with pytest.raises(StrategyError, match=r"expensive part .* failed on all 6 .* has no answer"):
        made.fit(rows("train"), rows("validation"), tmp_path)


def paid(text, probability, wall_s, usd, tokens):
    """An answer of a hosted model: tokens of the prompt and of the answer."""
    made = sure(text, probability, wall_s=wall_s, usd=usd, prompt="Where?")
    return replace(made, prompt_tokens=tokens[0], output_tokens=tokens[1])


def test_where_both_parts_are_paid_both_are_counted(tmp_path):
    cheap = {word: paid("sky", 0.6, 1.0, 300e-6, (200, 50)) for word in CHEAP}
    cheap["cloud"] = paid("sky", 0.9, 1.0, 300e-6, (200, 50))
    dear = {word: paid(DEAR[word].text, 0.5, 3.0, 1200e-6, (1000, 100)) for word in DEAR}
    made, _ = fitted(tmp_path, cheap, dear, HOSTED)
    made.threshold = 0.8
    kept, asked = made.predict(rows("validation").queries[:2])
    assert (kept.prompt_tokens, kept.output_tokens, kept.usd) == (200, 50, 300e-6)
    assert (asked.prompt_tokens, asked.output_tokens, asked.wall_s) == (1200, 150, 4.0)
    # The analysis prices tokens anew where it can: 1,200 at $1 and 150 at $2 a million.
    assert HOSTED.hosted.charge_usd(asked) == pytest.approx(1500e-6)
    assert asked.usd == pytest.approx(1500e-6)


@pytest.mark.parametrize("ours", ["cheap", "dear"])
def test_a_part_that_is_not_paid_costs_nothing_beside_one_that_is(tmp_path, ours):
    theirs = {word: paid(DEAR[word].text, 0.6, 3.0, 1200e-6, (1000, 100)) for word in DEAR}
    parts = {"cheap": theirs, "dear": theirs, ours: CHEAP}
    made, _ = fitted(tmp_path, parts["cheap"], parts["dear"], HOSTED)
    made.threshold = 0.95
    for answer in made.predict(rows("validation").queries[:2]):
        assert answer.wall_s == 3.0  # what the other took here the harness adds
        assert answer.usd == pytest.approx(1200e-6)
        assert HOSTED.hosted.charge_usd(answer) == pytest.approx(1200e-6)
    made.threshold = 0.0
    (kept,) = made.predict(rows("validation").queries[:1])
    assert HOSTED.hosted.charge_usd(kept) == (0.0 if ours == "cheap" else pytest.approx(1200e-6))


def test_a_charge_that_one_of_them_does_not_know_is_not_taken_for_nothing(tmp_path):
    known = paid("sky", 0.6, 3.0, 1200e-6, (1000, 100))
    silent = replace(known, usd=None, prompt_tokens=None, output_tokens=None)
    for cheap, dear in ((known, silent), (silent, known)):
        made, _ = fitted(tmp_path, dict.fromkeys(CHEAP, cheap), dict.fromkeys(DEAR, dear), HOSTED)
        made.threshold = 0.95
        (answer,) = made.predict(rows("validation").queries[:1])
        assert (answer.usd, answer.prompt_tokens, answer.wall_s) == (None, None, 6.0)
        made.threshold = 0.0
        (kept,) = made.predict(rows("validation").queries[:1])
        assert kept.usd == cheap.usd


def asked_and_kept(folder, replayed, cheap, dear):
    made, parts = fitted(folder, cheap, dear)
    parts[replayed].replays = True
    made.threshold = 0.85
    kept, asked = made.predict(rows("validation").queries[:2])
    return kept, asked


def test_beside_answers_of_a_file_what_is_made_here_has_its_time_and_the_file_its_price(tmp_path):
    dear = {word: replace(given, usd=0.02) for word, given in DEAR.items()}
    kept, asked = asked_and_kept(tmp_path, "dear", CHEAP, dear)
    assert kept.usd == 0.0
    assert kept.wall_s == 0.0  # nothing elsewhere: what it took here the harness adds
    assert (asked.usd, asked.wall_s) == (0.02, None)  # the file says no time: it is not known


def test_what_a_file_does_not_say_of_the_cheap_answer_is_unknown_of_both(tmp_path):
    kept, asked = asked_and_kept(tmp_path, "cheap", CHEAP, DEAR)
    for answer in (kept, asked):
        assert (answer.usd, answer.wall_s, answer.prompt_tokens) == (None, None, None)


def test_kept_tokens_are_summed_where_a_server_tells_them():
    first, second = Prediction("a", cached_tokens=5, wall_s=1.0), Prediction("b", wall_s=1.0)
    assert with_earlier(first, replace(second, cached_tokens=7)).cached_tokens == 12
    assert with_earlier(first, second).cached_tokens == 5
    assert with_earlier(replace(first, cached_tokens=None), second).cached_tokens is None


@pytest.mark.parametrize("reason", ["stop", "length", None])
def test_an_answer_ended_as_the_part_says_that_gave_it(reason):
    cheap, given = Prediction("a", finish_reason="stop"), Prediction("b", finish_reason=reason)
    assert with_earlier(cheap, given).finish_reason == reason


def test_on_our_machine_an_answer_keeps_the_tokens_of_the_model_that_gave_it():
    given = Prediction("b", prompt_tokens=100, output_tokens=3)
    assert with_earlier(sure("sky", 0.6), given) == given


def written(text, mean, least, **more):
    return Prediction(text, mean_logprob=log(mean), least_logprob=log(least), **more)


# Text answers: sure of the first three on the whole; one token of "bird" is a guess.
CHEAP_TEXTS = {
    "cloud": written("sky", 0.9, 0.8),
    "bird": written("sea", 0.8, 0.1),
    "star": written("sky", 0.7, 0.6),
    "wave": written("sky", 0.3, 0.2),
    "fish": written("sky", 0.2, 0.2),
    "ship": Prediction("sea"),  # nobody says how likely it is
}


@pytest.mark.parametrize(
    ("sure_of", "asked"),
    [
        ("mean", ["bird", "star", "wave", "fish", "ship"]),
        ("least", ["bird", "wave", "fish", "ship"]),
    ],
)
def test_a_written_answer_is_as_sure_as_its_tokens_are_likely(tmp_path, sure_of, asked):
    """By the least of them a guess shows that the mean hides, so more is kept."""
    right = {
        word: Prediction("sky" if word in ("cloud", "bird", "star") else "sea") for word in DEAR
    }
    parts = {"cheap": ByHand(CHEAP_TEXTS), "dear": ByHand(right)}
    world = context(kind="text")
    build = lambda name, params, role, model=None, logprobs=False: parts[role]  # noqa: E731
    params = Cascade.Params(cheap="a cheap one", dear="a dear one", sure_of=sure_of)
    made = Cascade(params, replace(world, build=build))
    made.fit(rows("train"), rows("validation"), tmp_path)
    made.load(tmp_path)
    parts["dear"].asked.clear()
    answers = made.predict(rows("validation").queries)
    assert parts["dear"].asked == asked
    assert [answer.text for answer in answers] == ["sky", "sky", "sky", "sea", "sea", "sea"]


def with_second(folder, cheap, second, dear, kind="text"):
    parts = {"cheap": ByHand(cheap), "second": ByHand(second), "dear": ByHand(dear)}
    world = context(kind=kind)
    build = lambda name, params, role, model=None, logprobs=False: parts[role]  # noqa: E731
    params = Cascade.Params(cheap="a", second="b", dear="c")
    made = Cascade(params, replace(world, build=build))
    made.fit(rows("train"), rows("validation"), folder)
    made.load(folder)
    for part in parts.values():
        part.asked.clear()
    return made, parts


def test_two_cheap_ones_without_probabilities_are_sure_where_they_agree(tmp_path):
    cheap = {word: Prediction("sky") for word in DEAR}
    second = {word: Prediction("The sky." if word == "cloud" else "land") for word in DEAR}
    made, parts = with_second(tmp_path, cheap, second, DEAR)
    answers = made.predict(rows("validation").queries)
    assert parts["dear"].asked == ["bird", "star", "wave", "fish", "ship"]
    assert answers[0].text == "sky"


def test_what_a_second_opinion_cost_is_counted_too(tmp_path):
    cheap = {w: paid("sky", 0.5, 1.0, 1e-3, (10, 1)) for w in DEAR}
    second = {w: paid("sky" if w == "cloud" else "air", 0.5, 2.0, 2e-3, (20, 2)) for w in DEAR}
    dear = {w: paid(DEAR[w].text, 0.5, 3.0, 4e-3, (40, 4)) for w in DEAR}
    made, _ = with_second(tmp_path, cheap, second, dear)
    kept, asked = made.predict(rows("validation").queries[:2])
    assert (kept.usd, kept.wall_s, kept.prompt_tokens) == (pytest.approx(3e-3), 3.0, 30)
    assert (asked.usd, asked.wall_s, asked.output_tokens) == (pytest.approx(7e-3), 6.0, 7)


def test_one_that_failed_agrees_with_nobody(tmp_path):
    failed = {word: Prediction("", error="too long") for word in DEAR}
    cheap = {**failed, "cloud": Prediction("sky")}
    made, parts = with_second(tmp_path, cheap, cheap, DEAR)
    made.predict(rows("validation").queries)
    assert "cloud" not in parts["dear"].asked


SAME = [
    {"cheap": "tfidf", "dear": "tfidf"},
    {"cheap": {"use": "zero_shot", "model": "one"}, "dear": {"use": "zero_shot", "model": "one"}},
    {"cheap": "tfidf", "second": "tfidf", "dear": "lora"},
    {"cheap": "tfidf", "second": "lora", "dear": {"use": "lora"}},
]


@pytest.mark.parametrize("params", SAME)
def test_parts_that_are_the_same_are_refused(params):
    with pytest.raises(ValueError, match=r"are the same .* → name another strategy or model"):
        Cascade.Params(**params)


def test_one_strategy_with_two_models_is_two_parts():
    far = {"provider": "openai", "base_url": "http://x/v1", "model": "far"}
    params = Cascade.Params(cheap="zero_shot", dear={"use": "zero_shot", "model": far})
    assert [part.model for part in Cascade.parts(params)] == [None, far]
