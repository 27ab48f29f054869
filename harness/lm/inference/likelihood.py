"""How likely a model finds given answers: what perplexity is made of."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import ModelError
from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.hosted import HostedModel
from harness.lm.inference.scoring import score_options
from harness.lm.local_model import LanguageModel
from harness.types import Prompt


def log_likelihood(
    lm: LanguageModel | HostedModel, prompts: Sequence[Prompt], completions: Sequence[str]
) -> list[float]:
    """Return the natural-log likelihood of each completion's text after its prompt.

    The end of the turn is not counted: it is none of the text's bytes.

    Args:
        lm: the model.
        prompts: as they stand; the chat template is applied here, once.
        completions: one for each prompt.

    Raises:
        ModelError: the model is hosted: chat servers score no given text.
    """
    if isinstance(lm, HostedModel):
        raise ModelError(f"'{lm.ref.name}' is hosted, and its server scores no given text")
    tokens = [prompt_tokens(lm, prompt) for prompt in prompts]
    options = [[answer_tokens(lm, completion)[:-1]] for completion in completions]
    scores, _ = score_options(lm, tokens, options)
    return [row[0] for row in scores]
