"""Tune on the documents themselves: what many think fine-tuning is for.

Ovadia et al. 2023 (arXiv 2312.05934) find that it teaches facts worse than retrieval does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from harness import (
    Estimate,
    Prediction,
    Prompt,
    Prospect,
    Query,
    Split,
    Strategy,
    lm,
    retrieval,
    toolkit,
)
from harness.toolkit.prompts import full_prompt, training_pairs
from harness.workload import Answering


class CorpusTuning(Strategy):
    """LoRA on the documents as running text, then zero-shot's prompt without any document."""

    answers = frozenset({"choice", "text", "json"})
    needs_corpus = True
    needs_model = True
    learns = "weights"
    complexity = 4
    provides = frozenset({"offline"})

    class Params(toolkit.LoraParams):
        """Defaults that let the documents be read several times."""

        passage_words: int = Field(300, gt=0)
        """Words of a document that are read as one text."""
        learning_rate: float = Field(2e-4, gt=0)
        """LoRA's for continued pretraining (Biderman et al. 2024, arXiv 2405.09673)."""

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows to stop on."""
        return super().needs(params) | {"validation"}

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the tuning on passages, and zero-shot's prompts."""
        task = prospect.task
        passages = retrieval.cut(prospect.documents, params.passage_words, 0)
        texts = [("", passage.headed_text) for passage in passages]
        held_out = training_pairs(task, prospect.validation, "full")
        adapter = toolkit.lora_adapter(params)
        learning = toolkit.tuning(params, adapter, texts, held_out, prospect)
        prompts = [full_prompt(task, query) for query in prospect.queries]
        return Estimate(fit=(learning,), serve=(Answering(prompts, task),))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train on all documents; the best weights by validation loss of answering are kept."""
        task, params = self.context.task, self.params
        passages = retrieval.cut(self.context.documents, params.passage_words, 0)
        model = lm.open_trainable(self.context, toolkit.lora_adapter(params))
        texts = [passage.headed_text for passage in passages]
        toolkit.learn_texts(
            model, self.context, params, texts, training_pairs(task, validation, "full")
        )
        lm.save_trained(model, artifact, self.context.dtype)

    def load(self, artifact: Path) -> None:
        """Load the model and merge the adapter into it."""
        adapter = toolkit.lora_adapter(self.params)
        self.model = lm.open_trained(self.context, adapter, artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query from the instruction alone."""
        task = self.context.task
        return toolkit.answer(self.model, [full_prompt(task, query) for query in queries], task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
