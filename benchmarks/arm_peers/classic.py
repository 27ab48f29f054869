"""Peers without a language model: scikit-learn's union of features, and SetFit."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks.arm_peers.cut import SEED, Answers, Cut, encoder, target


def sklearn_union(cut: Cut) -> Answers:
    """TF-IDF of words and characters beside sentence vectors, under logistic regression.

    The grid of weights and C is searched by five folds over all labelled rows, and the best is
    fitted again on them: scikit-learn's own way (GridSearchCV).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import FunctionTransformer

    encode = encoder(cut)
    known = {text: vector for rows in (cut.labelled, cut.test) for text, vector in encode(rows)}

    def vectors(texts: Sequence[str]) -> Any:
        import numpy as np

        return np.stack([known[text] for text in texts])

    union = FeatureUnion([
        ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
        ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)),
        ("vectors", FunctionTransformer(vectors)),
    ])  # fmt: skip
    grid = {
        "features__transformer_weights": [
            {"words": 1, "characters": 1, "vectors": weight} for weight in (0, 1, 2)
        ],
        "classifier__C": [1, 10, 100, 1000],
    }
    pipeline = Pipeline([("features", union), ("classifier", LogisticRegression(max_iter=2000))])
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    score = "f1_macro" if cut.task["metric"] == "macro_f1" else "accuracy"
    search = GridSearchCV(pipeline, grid, cv=folds, scoring=score)
    search.fit([row["input"] for row in cut.labelled], [target(row) for row in cut.labelled])
    found = search.predict([row["input"] for row in cut.test])
    return list(map(str, found)), json.dumps(search.best_params_)


def setfit(cut: Cut) -> Answers:
    """SetFit (Tunstall et al. 2022, arXiv 2209.11055) at its defaults, at most 1,000 steps."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    from harness.retrieval import DEFAULT_EMBEDDER
    from harness.retrieval.embedder import location

    model = SetFitModel.from_pretrained(str(location(DEFAULT_EMBEDDER)), labels=cut.labels)
    rows = Dataset.from_dict(
        {
            "text": [row["input"] for row in cut.labelled],
            "label": [target(row) for row in cut.labelled],
        }
    )
    steps = 1000
    settings = TrainingArguments(
        batch_size=16,
        num_epochs=1,
        max_steps=steps,
        seed=SEED,
        report_to="none",
        output_dir=tempfile.mkdtemp(),
        save_strategy="no",
    )
    Trainer(model=model, args=settings, train_dataset=rows).train()
    found = model.predict([row["input"] for row in cut.test])
    return list(map(str, found)), f"at most {steps} steps"
