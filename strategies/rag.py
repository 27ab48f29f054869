"""Ask the model with passages of the documents beside the question (Lewis et al. 2020)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

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
    search,
    toolkit,
)
from harness.strategy import OWN_MODEL
from harness.toolkit.calibration import Calibration
from harness.toolkit.prompter import Prompter, PromptParams, as_put, calibrates, foreseen
from harness.toolkit.prompts import Shown, written
from harness.toolkit.selection import (
    best_on_validation,
    demonstrations,
    showable,
    some,
    surviving,
    tell_of_fewer,
)
from harness.workload import Answering, Embedding


class Rag(Strategy):
    """Retrieve passages by meaning and by words, and prompt with them and a few demonstrations."""

    answers = frozenset({"choice", "text", "json"})
    needs_corpus = True
    needs_model = True
    learns = "index"
    complexity = 3
    provides = frozenset({"citations", "per_user_data", "offline"})

    class Params(toolkit.PassageParams, PromptParams):
        """How passages are found and shown, and what is demonstrated."""

        top_k: Candidates[PositiveInt] = Field(
            [1, 3], json_schema_extra=search([[1, 3], [1], [3], [5]])
        )
        """Candidates for how many passages are shown: the fewest, unless others score higher on
        validation rows by more than a standard error. Further ones lead a small model astray."""
        shots: int = Field(4, ge=0)
        """Demonstrations, each under a passage that holds its answer."""
        select: Literal["auto", "nearest", "random"] = "auto"
        """nearest: for each query the rows most like it, by the embedder, the most alike last;
        random: drawn once by the run's seed, so that their part of the prompt is computed once.
        auto: drawn where answers are copied from the passages, which any row can show."""
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
        names = retrieval.RetrievalParams.model_fields
        same = {name: getattr(params, name) for name in names}
        if params.reranker == OWN_MODEL:
            same["reranker"] = None
        what = "the best retrieved sentence"
        return (Floor("retrieve", same, what, "its prompt does not work here"),)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the index and the prompts; any passages and rows stand for those to be found."""
        if params.reranker is not None:
            return Estimate()  # of a cross-encoder nothing is known before it is loaded
        seed, counts, form = prospect.seed, params.top_k, params.template or prospect.form
        task = as_put(prospect.task, params.labels, form)
        texts, built, searched = retrieval.search_work(params, prospect)
        train = showable(prospect.train)
        found = partial(retrieval.any_passages, texts)

        def asked(queries: Sequence[Query], count: int) -> Answering:
            prompts = []
            for number, query in enumerate(queries):
                drawn = demonstrations(train, params.shots, seed + number)
                rows = [Shown(r.query, found(1, n), r.targets[0]) for n, r in enumerate(drawn)]
                shown = Shown(query, found(count, len(train) + number))
                prompts.append(written(task, form, shown, rows))
            return Answering(prompts, task)

        rest = some(prospect.validation, params.validation_rows, seed).queries
        tried = [asked(rest, count) for count in counts] if len(counts) > 1 else []
        if foreseen(params, prospect):
            looked_at = some(Split("train", tuple(train)), params.calibration_rows, seed)
            tried.append(asked(looked_at.queries, max(counts)))
        read = [row.query.full_text for row in (*train, *prospect.validation)]
        labelled = Embedding(read if cls.needs(params) & {"train"} else [], params.embedder)
        answering = asked(prospect.queries, max(counts))
        return Estimate(fit=(*built, labelled, *tried), serve=(*searched, answering))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Index, find what to demonstrate, choose how many passages are shown, and calibrate."""
        context, params, needs = self.context, self.params, self.needs(self.params)
        used = train if "train" in needs else validation if "validation" in needs else Split("", ())
        both = (*train, *validation) if "train" in needs else used
        self.retriever = toolkit.open_search(
            context, params, both, params.top_k, artifact / "index"
        )
        golds = toolkit.gold_of(context, self.retriever, used)
        self.copied = toolkit.copies(context, params, used, golds)
        self.shown = self._demonstrated(train, golds)
        self.shown.save(artifact / "shown")
        rows = some(validation, params.validation_rows, context.seed)
        calibrating = calibrates(context, params)
        if calibrating or (len(params.top_k) > 1 and len(rows)):
            self._open()
        top_k = best_on_validation(
            context,
            "top_k",
            {str(count): count for count in sorted(params.top_k)},
            lambda count: surviving(partial(self._answers, top_k=count), rows.queries),
            rows,
            cheapest_first=True,
        )
        (artifact / "prompt.json").write_text(json.dumps({"top_k": top_k, "copied": self.copied}))
        found = Calibration()
        if calibrating:
            ask, learnt = partial(self._answers, top_k=top_k), train if params.shots else ()
            found = self.prompter.calibrate(ask, showable(Split("", tuple(learnt))), validation)
        found.save(artifact / "calibration.json")

    def load(self, artifact: Path) -> None:
        """Read index and demonstrations, and load both models."""
        kept = json.loads((artifact / "prompt.json").read_text())
        self.top_k, self.copied = kept["top_k"], kept["copied"]
        folder, context = artifact / "index", self.context
        self.retriever = retrieval.Retriever.load(folder, self.params, context.device, context.note)
        self.shown = toolkit.ShownRows.load(artifact / "shown", self.retriever.embedder)
        self._open()
        self.prompter.calibration = Calibration.load(artifact / "calibration.json")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query from the passages found for it."""
        return self._answers(queries, self.top_k)

    def equivalents(self) -> Mapping[str, Sequence[Any]]:
        """Return the form, the wording of labels and the copying that it has anyway."""
        copied = {} if self.copied else {"extract": ["off"]}
        return {**self.prompter.equivalents(), **copied, "top_k": [[self.top_k]]}

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.prompter.model.log_likelihood(prompts, completions)

    def _open(self) -> None:
        model = lm.open_model(self.context)
        self.prompter = Prompter.of(self.context, self.params, model)
        if self.params.reranker == OWN_MODEL:
            self.retriever.reranker = toolkit.QueryLikelihood(model)

    def _demonstrated(
        self, train: Split, golds: Sequence[tuple[str, str] | None]
    ) -> toolkit.ShownRows:
        params = self.params
        if not params.shots:
            return toolkit.ShownRows(())
        tell_of_fewer(self.context, showable(train), params.shots)
        drawn = params.select == "random" or (params.select == "auto" and self.copied)
        embedder = None if drawn else self.retriever.embedder
        return toolkit.shown_rows(self.context, train, golds, params.shots, embedder)

    def _answers(self, queries: Sequence[Query], top_k: int) -> list[Prediction]:
        hits = self.retriever.search(queries, top_k)
        shown = self.shown.of(queries, self.params.shots)
        asked = [self._asked(*one) for one in zip(queries, hits, shown, strict=True)]
        task = self.context.task
        spans = [toolkit.spans_of(task, texts) for _, _, texts in asked] if self.copied else []
        answers = self.prompter.answers([prompt for prompt, _, _ in asked], spans)
        return [
            replace(answer, sources=sources)
            for answer, (_, sources, _) in zip(answers, asked, strict=True)
        ]

    def _asked(
        self, query: Query, hits: Sequence[retrieval.Hit], shown: Sequence[Shown]
    ) -> tuple[Prompt, tuple[str, ...], list[str]]:
        """Return a prompt that fits the model, the documents that it shows, and their passages.

        Demonstrations are left out first, then the last passages; the question never.
        """
        texts = [hit.passage.headed_text for hit in hits]

        def build(parts: int) -> Prompt:
            kept = max(0, parts - len(texts))
            passages = toolkit.in_order(texts[:parts], self.params.order)
            return self.prompter.written(Shown(query, passages), shown[len(shown) - kept :])

        parts, prompter = len(texts) + len(shown), self.prompter
        prompt, fitting = toolkit.fitted(prompter.model, prompter.task, build, parts)
        if fitting < parts:
            self.context.note(
                "prompt",
                "some prompts have fewer passages or demonstrations: "
                "all do not fit the model's context",
            )
        cited = dict.fromkeys(hit.passage.document_id for hit in hits[:fitting])
        return prompt, tuple(cited), texts[:fitting]
