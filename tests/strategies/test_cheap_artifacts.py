"""What the cheap arms keep is arrays and JSON, and answers as scikit-learn's own pipeline does."""

from __future__ import annotations

import numpy as np
import pytest
from small_world import context, fit_and_ship, rows

from harness import toolkit


@pytest.mark.parametrize("refit", [True, False])
def test_tfidf_answers_as_the_same_pipeline_of_scikit_learn(tmp_path, refit):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    train = [*rows("train"), *(rows("validation") if refit else ())]
    queries = [row.query.full_text for row in train]
    peer = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        ),
        LogisticRegression(C=10.0, max_iter=2000),
    ).fit(queries, [example.targets[0] for example in train])
    params = {"inverse_regularisation": [10.0], "refit": refit}
    shipped = fit_and_ship("tfidf", params, context(), tmp_path)
    mine = [list(p.label_logprobs.values()) for p in shipped.predict([r.query for r in train])]
    assert np.allclose(mine, peer.predict_log_proba(queries))


def test_no_file_of_an_artifact_can_run_code(tmp_path):
    fit_and_ship("tfidf", {}, context(), tmp_path)
    kept = {path.suffix for path in (tmp_path / "shipped").rglob("*") if path.is_file()}
    assert kept == {".json", ".npz"}


def test_an_array_that_would_run_code_is_refused(tmp_path):
    np.savez(tmp_path / "head.npz", coefficients=np.array([{}], dtype=object), intercepts=0)
    (tmp_path / "head.json").write_text('["a", "b"]')
    with pytest.raises(ValueError, match="pickle"):
        toolkit.load_classifier(tmp_path / "head")
