"""What answers cite, whether they keep to it, and whether they decline where nothing is known."""

import math

import pytest

from harness.metrics import Items, find

DOCUMENTS = {"oil": "Change the oil every 5,000 km.", "tyres": "Tyres: 2.4 bar, cold."}


def ranked(sources, evidence):
    texts, targets = ["x"] * len(sources), [("x",)] * len(sources)
    return Items(texts, targets, sources=sources, evidence=evidence)


def test_mrr_is_wikipedias_example():
    """Mean reciprocal rank, the article's example: cats at 3, tori at 2, viruses at 1."""
    proposed = [("catten", "cati", "cats"), ("torii", "tori", "toruses"), ("viruses", "virii")]
    right = [("cats",), ("tori",), ("viruses",)]
    assert find("mrr").value(ranked(proposed, right)) == pytest.approx(11 / 18)


@pytest.mark.parametrize(("depth", "share"), [(1, 1 / 3), (3, 1), (5, 1), (10, 1)])
def test_recall_grows_with_the_depth(depth, share):
    cited = [("c", "b", "a"), ("b", "a"), ("a",)]
    assert find(f"recall_at_{depth}").value(ranked(cited, [("a",)] * 3)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("cited", "evidence", "recall", "mrr"),
    [
        (("b", "b", "b", "a"), ("a",), 1, 1 / 2),  # one document takes one place
        (("b", "c", "d", "a"), ("a",), 0, 1 / 4),
        (("b", "a"), ("a", "b"), 1, 1),  # any of the evidence will do
        ((), ("a",), 0, 0),
        (None, ("a",), 0, 0),
        (("b",), ("a",), 0, 0),
    ],
)
def test_distinct_documents_are_ranked(cited, evidence, recall, mrr):
    items = ranked([cited], [evidence])
    assert find("recall_at_3").value(items) == recall
    assert find("mrr").value(items) == pytest.approx(mrr)


@pytest.mark.parametrize("name", ["recall_at_3", "mrr"])
def test_items_without_evidence_do_not_count(name):
    metric = find(name)
    items = ranked([("a",), ("b",), ("a",)], [("a",), (), ("b",)])
    assert metric.value(items) == 1 / 2
    assert metric.counted(metric.statistics(items)).tolist() == [True, False, True]
    assert math.isnan(metric.value(ranked([("a",)], [()])))


def grounded(text, *cited, no_answer=None):
    shown = tuple(DOCUMENTS[one] for one in cited)
    items = Items([text], [("x",)], source_texts=[shown], no_answer=no_answer)
    return find("grounded").value(items)


@pytest.mark.parametrize(
    ("text", "cited", "share"),
    [
        ("Every 5000 km.", ["oil"], 1),  # "5,000" is "5000" by SQuAD's normalisation
        ("Change it every 5,000 miles", ["oil"], 3 / 5),
        ("2.4 bar, and the oil every 5,000 km", ["oil"], 4 / 7),
        ("2.4 bar, and the oil every 5,000 km", ["oil", "tyres"], 6 / 7),
        ("oil oil petrol", ["oil"], 2 / 3),
        ("petrol", ["oil"], 0),
    ],
)
def test_the_share_of_words_that_stand_in_the_documents_cited(text, cited, share):
    assert grounded(text, *cited) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "document", "share"),
    [
        ("Каждые 5000 км.", "Меняйте масло каждые 5000 км.", 1),
        ("Каждые 9000 км.", "Меняйте масло каждые 5000 км.", 2 / 3),
        ("每五千公里。", "请每五千公里更换机油。", 1),
        ("每九千公里", "请每五千公里更换机油。", 4 / 5),
    ],
)
def test_words_of_every_script_are_found(text, document, share):
    items = Items([text], [("x",)], source_texts=[(document,)])
    assert find("grounded").value(items) == pytest.approx(share)


def test_a_failed_answer_is_worth_nothing():
    assert grounded(None, "oil") == 0


@pytest.mark.parametrize("text", ["", "the", "Not in the handbook!"])
def test_what_answers_nothing_is_neither_grounded_nor_not(text):
    assert math.isnan(grounded(text, "oil", no_answer="not in the handbook"))


def test_an_answer_that_cites_nothing_is_neither_grounded_nor_not():
    assert math.isnan(grounded("Every 5,000 km"))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("not in the handbook", 1),
        ("Not in the handbook.", 1),
        ("That is not in the handbook", 0),  # the instruction says: exactly
        ("5,000 km", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_a_question_without_an_answer_is_declined_by_the_phrase_alone(text, share):
    phrase = "not in the handbook"
    items = Items([text, phrase], [(phrase,), ("5,000 km",)], no_answer=phrase)
    assert find("declined_unanswerable").value(items) == share


def test_without_such_questions_nothing_can_be_declined():
    items = Items(["none", "x"], [("x",), ("y",)], no_answer="none")
    assert math.isnan(find("declined_unanswerable").value(items))
    assert math.isnan(find("declined_unanswerable").value(Items(["x"], [("",)])))
