"""Strategies that break the contract, each in one way, for `check_strategy` to catch."""

from __future__ import annotations

import itertools
import json
import os
import random
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness import Floor, Params, Prediction, Strategy

REMEMBERED: dict[str, str] = {}
COUNTER = itertools.count()


class Sound(Strategy):
    """Breaks nothing: answers with the colour of the last training row that shares a word."""

    answers = frozenset({"choice", "text"})
    needs_train = True

    def fit(self, train, validation, artifact):
        answers = {}
        for example in train:
            answers[example.query.text.split()[-1]] = example.targets[0]
        (artifact / "answers.json").write_text(json.dumps(answers))

    def load(self, artifact):
        self.answers_by_word = json.loads((artifact / "answers.json").read_text())

    def predict(self, queries):
        return [Prediction(self.answer(query)) for query in queries]

    def answer(self, query):
        words = query.text.split()
        return self.answers_by_word.get(words[-1] if words else "", "red")


class WrongOrder(Sound):
    def predict(self, queries):
        return super().predict(sorted(queries, key=lambda query: query.text))


class DropsAnItem(Sound):
    def predict(self, queries):
        return super().predict(queries)[:-1]


class StateInMemory(Sound):
    def fit(self, train, validation, artifact):
        REMEMBERED["answer"] = train[0].targets[0]

    def load(self, artifact):
        self.answer_kept = REMEMBERED["answer"]

    def predict(self, queries):
        return [Prediction(self.answer_kept) for _ in queries]


class ChangesAQuery(Sound):
    def predict(self, queries):
        predictions = super().predict(queries)
        for query in queries:
            query.fields["seen"] = True
        return predictions


class ReordersItsQueries(Sound):
    def predict(self, queries):
        predictions = super().predict(queries)
        queries.sort(key=lambda query: query.text)
        return predictions


class ReturnsStrings(Sound):
    def predict(self, queries):
        return [self.answer(query) for query in queries]


class AnswersNone(Sound):
    def predict(self, queries):
        return [Prediction(None) for _ in queries]


class IsNotDetermined(Sound):
    def predict(self, queries):
        return [Prediction(random.choice("abcdefghijklmnopqrstuvwxyz")) for _ in queries]


class LooksAtItsNeighbours(Sound):
    def predict(self, queries):
        return [Prediction(f"{len(queries)} queries") for _ in queries]


class AnswersByPlace(Sound):
    def predict(self, queries):
        return [Prediction("red" if place % 2 else "blue") for place, _ in enumerate(queries)]


class RemembersWhatWasAsked(Sound):
    """Answers the second question of its life, and all that follow, otherwise."""

    asked = 0

    def predict(self, queries):
        answers = []
        for query in queries:
            self.asked += 1
            answers.append(Prediction(self.answer(query) if self.asked < 40 else "blue"))
        return answers


class PadsToTheLongest(Sound):
    """Its probabilities move with the longest of the batch, and its answers do not."""

    def predict(self, queries):
        longest = max((len(query.text) for query in queries), default=0)
        sure = {"red": -0.1 - longest / 1e3, "green": -3.0}
        return [Prediction("red", sure) for _ in queries]


class DrawsByCall(Sound):
    """Owns its randomness, but begins it anew with each call."""

    def predict(self, queries):
        draw = random.Random(0)
        return [Prediction(draw.choice(["red", "blue"])) for _ in queries]


class CitesItsBatch(Sound):
    def predict(self, queries):
        sources = tuple(query.id for query in queries)
        return [Prediction("red", sources=sources) for _ in queries]


class FailsInCompany(Sound):
    """A query that is asked behind another one fails, and only then."""

    def predict(self, queries):
        return [
            Prediction(self.answer(query), error="not first" if place == 13 else None)
            for place, query in enumerate(queries)
        ]


class ChoosesByTheClock(Sound):
    """Gives the quick answer as soon as it has been up for a while."""

    def load(self, artifact):
        super().load(artifact)
        self.ticks = 0

    def predict(self, queries):
        self.ticks += 1  # in place of a clock: of calls
        return [Prediction("red" if self.ticks > 3 else "blue") for _ in queries]


class FailsOnNoQueries(Sound):
    def predict(self, queries):
        assert queries
        return super().predict(queries)


class FailsOnOddText(Sound):
    def predict(self, queries):
        for query in queries:
            query.text.encode("ascii")
        return super().predict(queries)


class KeepsAnAbsolutePath(Sound):
    def fit(self, train, validation, artifact):
        super().fit(train, validation, artifact)
        (artifact / "where.txt").write_text(str(artifact / "answers.json"))

    def load(self, artifact):
        self.answers_by_word = json.loads(Path((artifact / "where.txt").read_text()).read_text())


class WritesWhenServing(Sound):
    def predict(self, queries):
        with (self.artifact / "log.txt").open("a") as stream:
            stream.write("asked\n")
        return super().predict(queries)

    def load(self, artifact):
        super().load(artifact)
        self.artifact = artifact


class LoosensItsParams(Sound):
    class Params(Params):
        model_config = ConfigDict(extra="ignore")


class HasForeignParams(Sound):
    class Params(BaseModel):
        shots: int = 3


class ClaimsTooMuch(Sound):
    complexity = 9


class ClaimsAnUnknownAnswer(Sound):
    answers = frozenset({"choice", "poem"})


class OffersWhatNoTaskAsks(Sound):
    provides = frozenset({"offline", "ofline"})


class LogProbabilitiesThatAreNone(Sound):
    def predict(self, queries):
        return [Prediction("red", {"red": 0.9, "green": 0.1}) for _ in queries]


class HasAFloorThatIsNone(Sound):
    @classmethod
    def floors(cls, params):
        return (Floor("majority", {"colour": "red"}, "the most frequent label", "it is blind"),)


class Dies(Sound):
    def fit(self, train, validation, artifact):
        os._exit(7)


class ChangesItsTrainingRows(Sound):
    def fit(self, train, validation, artifact):
        super().fit(train, validation, artifact)
        for example in train:
            example.query.fields["seen"] = True
