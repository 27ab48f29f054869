"""Copies in the corpus: found with counts and ids, and accepted as evidence."""

import pytest
from sentences import sentences
from task_folder import data, rows, task_text, write

from harness.metrics import find
from harness.metrics.items import items_of
from harness.task import load_task
from harness.task.audit.copied_documents import copied_documents
from harness.task.audit.search_size import asked_for_too_many
from harness.types import Document, Prediction, TaskInfo

REFUND = "Refund rules. Money goes back within ten days."
INFO = TaskInfo("small", "Answer.", "text", {}, 16, (), None, None)


def page(name, text=REFUND, title=None):
    return Document(name, name.rsplit("/", 1)[-1] if title is None else title, text)


def test_the_same_page_twelve_times_is_one_finding(tmp_path):
    (tmp_path / "docs").mkdir()
    for number in range(12):
        (tmp_path / f"docs/copy{number:02}.md").write_text(REFUND)
    (tmp_path / "docs/fee.md").write_text("The fee is four euros.")
    path = write(tmp_path, task_text(data=data(corpus="docs")), test_jsonl=rows("test", 6))
    (found,) = sentences(load_task(path).data.findings)
    assert found.startswith(
        "11 of 13 documents say the same as another (copy00 = copy01 = copy02 = 9 more): "
    )


@pytest.mark.parametrize(
    ("one", "other", "copies"),
    [
        (page("a"), page("b"), True),
        (page("a"), page("en/a"), True),
        (page("a"), page("b", "Refund rules.  Money goes\n back within ten days.\n"), True),
        (page("a", title="Rules"), page("b", title="Rules"), True),
        (page("a", title="In Germany"), page("b", title="In France"), False),
        (page("a"), page("b", REFUND.lower()), False),  # told by `check --deep`
        (page("a"), page("b", REFUND + " Page 1"), False),
        (page("a", "-5"), page("b", "5"), False),
    ],
)
def test_copies_say_the_same_but_for_blanks_and_file_names(one, other, copies):
    assert (one.content == other.content) is copies
    assert bool(list(copied_documents([one, other]))) is copies


def test_of_many_copied_texts_some_are_named():
    documents = [page(f"{text}-{copy}", f"text {text}") for text in range(5) for copy in range(2)]
    (found,) = copied_documents(documents)
    assert found.text.startswith(
        "5 of 10 documents say the same as another (0-0 = 0-1; 1-0 = 1-1; 2-0 = 2-1; and 2 more"
        " texts): "
    )


def scored(metric, cited, evidence):
    documents = {
        d.id: d for d in (page("copy0"), page("copy1"), page("copy2"), page("fee", "Fee."))
    }
    items = items_of(["q"], [Prediction("x", sources=cited)], [("x",)], INFO, documents, [evidence])
    return find(metric).value(items)


@pytest.mark.parametrize(
    ("cited", "evidence", "recall", "mrr"),
    [
        (("copy2",), ("copy0",), 1, 1),
        (("fee", "copy1"), ("copy0",), 0, 1 / 2),
        (("copy0", "copy1", "copy2", "fee"), ("fee",), 0, 1 / 2),  # copies take one place
        (("fee",), ("copy0",), 0, 0),
        (("copy0",), ("copy1", "copy2"), 1, 1),
        (("elsewhere",), ("copy0",), 0, 0),
    ],
)
def test_evidence_is_compared_by_what_documents_say(cited, evidence, recall, mrr):
    assert scored("recall_at_1", cited, evidence) == recall
    assert scored("mrr", cited, evidence) == mrr


LONG = Document("long", "Long", " ".join(f"Rule {n} holds in town." for n in range(40)))
SIZES = {"passage_words": 20, "overlap_words": 5}


@pytest.mark.parametrize(
    ("top_k", "documents", "said"),
    [
        ([1, 1_000_000], [LONG], "rag: top_k of 1000000 is more than the 13 different passages"),
        (1_000_000, [LONG], "rag: top_k of 1000000 is more than the 13 different passages"),
        ([14], [LONG], "rag: top_k of 14 is more than"),
        ([13], [LONG], None),
        ([3], [page("a"), page("b"), page("c")], "rag: top_k of 3 is more than the 1 different"),
        ([5], [], None),  # that there are no documents is told elsewhere
    ],
)
def test_more_passages_than_there_are_is_told(top_k, documents, said):
    found = list(asked_for_too_many({"rag": {"top_k": top_k, **SIZES}}, documents))
    assert len(found) == (said is not None)
    assert said is None or found[0].startswith(said)


def test_a_top_k_of_what_does_not_search_is_its_own_affair():
    assert not list(asked_for_too_many({"own": {"top_k": 9}, "tfidf": {}}, [LONG]))


def test_check_tells_of_a_top_k_that_is_too_large(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(REFUND)
    arms = [{"use": "rag", "top_k": [1000]}]
    path = write(tmp_path, task_text(data=data(corpus="docs"), strategies=arms))
    said = load_task(path).remarks[0].text
    assert said.startswith("rag: top_k of 1000 is more than the 1 different")
