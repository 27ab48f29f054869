"""What a task says of its labels, as texts to compare inputs with or to learn from."""

from __future__ import annotations

from collections.abc import Mapping


def label_text(label: str, description: str) -> str:
    """Return a label's name in words and, where the task describes it, what it means.

    Args:
        label: as the task names it; `card_arrival` is read as "card arrival".
        description: "" where the task gives none.
    """
    name = label.replace("_", " ").replace("-", " ").strip() or label
    return f"{name}: {description}" if description else name


def label_texts(labels: Mapping[str, str]) -> list[str]:
    """Return a text for each label, in the task's order."""
    return [label_text(label, description) for label, description in labels.items()]
