"""What embedding texts, tuning an embedding model and searching take."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.lm.sizing.footprint import FLOAT32_BYTES
from harness.lm.sizing.token_count import CHARACTERS
from harness.plan.demand import MEBIBYTE, Demand, Span, reading_s, total_span
from harness.plan.target_machine import Place
from harness.retrieval.embedder import TEXTS_AT_ONCE, location
from harness.retrieval.vector_index import building_bytes, index_bytes, kind_for
from harness.workload import Embedding, Indexing

FIRST_CALL_BYTES = 80 * MEBIBYTE
"""What a process grows by when sentence-transformers embeds its first text (measured)."""
HEAP_TIMES = 2.3
"""On a CPU a batch is measured to take so many times one layer's activations: glibc keeps what is
freed between layers (25 to 55 KB a token of all-MiniLM-L6-v2, over four sets of texts)."""
LONGEST = 512
"""Tokens that an embedding model reads, where its folder does not say."""
TEXT_S = (0.1e-3, 2e-3)
"""What a text costs beside the model's products: tokenizing, batching. An estimate."""
WORD_BYTES = 30
"""What BM25 keeps for a word of a text: a score, a place, and Python's objects for rare words. An
estimate."""
CUT_WORD_BYTES = 65
"""What a word of a text takes while texts are indexed by words: a string of Python's, and its place
in a list. An estimate."""
PASSAGE_BYTES = 500
"""What Python keeps for a passage beside its text: objects and their fields. An estimate."""
PASSAGE_S = (1e-5, 1e-3)
"""What entering a passage into an index takes. An estimate."""
STEP_S = (0.02, 0.2)
"""What a step of tuning costs beside its products: batching, the update. An estimate."""


@dataclass(frozen=True)
class Encoder:
    """An embedding model that is not loaded."""

    weights: int
    computed: int
    layers: int
    hidden: int
    intermediate: int
    longest: int
    stored_bytes: int


@cache
def encoder(name: str) -> Encoder | None:
    """Count an embedding model, or return None where it is not on this machine."""
    import torch
    from transformers import AutoConfig, AutoModel

    folder = Path(location(name))
    if not (folder / "config.json").is_file():
        return None
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with torch.device("meta"):
        model = AutoModel.from_config(config, trust_remote_code=False)
    sizes = [weight.numel() for weight in model.parameters()]
    outside = model.get_input_embeddings().weight.numel()
    limits = folder / "sentence_bert_config.json"
    said = json.loads(limits.read_text()) if limits.is_file() else {}
    return Encoder(
        weights=sum(sizes),
        computed=sum(sizes) - outside,
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=getattr(config, "intermediate_size", 4 * config.hidden_size),
        longest=said.get("max_seq_length") or LONGEST,
        stored_bytes=sum(sizes) * FLOAT32_BYTES,
    )


def embedding(work: Embedding, place: Place) -> Demand:
    """Return what reading texts takes, and tuning the reader if it is tuned."""
    model = encoder(work.embedder)
    libraries = frozenset({"torch", "transformers", "sentence_transformers", "faiss"})
    if model is None:
        return Demand(
            libraries, working_bytes=None, wall_s=None, unknown=(_missing(work.embedder),)
        )
    lengths = sorted(_tokens(text, model) for text in work.texts)
    widest = max(
        (
            sum(lengths[start : start + TEXTS_AT_ONCE])
            for start in range(0, len(lengths), TEXTS_AT_ONCE)
        ),
        default=0,
    )
    layer = (8 * model.hidden + model.intermediate) * FLOAT32_BYTES
    heap = place.device == "cpu"
    working = int(widest * layer * (HEAP_TIMES if heap else 1)) + heap * FIRST_CALL_BYTES
    wall: Span | None
    if work.epochs:
        working += _tuning_bytes(work, model, lengths)
        wall = _tuning_s(work, model, place, sum(lengths))
    else:
        wall = _reading_s(model, place, sum(lengths), len(lengths))
    return Demand(
        libraries=libraries,
        kept={work.embedder: model.weights * FLOAT32_BYTES},
        working_bytes=working,
        staying_bytes=working if heap else 0,
        wall_s=wall,
        loading_s={work.embedder: reading_s(model.stored_bytes)},
    )


def indexing(work: Indexing) -> Demand:
    """Return what an index keeps in main memory, and what stands beside it while it is made."""
    model = encoder(work.embedder)
    if model is None:
        missing = (_missing(work.embedder),)
        return Demand(frozenset({"faiss"}), working_bytes=None, wall_s=None, unknown=missing)
    n = len(work.texts)
    dimensions, kind = model.hidden, kind_for(n)
    characters = sum(map(len, work.texts))
    words = characters // (CHARACTERS + 1) if work.words else 0
    making = building_bytes(n, dimensions, kind) + CUT_WORD_BYTES * words
    texts = 2 * characters + PASSAGE_BYTES * n  # the passages themselves, as Python keeps them
    return Demand(
        libraries=frozenset({"faiss"}),
        kept={"index": index_bytes(n, dimensions, kind) + WORD_BYTES * words + texts},
        working_bytes=making if work.made else 0,
        wall_s=(n * PASSAGE_S[0], n * PASSAGE_S[1]),
    )


def _missing(embedder: str) -> str:
    return f"the embedding model '{embedder}' is not on this machine, so nothing of it is counted"


def _tokens(text: str, model: Encoder) -> int:
    return min(model.longest, 2 + len(text) // CHARACTERS)


def _reading_s(model: Encoder, place: Place, tokens: int, texts: int) -> Span | None:
    span = place.span_s(2 * model.computed * tokens, "forward")
    return total_span([span, (TEXT_S[0] * texts, TEXT_S[1] * texts)])


def _tuning_bytes(work: Embedding, model: Encoder, lengths: list[int]) -> int:
    """Return gradients, AdamW's moments, the best weights, and a batch's activations."""
    batch = sum(lengths[-work.batch_size :])
    layers = model.layers * (12 * model.hidden + 4 * model.intermediate) * FLOAT32_BYTES
    return model.weights * FLOAT32_BYTES * 4 + batch * layers


def _tuning_s(work: Embedding, model: Encoder, place: Place, tokens: int) -> Span | None:
    """Return the time from the earliest stop there can be to all epochs."""
    trained = place.span_s(6 * model.computed * tokens, "training")
    seen = sum(_tokens(text, model) for text in work.held_out)
    watched = _reading_s(model, place, seen, len(work.held_out))
    if trained is None or watched is None:
        return None
    steps = -(-len(work.texts) // max(1, work.batch_size))
    first_stop = min(work.epochs, 1 + work.patience) if work.held_out else work.epochs
    low, high = (trained[i] + watched[i] + STEP_S[i] * steps for i in (0, 1))
    return first_stop * low, work.epochs * high
