"""Made-up rows of a bicycle shop for new tasks: 60 of each kind, so that a verdict can be reached.

Twelve things that customers write about, each in five wordings.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

MESSAGES = {
    "delivery": (
        "my parcel has not arrived",
        "the courier left the box with a neighbour",
        "I need another delivery date",
        "the tracking page shows no parcel",
    ),
    "payment": (
        "the invoice shows a wrong amount",
        "my card was charged twice",
        "I am waiting for my refund",
        "the discount is missing on my invoice",
    ),
    "repair": (
        "the brakes squeak in the rain",
        "the chain jumps off the gears",
        "a spoke of the rear wheel broke",
        "the front light flickers",
    ),
}
"""Label to what messages of it say."""
MESSAGE_FORMS = (
    "Hello, {}.",
    "Since Monday {}, please help.",
    "{}. What shall I do?",
    "I write again because {}.",
    "Good morning, {}. Thanks!",
)
ANSWERS = {
    "when the shop opens": "at nine",
    "when the shop closes": "at half past six",
    "what a puncture costs": "twelve euros",
    "how long an inspection takes": "two days",
    "where the shop is": "at the old harbour",
    "who leads the workshop": "Mrs Lindner",
    "how long the warranty lasts": "three years",
    "which trailers you rent out": "the Pup trailer",
    "what delivery costs": "nothing above fifty euros",
    "how I can pay": "by card or cash",
    "whether used bikes are for sale": "yes, on Saturdays",
    "what a spare key costs": "eighteen euros",
}
"""What customers ask, and the answer."""
QUESTION_FORMS = (
    "Can you tell me {}?",
    "I would like to know {}.",
    "Hello, {}, please?",
    "My question is {}.",
    "Nobody told me {}.",
)
ITEMS = ("chain", "saddle", "helmet", "lock", "light")
CITIES = ("Bremen", "Kiel", "Rostock", "Emden")
ORDER_FORMS = (
    ("Please send one {} to {}.", 1),
    ("We need two {}s in {}.", 2),
    ("Three {}s for our branch in {}, please.", 3),
)
ORDER_SCHEMA = {
    "type": "object",
    "properties": {
        "item": {"type": "string"},
        "quantity": {"type": "integer"},
        "city": {"type": "string"},
    },
    "required": ["item", "quantity", "city"],
    "additionalProperties": False,
}


def starter_rows(kind: str) -> list[dict[str, Any]]:
    """Return the rows of a kind of answer: choice, text or json."""
    rows = {"choice": _messages, "text": _questions, "json": _orders}[kind]()
    return [{"text": _sentence(text), "label": target} for text, target in rows]


def _messages() -> Iterator[tuple[str, Any]]:
    for form in MESSAGE_FORMS:
        for label, texts in MESSAGES.items():
            yield from ((form.format(text), label) for text in texts)


def _questions() -> Iterator[tuple[str, Any]]:
    for form in QUESTION_FORMS:
        yield from ((form.format(about), answer) for about, answer in ANSWERS.items())


def _orders() -> Iterator[tuple[str, Any]]:
    for (form, quantity), item, city in product(ORDER_FORMS, ITEMS, CITIES):
        yield form.format(item, city), {"item": item, "quantity": quantity, "city": city}


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
