"""The retriever: the right passages, never a forbidden one, never the question itself."""

import shutil

import pytest
from letters import Letters

from harness.errors import StrategyError
from harness.retrieval import RetrievalParams, Retriever
from harness.retrieval import retriever as retriever_module
from harness.types import Document, Query

WAYS = [{"hybrid": False}, {"fusion": "scores"}, {"fusion": "ranks"}]
BOLT = Document("bolt", "Bolt", "The bolt of the bike is loose.")
BELL = Document("bell", "Bell", "Ring, ring: that is how it sounds.")
SHOP = Document("shop", "Shop", "We open at nine.")


@pytest.fixture(autouse=True)
def letters(monkeypatch):
    monkeypatch.setattr(retriever_module, "Embedder", Letters)


def build(*documents, **params):
    noted = []
    found = Retriever.build(
        documents,
        RetrievalParams(**params),
        "cpu",
        note=lambda kind, text: noted.append((kind, text)),
        log=lambda **numbers: noted.append(numbers),
    )
    found.noted = noted
    return found


def ids(retriever, text, k=5, groups=(), query_id="q"):
    (hits,) = retriever.search([Query(query_id, text, groups=groups)], k)
    return [hit.passage.document_id for hit in hits]


@pytest.mark.parametrize("way", WAYS)
def test_the_best_passage_is_first_and_scores_fall(way):
    retriever = build(BOLT, BELL, SHOP, **way)
    (hits,) = retriever.search([Query("q", "a loose bolt of a bike")], 3)
    assert hits[0].passage.document_id == "bolt"
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_many_queries_are_answered_in_their_order():
    retriever = build(BOLT, BELL, SHOP)
    queries = [Query("1", "ring the bell"), Query("2", "loose bolt"), Query("3", "open shop")]
    assert [hits[0].passage.document_id for hits in retriever.search(queries, 1)] == [
        "bell",
        "bolt",
        "shop",
    ]
    assert retriever.search([], 1) == []


@pytest.mark.parametrize("way", WAYS)
def test_fields_that_a_query_shows_are_searched_too(way):
    retriever = build(BOLT, BELL, SHOP, **way)
    bare, shown = Query("q", "which one?"), Query("q", "which one?", fields={"part": "loose bolt"})
    found = [retriever.search([query], 1)[0][0].passage.document_id for query in (bare, shown)]
    assert found[1] == "bolt" != found[0]


def test_what_was_built_is_noted():
    assert build(BOLT, BELL, passage_words=4, overlap_words=0).noted == [
        {"embedded": 4, "passages": 4},
        ("index", "4 passages of 2 documents, exact vectors (0 KiB)"),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_forbidden_documents_take_no_place(way):
    secret = [Document(f"s{i}", "", f"loose bolt of the bike {i}", ("hr",)) for i in range(100)]
    mine = [Document(f"m{i}", "", f"zebra quiz {'x' * i}", ("it",)) for i in range(5)]
    retriever = build(*secret[:50], *mine, *secret[50:], **way)
    wanted = "a loose bolt of the bike"
    assert sorted(ids(retriever, wanted, 5, ("it",))) == ["m0", "m1", "m2", "m3", "m4"]
    assert {name[0] for name in ids(retriever, wanted, 5, ("hr",))} == {"s"}
    assert len(ids(retriever, wanted, 200, ("it", "hr", "unknown"))) == 105
    assert ids(retriever, wanted, 5) == []


def test_an_empty_list_of_groups_is_nobody_and_none_is_everybody():
    closed = Document("closed", "", "bolt bolt", ())
    retriever = build(closed, Document("open", "", "bolt"), Document("it", "", "a bolt", ("it",)))
    assert ids(retriever, "the bolt") == ["open"]
    assert sorted(ids(retriever, "the bolt", groups=("it",))) == ["it", "open"]


@pytest.mark.parametrize("way", WAYS)
def test_a_row_never_retrieves_itself_by_id_or_by_words(way):
    retriever = build(
        BOLT, BELL, SHOP, Document("copy", "", "THE  bolt of the bike\nis loose."), **way
    )
    assert sorted(ids(retriever, "RING,\n ring:", query_id="bell")) == ["bolt", "copy", "shop"]
    # An id alone says nothing: documents and questions may both be numbered from 1.
    every = ["bell", "bolt", "copy", "shop"]
    for asked in ("that is how it sounds", "ring: that", "it", "", "?!"):
        assert sorted(ids(retriever, asked, query_id="bell")) == every
    assert sorted(ids(retriever, BOLT.text, query_id="bell")) == ["bell", "shop"]
    assert sorted(ids(retriever, BOLT.text)) == ["bell", "shop"]


@pytest.mark.parametrize(
    "text", ["First it rang. Then it broke! So I left.", "你好。再见。完。", "# H\nx y z"]
)
def test_a_row_that_was_cut_does_not_retrieve_its_parts(text):
    row = Document("row", "", text)
    retriever = build(row, BELL, passage_words=3, overlap_words=1)
    assert set(ids(retriever, text, 50)) == {"bell"}


def test_a_document_that_goes_on_after_a_long_row_with_its_id_is_not_found_by_it():
    row = "First it rang. Then it broke! So I left"
    document = Document("row", "", f"{row}. The answer is no.")
    retriever = build(document, BELL, passage_words=4, overlap_words=1)
    assert set(ids(retriever, row, 50, query_id="row")) == {"bell"}
    assert set(ids(retriever, f"It rang. {row}", 50, query_id="row")) == {"row", "bell"}


@pytest.mark.parametrize("way", WAYS)
def test_fewer_passages_than_asked_for_are_all_there_are(way):
    assert sorted(ids(build(BOLT, BELL, **way), "the bolt rings", k=50)) == ["bell", "bolt"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", ["👍👍", "", "  ", "?!", "unknownword"])
def test_a_question_without_known_words_is_answered_by_meaning_alone(way, text):
    assert sorted(ids(build(BOLT, BELL, SHOP, **way), text)) == ["bell", "bolt", "shop"]


@pytest.mark.parametrize("way", WAYS)
def test_documents_of_emoji_alone_are_found(way):
    retriever = build(Document("up", "", "👍"), Document("down", "", "👎 …"), **way)
    assert sorted(ids(retriever, "thumbs")) == ["down", "up"]


@pytest.mark.parametrize("documents", [[], [Document("e", "Title", " \n")]])
def test_documents_without_text_are_refused(documents):
    with pytest.raises(StrategyError, match=r"no text to search → check `data\.corpus`"):
        build(*documents)


@pytest.mark.parametrize("way", WAYS)
def test_a_saved_index_finds_the_same_in_another_folder(tmp_path, way):
    odd = Document("odd\u2028id", "a\x85b", "line\u2028separator 充电 👍", ("it",))
    retriever = build(BOLT, BELL, SHOP, odd, **way)
    (tmp_path / "first").mkdir()
    retriever.save(tmp_path / "first" / "index")
    shutil.move(tmp_path / "first", tmp_path / "second")
    loaded = Retriever.load(tmp_path / "second" / "index", RetrievalParams(**way), "cpu")
    assert list(loaded.passages) == list(retriever.passages)
    for query in (Query("q", "loose bolt"), Query("shop", "充电", groups=("it",)), Query("q", "")):
        assert loaded.search([query], 3) == retriever.search([query], 3)


def test_a_reranker_orders_what_was_found_and_leaves_nothing_out(monkeypatch):
    class Longest:
        def __init__(self, name, device):
            assert (name, device) == ("some/model", "cpu")

        reads = 30

        def scores(self, query, texts):
            return [float(len(text)) for text in texts]

    monkeypatch.setattr(retriever_module, "Reranker", Longest)
    documents = [Document(f"d{i}", "", f"bolt {'x' * i}") for i in range(50)]
    retriever = build(*documents, reranker="some/model")
    assert ids(retriever, "bolt", k=40)[0] != "d0"
    assert len(ids(retriever, "bolt", k=40)) == 40
    lengths = [int(name[1:]) for name in ids(retriever, "bolt", k=5)]
    assert lengths == sorted(lengths, reverse=True)


def test_what_an_approximate_index_did_not_find_is_left_out(monkeypatch):
    retriever = build(BOLT, BELL, SHOP, hybrid=False)
    places, cosines = retriever.vectors.search(Letters().embed(["bolt"]), 3)
    places[0, 1:] = -1
    monkeypatch.setattr(retriever.vectors, "search", lambda *_: (places, cosines))
    assert len(ids(retriever, "bolt", k=3)) == 1


@pytest.mark.parametrize("changes", [{"passage_words": 0}, {"overlap_words": -1}, {"fusion": "x"}])
def test_wrong_parameters_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        RetrievalParams(**changes)


COPIES = [Document(f"copy{n}", f"copy{n}", "The bolt of the bike  is loose.") for n in range(12)]


@pytest.mark.parametrize("way", WAYS)
def test_copies_take_one_place_among_the_passages(way):
    retriever = build(*COPIES, BELL, SHOP, **way)
    assert ids(retriever, "a loose bolt of a bike, ring at nine", 3).count("copy0") == 1
    assert sorted(ids(retriever, "a loose bolt of a bike, ring at nine", 3)) == [
        "bell",
        "copy0",
        "shop",
    ]
    assert any(
        "3 passages of 14 documents (11 copies left out)" in str(one) for one in retriever.noted
    )


def test_a_shared_footer_takes_one_place():
    documents = [
        Document(f"p{n}", f"p{n}", f"# Page {n}\n\nWord{n}.\n\n# Contact\n\nRing the bell.")
        for n in range(5)
    ]
    found = ids(build(*documents), "ring the bell", 6)
    assert len(found) == 6
    assert found.count("p0") == 2


def test_the_same_words_under_other_headings_or_titles_are_other_passages():
    documents = [Document(f"d{n}", f"Land {n}", "Within ten days.") for n in range(3)]
    documents.append(Document("h", "h", "# Fees\n\nNone.\n\n# Limits\n\nNone."))
    assert len(ids(build(*documents), "within ten days", 9)) == 5


def test_of_copies_for_different_groups_everybody_finds_the_one_they_may_read():
    staff, board, both = (
        Document(name, name, "The bolt of the bike is loose.", allow)
        for name, allow in (("staff", ("staff",)), ("board", ("board",)), ("more", ("staff",)))
    )
    retriever = build(staff, board, both, SHOP)
    assert ids(retriever, "loose bolt", 2) == ["shop"]
    assert ids(retriever, "loose bolt", 2, groups=("board",)) == ["board", "shop"]
    assert ids(retriever, "loose bolt", 3, groups=("board", "staff")) == ["staff", "shop"]


def test_an_open_copy_stands_for_a_closed_one():
    closed = Document("closed", "closed", SHOP.text, ("staff",))
    public = Document("public", "public", SHOP.text)
    retriever = build(closed, public)
    assert ids(retriever, "open at nine") == ["public"]
    assert ids(retriever, "open at nine", groups=("staff",)) == ["public"]


def test_a_row_whose_document_is_a_copy_does_not_retrieve_itself(tmp_path):
    rows = [Document(f"r{n}", f"r{n}", "Is the bolt loose? Yes.") for n in range(3)]
    retriever = build(*rows, SHOP)
    retriever.save(tmp_path / "index")
    loaded = Retriever.load(tmp_path / "index", RetrievalParams(), "cpu")
    for one in (retriever, loaded):
        assert ids(one, "Is the bolt loose?", query_id="r2") == ["shop"]
