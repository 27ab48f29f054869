"""What the answers of a call are held to: a grammar for each, compiled when it is first needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from harness.lm.inference.grammar import Grammar
from harness.lm.inference.json_grammar import JsonGrammar
from harness.lm.inference.span_grammar import SpanGrammar
from harness.lm.model import Generation


@dataclass(eq=False)
class Grammars:
    """The grammars of one model."""

    compiled: dict[str, JsonGrammar] = field(default_factory=dict)
    """Those of schemas, by the schema as JSON: a single answer would wait for it. Spans are of one
    prompt each and compiled in milliseconds."""

    def of(
        self, settings: Generation, rows: int, tokenizer: Any, width: int, end: int
    ) -> list[Grammar | None]:
        """Return what each row is held to; none where no row is held to anything.

        Args:
            settings: of the call.
            rows: how many there are.
            tokenizer: a fast tokenizer of transformers.
            width: of the model's logits, in tokens.
            end: the token that ends a turn.

        Raises:
            ModelError: a grammar cannot be compiled.
        """
        if settings.schema is not None:
            key = json.dumps(settings.schema)
            if key not in self.compiled:
                self.compiled[key] = JsonGrammar(tokenizer, width, settings.schema, end)
            return [self.compiled[key]] * rows
        if not any(settings.spans):
            return []
        return [
            None if spans is None else SpanGrammar(tokenizer, width, spans, end, settings.stop)
            for spans in settings.spans
        ]
