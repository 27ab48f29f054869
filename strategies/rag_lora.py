"""Tune low-rank adapters to answer from retrieved passages (Zhang et al. 2024, RAFT)."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

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
from harness.strategy import OWN_MODEL
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

    class Params(toolkit.LoraParams, toolkit.ChoiceParams, toolkit.PassageParams):
        """LoRA's and retrieval's, and which passages are shown."""

        top_k: int = Field(3, gt=0)
        gold_share: float = Field(0.8, ge=0, le=1)
        """Share of training rows that are shown the passage with their answer even where the search
        does not find it (RAFT's P). The others teach what to do without."""

        @model_validator(mode="after")
        def _ranks_with_another(self) -> Self:
            if self.reranker == OWN_MODEL:
                what = "reranker: lm asks the arm's own model, which is tuned to answer"
                raise ValueError(f"{what} → name a cross-encoder, or leave it out")
            return self

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
            return [
                under_passages(prospect.task, Shown(query, found(n)))
                for n, query in enumerate(queries)
            ]

        rows = [
            [(prompt, row.targets[0]) for prompt, row in zip(asked(s.queries), s, strict=True)]
            for s in (prospect.train, prospect.validation)
        ]
        adapter = toolkit.lora_adapter(params)
        learning = toolkit.tuning(params, adapter, rows[0], rows[1], prospect)
        answering = Answering(asked(prospect.queries), prospect.task)
        return Estimate(fit=(*built, learning), serve=(*searched, answering))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Index the documents, then train on questions under passages that answer most of them."""
        context, params = self.context, self.params
        rows, depths = (*train, *validation), [params.top_k]
        self.retriever = toolkit.open_search(context, params, rows, depths, artifact / "index")
        golds = toolkit.gold_of(context, self.retriever, train)
        self.copied = toolkit.copies(context, params, train, golds)
        (artifact / "passages.json").write_text(json.dumps({"copied": self.copied}))
        self.model = lm.open_trainable(context, toolkit.lora_adapter(params))
        asked = self._asked(validation.queries)
        served = [(a.prompt, row.targets[0]) for a, row in zip(asked, validation, strict=True)]
        toolkit.learn(self.model, context, params, self._pairs(train, golds), served)
        lm.save_trained(self.model, artifact / "adapter", context.dtype)
        toolkit.finish_tuning(self.model, context, params, served, artifact / "adapter")

    def load(self, artifact: Path) -> None:
        """Read the index, load the model and merge the adapter into it."""
        folder, context = artifact / "index", self.context
        self.copied = json.loads((artifact / "passages.json").read_text())["copied"]
        self.retriever = retrieval.Retriever.load(folder, self.params, context.device, context.note)
        adapter = toolkit.lora_adapter(self.params)
        self.model = lm.open_trained(self.context, adapter, artifact / "adapter")
        self.calibration = toolkit.read_calibration(artifact / "adapter")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query from the passages found for it."""
        task, asked = self.context.task, self._asked(queries)
        spans = [toolkit.spans_of(task, one.texts) for one in asked] if self.copied else []
        answers = toolkit.answer(self.model, [one.prompt for one in asked], task, spans)
        return [
            replace(self.calibration.applied(answer), sources=one.sources)
            for answer, one in zip(answers, asked, strict=True)
        ]

    def equivalents(self) -> Mapping[str, Sequence[Any]]:
        """Return that answers are free anyway, where they are."""
        return {} if self.copied else {"extract": ["off"]}

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)

    def _pairs(
        self, train: Split, golds: Sequence[tuple[str, str] | None]
    ) -> list[tuple[str, str]]:
        """Return what is trained on: passages in any order, most with the one that answers."""
        params, draw = self.params, random.Random(self.context.seed)
        found = self.retriever.search(train.queries, params.top_k)
        pairs = []
        for row, hits, gold in zip(train, found, golds, strict=True):
            texts, target = [hit.passage.headed_text for hit in hits], row.targets[0]
            if gold is not None:
                forced = draw.random() < params.gold_share
                if forced and gold[0] not in texts:
                    texts = [*texts[: params.top_k - 1], gold[0]]
                target = gold[1] if self.copied else target
            draw.shuffle(texts)
            prompt, _ = self._fitted(row.query, texts)
            pairs.append((prompt, target))
        return pairs

    def _asked(self, queries: Sequence[Query]) -> list[Asked]:
        """Return what is asked for each query, with as many passages as fit."""
        asked = []
        for query, hits in zip(
            queries, self.retriever.search(queries, self.params.top_k), strict=True
        ):
            texts = [hit.passage.headed_text for hit in hits]
            prompt, fitting = self._fitted(query, texts)
            cited = dict.fromkeys(hit.passage.document_id for hit in hits[:fitting])
            asked.append(Asked(prompt, tuple(cited), texts[:fitting]))
        return asked

    def _fitted(self, query: Query, texts: Sequence[str]) -> tuple[str, int]:
        """Return a prompt that fits the model, and how many passages stand in it, the first."""

        def build(parts: int) -> str:
            passages = toolkit.in_order(texts[:parts], self.params.order)
            return under_passages(self.context.task, Shown(query, passages))

        prompt, fitting = toolkit.fitted(self.model, self.context.task, build, len(texts))
        if fitting < len(texts):
            self.context.note(
                "prompt", "some prompts have fewer passages: all do not fit the model's context"
            )
        return prompt, fitting


class Asked(NamedTuple):
    """What is put to the model for one query."""

    prompt: str
    sources: tuple[str, ...]
    """Ids of the documents whose passages stand in it."""
    texts: list[str]
    """Those passages."""
