"""Words around the question: a polite sentence that has nothing to do with it."""

from __future__ import annotations

import random

SENTENCES = (
    "Thank you very much for your help.",
    "Have a lovely weekend!",
    "I hope that you are keeping well.",
    "Kind regards to everybody.",
    "Thanks in advance, and have a nice day.",
    "The weather is beautiful here today.",
    "Please forgive my handwriting.",
    "All the best to you and your family.",
)


def with_noise(text: str, draw: random.Random) -> str:
    """Return the text with one of SENTENCES after it."""
    return f"{text} {draw.choice(SENTENCES)}".lstrip()
