"""A stranger's arm: one method of PEFT, orthogonal fine-tuning (Qiu et al. 2023, arXiv 2306.07280).

All that it takes to add a method: this file, and its name in a task file.
"""

from pydantic import Field

from harness import toolkit


class Rotations(toolkit.TunedStrategy):
    """Each linear layer's inputs are rotated; the rotations become part of the weights."""

    complexity = 4

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults for tiny models."""

        block: int = Field(4, gt=0)
        learning_rate: float = Field(1e-2, gt=0)

    @classmethod
    def adapter(cls, params):
        settings = {"oft_block_size": params.block, "target_modules": "all-linear"}
        return toolkit.AdapterSpec("OFT", "OFTConfig", settings)
