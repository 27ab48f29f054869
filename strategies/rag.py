"""Ask the model with passages of the documents beside the question (Lewis et al. 2020)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from pydantic import Field, PositiveInt

from harness import (
    Candidates,
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
from harness.toolkit.prompts import Shown, conversation
from harness.toolkit.selection import (
    best_on_validation,
    demonstrations,
    showable,
    some,
    surviving,
    tell_of_fewer,
)
from harness.workload import Answering


class Rag(Strategy):
    """Retrieve passages by meaning and by words, and prompt with them and a few demonstrations."""

    answers = frozenset({"choice", "text", "json"})
    needs_corpus = True
    needs_model = True
    learns = "index"
    complexity = 3
    provides = frozenset({"citations", "per_user_data", "offline"})

    class Params(retrieval.RetrievalParams):
        """How passages are found and shown."""

        top_k: Candidates[PositiveInt] = Field([1, 3, 5])
        """Candidates for how many passages are shown; the best on validation is kept."""
        shots: int = Field(3, ge=0)
        """Demonstrations, each under the passages found for it."""
        validation_rows: int = Field(50, gt=0)
        """The most validation rows that `top_k` is chosen on."""

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows only where demonstrations are shown, or `top_k` is chosen."""
        chosen = {"validation"} if len(params.top_k) > 1 else frozenset()
        return super().needs(params) | ({"train"} if params.shots else chosen)

    @classmethod
    def floors(cls, params: Params) -> tuple[Floor, ...]:
        """Be no worse than a sentence of what it is shown."""
        same = {name: getattr(params, name) for name in retrieval.RetrievalParams.model_fields}
        what = "the best retrieved sentence"
        return (Floor("retrieve", same, what, "its prompt does not work here"),)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the index and the prompts; any passages stand for those that will be found."""
        if params.reranker is not None:
            return Estimate()  # of a cross-encoder nothing is known before it is loaded
        task, seed, counts = prospect.task, prospect.seed, params.top_k
        texts, built, searched = retrieval.search_work(params, prospect)
        rows = demonstrations(showable(prospect.train), params.shots, seed)

        def asked(queries: Sequence[Query], count: int) -> Answering:
            found = partial(retrieval.any_passages, texts, count)
            shown = [Shown(row.query, found(n), row.targets[0]) for n, row in enumerate(rows)]
            prompts = [
                conversation(task, Shown(query, found(len(rows) + number)), shown)
                for number, query in enumerate(queries)
            ]
            return Answering(prompts, task)

        rest = some(prospect.validation, params.validation_rows, seed).queries
        tried = [asked(rest, count) for count in counts] if len(counts) > 1 else []
        answering = asked(prospect.queries, max(counts))
        return Estimate(fit=(*built, *tried), serve=(*searched, answering))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Index the documents, draw demonstrations and choose how many passages to show."""
        context, params = self.context, self.params
        self.retriever = retrieval.Retriever.build(
            context.documents, params, context.device, context.note, context.log
        )
        self.retriever.save(artifact / "index")
        rows = demonstrations(showable(train), params.shots, context.seed)
        tell_of_fewer(context, rows, params.shots)
        found = self._passages([row.query for row in rows], max(params.top_k))
        shown = [
            Shown(row.query, [text for _, text in passages], row.targets[0])
            for row, passages in zip(rows, found, strict=True)
        ]
        rest = some(validation, params.validation_rows, context.seed)
        if len(params.top_k) > 1 and len(rest):
            self.model = lm.open_model(context)
        top_k = best_on_validation(
            context,
            "top_k",
            {str(count): count for count in params.top_k},
            lambda count: surviving(
                partial(self._answers, shown=cut_to(shown, count), top_k=count), rest.queries
            ),
            rest,
        )
        kept = {"top_k": top_k, "shown": [asdict(row) for row in cut_to(shown, top_k)]}
        (artifact / "prompt.json").write_text(json.dumps(kept, indent=1))

    def load(self, artifact: Path) -> None:
        """Read index and demonstrations, and load both models."""
        kept = json.loads((artifact / "prompt.json").read_text())
        self.top_k = kept["top_k"]
        self.shown = [
            Shown(Query.from_row(row["query"]), row["passages"], row["target"])
            for row in kept["shown"]
        ]
        folder, context = artifact / "index", self.context
        self.retriever = retrieval.Retriever.load(folder, self.params, context.device, context.note)
        self.model = lm.open_model(self.context)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query from the passages found for it."""
        return self._answers(queries, self.shown, self.top_k)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)

    def _answers(
        self, queries: Sequence[Query], shown: Sequence[Shown], top_k: int
    ) -> list[Prediction]:
        prompts, used = [], []
        for query, passages in zip(queries, self._passages(queries, top_k), strict=True):
            prompt, count = self._prompt(query, [text for _, text in passages], shown)
            prompts.append(prompt)
            used.append([document for document, _ in passages[:count]])
        answers = toolkit.answer(self.model, prompts, self.context.task)
        return [
            replace(answer, sources=tuple(dict.fromkeys(cited)))
            for answer, cited in zip(answers, used, strict=True)
        ]

    def _prompt(
        self, query: Query, texts: Sequence[str], shown: Sequence[Shown]
    ) -> tuple[Prompt, int]:
        """Return a prompt that fits the model, and how many passages are in it.

        Demonstrations are left out first, then the last passages; the question never.
        """
        task = self.context.task

        def build(parts: int) -> Prompt:
            kept = max(0, parts - len(texts))
            asked = Shown(query, texts[:parts])
            return conversation(task, asked, shown[len(shown) - kept :])

        parts = len(texts) + len(shown)
        prompt, fitting = toolkit.fitted(self.model, task, build, parts)
        if fitting < parts:
            self.context.note(
                "prompt",
                "some prompts have fewer passages or demonstrations: "
                "all do not fit the model's context",
            )
        return prompt, min(fitting, len(texts))

    def _passages(self, queries: Sequence[Query], top_k: int) -> list[list[tuple[str, str]]]:
        """Return (document id, text) of the passages found for each query."""
        return [
            [(hit.passage.document_id, hit.passage.headed_text) for hit in hits]
            for hits in self.retriever.search(queries, top_k)
        ]


def cut_to(shown: Sequence[Shown], top_k: int) -> list[Shown]:
    """Return demonstrations with so many passages each."""
    return [replace(row, passages=row.passages[:top_k]) for row in shown]
