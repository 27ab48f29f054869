"""An arm that trains weights on the task's rows and answers with them, but for which weights.

A method of PEFT is a subclass of a page: parameters with their defaults, and the spec of what it
trains.

    class Vera(TunedStrategy):
        complexity = 4

        class Params(TuningParams, PromptedParams):
            learning_rate: float = Field(4e-3, gt=0)

        @classmethod
        def adapter(cls, params):
            return AdapterSpec("VeRA", "VeraConfig", {"target_modules": "all-linear"})

Knows no method; documents and running text are not trained on here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness.lm import AdapterSpec, open_trainable, open_trained, save_trained
from harness.strategy import Floor, Strategy
from harness.toolkit.after_tuning import finish_tuning, read_calibration
from harness.toolkit.answer import answer
from harness.toolkit.prompts import instruction_block, training_pairs, tuned_prompt
from harness.toolkit.tune import learn, tuning
from harness.types import Prediction, Prompt, Query, Split
from harness.workload import Answering, Estimate, Prospect, in_four_bits


class TunedStrategy(Strategy):
    """Train on the task's pairs, ship what was learnt, answer with it.

    A subclass says in `adapter` what is trained. Its `Params` inherit from `TuningParams` and
    `PromptedParams`. What holds for it by that: the forecast counts its weights exactly, its
    artifact holds what was learnt and nothing else, and it answers from the artifact alone.
    """

    needs_train = True
    needs_model = True
    learns = "weights"
    provides = frozenset({"offline"})
    four_bits: ClassVar[bool] = False
    """Whether the model's weights lie in 4 bits (NF4), in training and in serving."""

    @classmethod
    @abstractmethod
    def adapter(cls, params: Any) -> AdapterSpec:
        """Return what is trained with these parameters."""

    @classmethod
    def needs(cls, params: Any) -> frozenset[str]:
        """Return what it needs; weights in 4 bits are made before anything is measured."""
        four_bits = {"four_bits"} if cls.four_bits else set()
        return super().needs(params) | four_bits

    @classmethod
    def floors(cls, params: Any) -> tuple[Floor, ...]:
        """Be no worse at a choice than a linear classifier on the model as it was.

        That reads every row once, which takes minutes: only where the task asks for it as an arm.
        """
        what = "a linear classifier on the untuned model's states"
        means = "tuning failed here, which does not show that tuning is useless"
        return (Floor("lm_probe", {}, what, means, only_as_arm=True),)

    @classmethod
    def estimate(cls, params: Any, prospect: Prospect) -> Estimate:
        """Declare the training and the answering."""
        task, adapter, style = prospect.task, cls.adapter(params), params.prompt
        train = training_pairs(task, prospect.train, style)
        validation = training_pairs(task, prospect.validation, style)
        learning = tuning(params, adapter, train, validation, prospect)
        prompts = [tuned_prompt(task, query, style) for query in prospect.queries]
        weights: Literal["given", "adapter"] = "given" if adapter.merges else "adapter"
        answering = Answering(prompts, task, weights, adapter.soft_tokens)
        estimate = Estimate(fit=(learning,), serve=(answering,))
        return in_four_bits(estimate) if cls.four_bits else estimate

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train, keep the weights that suit the validation rows best, and calibrate on those."""
        task, params = self.context.task, self.params
        # A soft prompt begins as the instruction that the short prompt leaves out.
        text = instruction_block(task)
        model = open_trainable(self.context, self.adapter(params), text, self.four_bits)
        rows = [training_pairs(task, split, params.prompt) for split in (train, validation)]
        learn(model, self.context, params, *rows)
        save_trained(model, artifact, self.context.dtype)
        finish_tuning(model, self.context, params, rows[1], artifact)

    def load(self, artifact: Path) -> None:
        """Load the model with what was learnt."""
        adapter = self.adapter(self.params)
        self.model = open_trained(self.context, adapter, artifact, self.four_bits)
        self.calibration = read_calibration(artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query with the tuned model."""
        task = self.context.task
        prompts = [tuned_prompt(task, query, self.params.prompt) for query in queries]
        return [self.calibration.applied(one) for one in answer(self.model, prompts, task)]

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
