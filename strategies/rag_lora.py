"""Tune low-rank adapters to answer from retrieved passages (Zhang et al. 2024, RAFT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import Field

from harness import (
    Estimate,
    Floor,
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
from harness.toolkit.prompts import Shown, under_passages
from harness.workload import Answering


class RagLora(Strategy):
    """LoRA on questions under the passages found for them; served with passages as well."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_corpus = True
    needs_model = True
    learns = "weights"
    complexity = 5
    provides = frozenset({"citations", "offline"})

    class Params(toolkit.LoraParams, retrieval.RetrievalParams):
        """LoRA's and retrieval's, and how many passages are shown."""

        top_k: int = Field(3, gt=0)

    @classmethod
    def floors(cls, params: Params) -> tuple[Floor, ...]:
        """Be no worse than a sentence of what it is shown."""
        same = {name: getattr(params, name) for name in retrieval.RetrievalParams.model_fields}
        what = "the best retrieved sentence"
        return (Floor("retrieve", same, what, "its training does not work here"),)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare index, tuning and answering; any passages stand for those that will be found."""
        if params.reranker is not None:
            return Estimate()  # of a cross-encoder nothing is known before it is loaded
        texts, built, searched = retrieval.search_work(params, prospect)

        def asked(queries: Sequence[Query]) -> list[str]:
            found = partial(retrieval.any_passages, texts, params.top_k)
            return [under_passages(Shown(query, found(n))) for n, query in enumerate(queries)]

        rows = [
            [(prompt, row.targets[0]) for prompt, row in zip(asked(s.queries), s, strict=True)]
            for s in (prospect.train, prospect.validation)
        ]
        adapter = toolkit.lora_adapter(params)
        learning = toolkit.tuning(params, adapter, rows[0], rows[1], prospect)
        answering = Answering(asked(prospect.queries), prospect.task)
        return Estimate(fit=(*built, learning), serve=(*searched, answering))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Index the documents, then train on questions under what is found for them."""
        context = self.context
        self.retriever = retrieval.Retriever.build(
            context.documents, self.params, context.device, context.note, context.log
        )
        self.retriever.save(artifact / "index")
        self.model = lm.open_trainable(context, toolkit.lora_adapter(self.params))
        rows = [self._pairs(split) for split in (train, validation)]
        toolkit.learn(self.model, context, self.params, *rows)
        lm.save_trained(self.model, artifact / "adapter", context.dtype)

    def load(self, artifact: Path) -> None:
        """Read the index, load the model and merge the adapter into it."""
        folder, context = artifact / "index", self.context
        self.retriever = retrieval.Retriever.load(folder, self.params, context.device, context.note)
        adapter = toolkit.lora_adapter(self.params)
        self.model = lm.open_trained(self.context, adapter, artifact / "adapter")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query from the passages found for it."""
        asked = self._asked(queries)
        answers = toolkit.answer(self.model, [prompt for prompt, _ in asked], self.context.task)
        return [
            replace(answer, sources=sources)
            for answer, (_, sources) in zip(answers, asked, strict=True)
        ]

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)

    def _pairs(self, split: Split) -> list[tuple[str, str]]:
        asked = self._asked(split.queries)
        return [
            (prompt, example.targets[0]) for (prompt, _), example in zip(asked, split, strict=True)
        ]

    def _asked(self, queries: Sequence[Query]) -> list[tuple[str, tuple[str, ...]]]:
        """Return the prompt for each query, and the documents that it shows."""
        found = self.retriever.search(queries, self.params.top_k)
        return [self._prompt(query, hits) for query, hits in zip(queries, found, strict=True)]

    def _prompt(self, query: Query, hits: Sequence[retrieval.Hit]) -> tuple[str, tuple[str, ...]]:
        texts = [hit.passage.headed_text for hit in hits]

        def build(parts: int) -> str:
            return under_passages(Shown(query, texts[:parts]))

        prompt, fitting = toolkit.fitted(self.model, self.context.task, build, len(texts))
        if fitting < len(texts):
            self.context.note(
                "prompt", "some prompts have fewer passages: all do not fit the model's context"
            )
        return prompt, tuple(dict.fromkeys(hit.passage.document_id for hit in hits[:fitting]))
