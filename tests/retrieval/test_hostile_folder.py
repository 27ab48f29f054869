"""A folder of an embedding model or a reranker is data: code that it names is not run."""

from __future__ import annotations

import json

import pytest

from harness.errors import ModelError
from harness.retrieval.embedder import Embedder
from harness.retrieval.rerank import Reranker

pytestmark = pytest.mark.torch  # nothing less than the library itself resolves a module's class


@pytest.mark.parametrize("named", ["evil.Evil", "evil_on_path.Evil"])
@pytest.mark.parametrize("kind", [Embedder, Reranker])
def test_a_module_that_a_folder_names_is_not_imported(tmp_path, monkeypatch, named, kind):
    canary = tmp_path / "canary"
    folder = tmp_path / "model"
    folder.mkdir()
    for file in (folder / "evil.py", tmp_path / "evil_on_path.py"):
        file.write_text(f"open({str(canary)!r}, 'w').close()\nclass Evil: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = {"idx": 0, "name": "0", "path": "", "type": named}
    (folder / "modules.json").write_text(json.dumps([module]))
    (folder / "config_sentence_transformers.json").write_text("{}")
    (folder / "config.json").write_text(
        json.dumps({"model_type": "bert", "auto_map": {"AutoModel": "evil.Evil"}})
    )
    with pytest.raises(ModelError, match="cannot be loaded"):
        kind(str(folder))
    assert not canary.exists()
