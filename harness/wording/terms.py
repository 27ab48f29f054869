"""The words that this project uses, and those that it used before and uses no more.

One word has one meaning: the field's term, explained where it first stands. Keys of task files and
of comparison.json keep their names, whatever is retired in text. tests/wording/test_terms.py holds
retired words out of whatever a person reads.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """What to say, and what not to say."""

    say: str
    retired: tuple[str, ...]
    """Regular expressions of whole words, in any case of letters."""
    means: str = ""


TERMS = (
    Term(
        "arm (approach at first mention)",
        ("contenders?", "contestants?", "competitors?"),
        "a strategy with its parameters, in one task",
    ),
    Term(
        "gap",
        ("loss to (?:the best|another)", "loss of quality", "losses lie", "its loss lies"),
        "points below the best other arm; a loss is what training minimises",
    ),
    Term(
        "significantly worse, within the margin, undecided, over a limit, failed",
        ("shown worse", "shown to be worse", "tell(?:s|ing)? apart", "told apart"),
        "what the rule found of an arm",
    ),
    Term(
        "confirm, decide",
        ("certif(?:y|ies|ied|iable)", "settle[sd]?", "settling"),
        "what a test set can do",
    ),
    Term("80% power", ("four times in five",)),
    Term(
        "preparation: training or indexing",
        ("fitting", "re-?fitting", "fitted", "re-?fitted"),
        "what an arm does once before it answers",
    ),
    Term(
        "pay per use / always on",
        ("busy time", "(?:pay for|paying for) busy", "reserved machines?"),
        "the two ways of paying; `busy` and `reserved` stay as keys",
    ),
    Term("calibration error", ("right probabilities would show",)),
    Term("robustness", ("how (?:the )?answers hold up",)),
    Term("Warnings and notes", ("what was found on the way",)),
    Term("Reproduce", ("how to repeat it",)),
    Term("expensive", ("dear", "dearer", "dearest")),
    Term("training pair", ("lessons?",), "prompt and completion to train on"),
    Term(
        "record, measurement, diagnostics",
        ("facts?",),
        "what a run leaves on disk; the key `facts` stays as an alias of `diagnostics`",
    ),
    Term("conclusion", ("opinions?",), "what is computed anew from records"),
    Term(
        "analyse, comparison, rule",
        ("judged?", "judges", "judging", "judge?ments?", "hearings?", "courts?", "contests?"),
        "an LLM judge is a model that scores answers",
    ),
    Term("Single figures are upper bounds", ("at the most where one figure stands",)),
    Term("percent without a space: 95%", (r"\d+ %",)),
)
