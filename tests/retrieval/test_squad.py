"""On questions of SQuAD the hybrid search finds the document, and no less than words alone do."""

import pytest
from needed import needs

from benchmarks import retrieval, squad

pytestmark = needs(squad.SET)


def test_the_cut_holds_the_documents_of_its_questions():
    work = squad.search(150, 250)
    assert (len(work.queries), len(work.documents)) == (150, 250)
    assert set(work.right) <= {document.id for document in work.documents}
    assert work == squad.search(150, 250)


@pytest.mark.torch
def test_hybrid_search_finds_the_document_and_no_less_than_words_alone():
    _, found = retrieval.ours(questions=150, documents=160, device="cpu")
    recall = found["document_recall"]
    assert recall["hybrid by scores"]["at_1"] >= 0.80
    assert recall["hybrid by scores"]["at_5"] >= 0.93
    for k in ("at_1", "at_5"):
        assert recall["hybrid by scores"][k] >= recall["words"][k]
    assert found["passages"] > 160
