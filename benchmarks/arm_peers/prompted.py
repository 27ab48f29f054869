"""Peers that prompt: lm-evaluation-harness' prompts, and LlamaIndex' default on passages.

They are asked by our engine: `choice_scoring` and `generation` show that it comes to their own
figures, in a hundredth of the time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from benchmarks.arm_peers.cut import SEED, Answers, Cut, Row, encoder, rows_of, target

SHOTS = 12


def lm_eval_fixed(cut: Cut) -> Answers:
    """The demonstrations of lm-evaluation-harness: the same rows for all inputs."""
    rows = random.Random(SEED).sample(cut.train, min(SHOTS, len(cut.train)))
    return _lm_eval(cut, lambda row: rows), f"{len(rows)} shots"


def lm_eval_nearest(cut: Cut) -> Answers:
    """Its prompt with the training rows most like the input, the most alike last."""
    import numpy as np

    encode = encoder(cut)
    stored = np.stack([vector for _, vector in encode(cut.train)])
    near = {}
    for (_, vector), row in zip(encode(cut.test), cut.test, strict=True):
        best = np.argsort(-(stored @ vector), kind="stable")[:SHOTS]
        near[row["id"]] = [cut.train[place] for place in best[::-1]]
    return _lm_eval(cut, lambda row: near[row["id"]]), f"{SHOTS} shots"


def _lm_eval(cut: Cut, shown: Callable[[Row], Sequence[Row]]) -> list[str]:
    """Ask as lm-evaluation-harness does: description, demonstrations, "Answer:", no chat template.

    A choice is the label with the highest log-likelihood (`multiple_choice`, its `acc`); what is
    written ends at the blank line between two demonstrations (`generate_until`).
    """
    from benchmarks.models import our_model
    from harness.lm import Generation
    from harness.lm.chat import answer_tokens, prompt_tokens
    from harness.lm.inference.scoring import score_options
    from harness.machine.device import device_and_dtype
    from harness.types import RunningText

    lm = our_model(*device_and_dtype("auto"))
    prompts = []
    for row in cut.test:
        blocks = [cut.task["instruction"]]
        blocks += [f"Input: {shot['input']}\nAnswer: {target(shot)}" for shot in shown(row)]
        prompts.append(RunningText("\n\n".join([*blocks, f"Input: {row['input']}\nAnswer:"]), ""))
    if not cut.is_choice:
        found = lm.generate(prompts, Generation(cut.max_new_tokens, ("\n\n",)))
        return [answer.text.strip() for answer in found]
    labels = cut.labels
    # Without the end of the answer, and with what a prompt's labels share read once.
    read = [prompt_tokens(lm, prompt) for prompt in prompts]
    options = [
        [answer_tokens(lm, label, prompt, ended=False) for label in labels] for prompt in prompts
    ]
    rows, _ = score_options(lm, read, options)
    return [labels[row.index(max(row))] for row in rows]


LLAMA_INDEX = (
    "Context information is below.\n---------------------\n{context}\n---------------------\n"
    "Given the context information and not prior knowledge, answer the query.\n"
    "Query: {query}\nAnswer: "
)
"""LlamaIndex' DEFAULT_TEXT_QA_PROMPT (llama_index/core/prompts/default_prompts.py)."""
TOP_K = 2
"""Its `similarity_top_k`."""


def llama_index(cut: Cut) -> Answers:
    """LlamaIndex' default question answering: the two most alike chunks in its default prompt.

    Its chunks have up to 1,024 tokens: each of SQuAD's passages is one.
    """
    import numpy as np

    from benchmarks.models import our_model
    from harness.lm import Generation
    from harness.machine.device import device_and_dtype

    passages = [{"input": row["text"]} for row in rows_of(cut.folder, "corpus")]
    encode = encoder(cut)
    stored = np.stack([vector for _, vector in encode(passages)])
    prompts = []
    for (_, vector), row in zip(encode(cut.test), cut.test, strict=True):
        best = np.argsort(-(stored @ vector), kind="stable")[:TOP_K]
        context = "\n\n".join(passages[place]["input"] for place in best)
        prompts.append(LLAMA_INDEX.format(context=context, query=row["input"]))
    lm = our_model(*device_and_dtype("auto"))
    found = lm.generate(prompts, Generation(cut.max_new_tokens, ("\n",)))
    return [answer.text.strip() for answer in found], f"top {TOP_K}"
