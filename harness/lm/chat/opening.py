"""Where an answer begins: behind what a template writes before it, and behind its thoughts.

Two texts tell. One is what the template writes to have an answer generated, the other what it
writes before an answer that is there. The second is where answers stood in training; it is taken
where it goes on from the first. Knows nothing of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.wording.thoughts import closing, has_thought_marks, open_thought


@dataclass(frozen=True)
class Opening:
    """What stands between the last turn of a prompt and the answer."""

    to_answer: str = ""
    """Stands between the template's own prompt for an answer and the answer."""
    to_thoughts: str = ""
    """Likewise, before a model's thoughts."""
    text: str = ""
    """All that stands between the last turn and the answer, without `blank`."""
    blank: str = ""
    """Blanks that the template writes before an answer. They belong to the answer's first token."""
    thought: str = ""
    """Mark of the thought that the prompt opens where thoughts are wanted."""
    closes_thought: bool = False
    """Whether a thought stands closed before the answer."""

    def behind(self, closed: Opening) -> Opening:
        """Return this opening with the closed thought of another that begins with it."""
        if not closed.closes_thought or not closed.text.startswith(self.text):
            return self
        further = closed.text[len(self.text) :]
        return replace(
            self, to_answer=self.to_answer + further, text=closed.text, closes_thought=True
        )


def opening_of(asked: str, written: str | None, last_turn: str) -> Opening:
    """Return how a template opens an answer.

    Args:
        asked: a prompt as it is rendered to have an answer generated.
        written: the same prompt up to an answer that is there; None: the template shows none.
        last_turn: text of the prompt's last turn.
    """
    continues = written is not None and written.startswith(asked)
    further = written[len(asked) :] if continues and written is not None else ""
    header = "" if has_thought_marks(further) else further
    thought = open_thought(_behind(asked + header, last_turn))
    unclosed = open_thought(_behind(asked + further, last_turn))
    to_answer = further + (closing(asked + further, unclosed) if unclosed else "")
    text = _behind(asked + to_answer, last_turn)
    blank = text[len(text.rstrip(" \t")) :] if continues else ""
    return Opening(
        to_answer=to_answer,
        to_thoughts=header,
        text=text.removesuffix(blank),
        blank=blank,
        thought=thought[0] if thought else "",
        closes_thought=has_thought_marks(text),
    )


def _behind(rendered: str, last_turn: str) -> str:
    return rendered.rpartition(last_turn)[2]
