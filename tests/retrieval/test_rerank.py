"""A cross-encoder is loaded from a folder and orders as transformers itself scores."""

from __future__ import annotations

import pytest

from harness.errors import ModelError
from harness.retrieval.rerank import Reranker

WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "which",
    "bolt",
    "is",
    "loose",
    "bell",
    "rings",
)
QUESTION = "which bolt is loose"
PASSAGES = ("bolt loose", "bell rings", "bell is loose", "which rings")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cross-encoder of one layer and random weights, as a publisher would lay it down."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("reranker")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.3,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)
    return folder


def test_its_scores_order_passages_as_the_models_own_logits_do(folder):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    texts = tokenizer([QUESTION] * len(PASSAGES), list(PASSAGES), padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**texts).logits[:, 0]
    scores = Reranker(str(folder)).scores(QUESTION, PASSAGES)
    assert scores == pytest.approx(torch.sigmoid(logits).tolist(), abs=1e-5)
    assert len(set(scores)) == len(PASSAGES)


@pytest.mark.parametrize(("kind", "labels"), [("BertModel", 1), ("classifier", 3)])
def test_a_model_that_gives_no_single_score_is_refused(folder, tmp_path, kind, labels):
    """An embedder would get a head drawn at random; three labels are no order."""
    import shutil

    from transformers import BertConfig, BertForSequenceClassification, BertModel

    shutil.copytree(folder, tmp_path / "model")
    config = BertConfig.from_pretrained(folder, num_labels=labels)
    made = BertModel if kind == "BertModel" else BertForSequenceClassification
    made(config).save_pretrained(tmp_path / "model")
    with pytest.raises(ModelError, match="is no cross-encoder that gives one score"):
        Reranker(str(tmp_path / "model"))


def test_a_passage_longer_than_its_window_is_cut_and_scored(folder):
    (score,) = Reranker(str(folder)).scores(QUESTION, ["bolt " * 500])
    assert 0 < score < 1


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"reranking model .* cannot be loaded"):
        Reranker(str(tmp_path))
