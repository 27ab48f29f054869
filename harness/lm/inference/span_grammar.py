"""The grammar of answers that are copied: a run of words of given texts, or a given sentence.

A small model behind passages writes beside them rather than from them; held to their words, it can
only choose where to begin and to end. The texts that remain:

- One blank at most before the answer, as in answers of models without a chat template.
- What begins and ends where a word does, within one line of a text (`word_runs.py`).
- Behind it one of the strings that end an answer, if any: a prompt in running text has no other.

Knows nothing of models, prompts or why an answer is copied.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.errors import ModelError
from harness.lm.inference.grammar import Grammar
from harness.lm.model import Spans
from harness.wording.word_runs import chunks, lines


class SpanGrammar(Grammar):
    """All runs of words of some texts, and some sentences, as tokens of one tokenizer."""

    what = "copied answer"
    asks = "the passage"

    def __init__(
        self,
        tokenizer: Any,
        vocabulary_size: int,
        spans: Spans,
        end: int,
        stop: Sequence[str] = (),
    ):
        """Compile what an answer may be.

        Args:
            tokenizer: as for any grammar, and so are the width and the end.
            vocabulary_size: width of the model's logits, in tokens.
            spans: what an answer is copied from.
            end: the token that ends a turn.
            stop: strings that end an answer as well.

        Raises:
            ModelError: there is nothing to copy, or the tokenizer has no fast form.
        """
        super().__init__(tokenizer, vocabulary_size, _grammar(spans, stop), end)


def _grammar(spans: Spans, stop: Sequence[str]) -> str:
    """Return llguidance's own notation (its docs/syntax.md) of all answers, as one lexeme.

    One, because a lexeme takes all it can: in two of them what ends an answer could be taken for
    more of the passage.
    """
    sources = dict.fromkeys(line for text in spans.texts for line in lines(text))
    runs = [{"substring_chunks": chunks(line)} for line in sources]
    whole = [json.dumps(text) for text in spans.or_exactly if text]
    if not runs and not whole:
        raise ModelError("there is no text to copy an answer from → show a passage with words")
    rules = [f"RUN{number}: %regex {json.dumps(run)}" for number, run in enumerate(runs)]
    options = [*(f"RUN{number}" for number in range(len(runs))), *whole]
    ending = f" ({' | '.join(json.dumps(word) for word in stop)})?" if stop else ""
    rules += [
        # A run may be empty or begin and end with a blank; an answer does neither.
        rf"COPIED: ({' | '.join(options)}) & /\S((?s:.)*\S)?/",
        f'ANSWER: " "? COPIED{ending}',
        "start: ANSWER",
    ]
    return json.dumps({"grammars": [{"lark_grammar": "\n".join(rules)}]})
