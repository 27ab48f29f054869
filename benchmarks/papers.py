"""What papers report of two ways of doing a task, and the cuts that it is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Direction:
    """What a paper reports of two arms, and the cuts that it is tested on."""

    paper: str
    """Or that it is a control of our own."""
    says: str
    arm: str
    than: str
    cuts: tuple[str, ...]
    relation: Literal["better than", "the same as"] = "better than"
    with_care: str | None = None
    """The arm in whose place `than` stands if its user takes no care: what a finding is worth."""


DOCUMENTS = ("squad", "handbook_qa")
LABELS = ("banking77_10", "banking77_77")
NEAREST = "few_shot_nearest"
REWORKED_ON = "2026-11-29"
"""Since when prompted, retrieval and tuned arms are what they are; cuts run before say less."""
DIRECTIONS = (
    Direction(
        "Lewis et al. 2020 (arXiv 2005.11401)",
        "retrieval beats a model that answers by heart",
        "rag",
        "zero_shot",
        DOCUMENTS,
    ),
    Direction(
        "no paper: a control",
        "it is the passages that help, not the demonstrations",
        "rag",
        "few_shot_3",
        DOCUMENTS,
    ),
    Direction(
        "Soudani et al. 2024 (arXiv 2403.01432)",
        "retrieval beats tuning on questions",
        "rag",
        "lora",
        DOCUMENTS,
    ),
    Direction(
        "Ovadia et al. 2023 (arXiv 2312.05934)",
        "retrieval beats tuning on the documents",
        "rag",
        "corpus_tuning",
        DOCUMENTS,
    ),
    Direction(
        "Balaguer et al. 2024 (arXiv 2401.08406)",
        "tuning and retrieval add up",
        "rag_lora",
        "rag",
        DOCUMENTS,
    ),
    Direction(
        "Liu et al. 2022 (arXiv 2205.05638)",
        "tuning few weights beats demonstrations",
        "lora",
        "few_shot",
        (*LABELS, "snips", "e2e_nlg"),
        with_care=NEAREST,
    ),
    Direction(
        "Hu et al. 2021 (arXiv 2106.09685)",
        "LoRA is as good as full fine-tuning",
        "lora",
        "full_finetune",
        LABELS,
        "the same as",
    ),
    Direction(
        "Dettmers et al. 2023 (arXiv 2305.14314)",
        "4 bits cost no quality",
        "qlora",
        "lora",
        LABELS,
        "the same as",
    ),
    Direction(
        "Lester et al. 2021 (arXiv 2104.08691)",
        "in small models prompt tuning falls behind",
        "lora",
        "prompt_tuning",
        LABELS,
    ),
    Direction(
        "Liu et al. 2021 (arXiv 2101.06804)",
        "the nearest demonstrations beat random ones",
        "few_shot_nearest",
        "few_shot",
        (*LABELS, "snips", "e2e_nlg"),
    ),
    Direction(
        "Edwards and Camacho-Collados 2024 (arXiv 2403.17661)",
        "a small tuned encoder beats prompting",
        "encoder_all",
        "few_shot",
        LABELS,
        with_care=NEAREST,
    ),
    Direction(
        "Edwards and Camacho-Collados 2024 (arXiv 2403.17661)",
        "even word counts beat prompting",
        "tfidf",
        "few_shot",
        LABELS,
        with_care=NEAREST,
    ),
)
