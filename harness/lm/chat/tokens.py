"""Prompts, answers and labels as tokens, each cut where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError
from harness.lm.chat.template import NEXT, ChatTemplate, running_text
from harness.types import ChatSettings, Prompt, RunningText

if TYPE_CHECKING:
    from harness.lm.local_model import LanguageModel

NEXT_LETTER = "A"
"""Stands for whatever follows the end of an answer in running text."""
REMEDY = "use a model whose chat template shows every turn, or mend the template in its folder"


def prompt_tokens(lm: LanguageModel, prompt: Prompt, thoughts: bool = False) -> list[int]:
    """Return the tokens of a prompt up to where the assistant's answer begins.

    Args:
        lm: the model.
        prompt: one turn, a conversation or running text.
        thoughts: up to where its thoughts begin, if its template has it think.

    Raises:
        ModelError: its chat template does not show all of the prompt.
    """
    tokenizer, settings = lm.tokenizer, lm.ref.chat
    if isinstance(prompt, RunningText) or tokenizer.chat_template is None:
        text = running_text(prompt, settings.system)
        return list(tokenizer(text, add_special_tokens=True).input_ids)
    try:
        rendered = lm.chat.text(prompt, thoughts)
    except ModelError as problem:
        raise ModelError(f"model '{lm.ref.name}': {problem} → {REMEDY}") from problem
    return list(tokenizer(rendered, add_special_tokens=False).input_ids)


def answer_tokens(
    lm: LanguageModel, text: str, prompt: Prompt = "", ended: bool = True
) -> list[int]:
    """Return the tokens of an answer and, where `ended`, of what says that it is over.

    That tells a label from a longer one that begins with it.

    Args:
        lm: the model.
        text: of the answer.
        prompt: what it answers. In a chat the end of the turn ends it, in running text what stands
            there behind an answer: a text that was begun does not end with its first answer.
        ended: whether the end is wanted too.
    """
    if isinstance(prompt, RunningText) and not lm.has_encoder:
        return _in_running_text(lm, text, prompt, ended)
    tokens = _in_turn(lm, text)
    return tokens if ended else tokens[:-1]


def _in_running_text(lm: LanguageModel, text: str, prompt: RunningText, ended: bool) -> list[int]:
    """Return the tokens of an answer as they stand behind the prompt's last line."""
    before = prompt.text.rpartition("\n")[2]
    tokens = _behind(lm.tokenizer, before, f" {text}")
    if not ended:
        return tokens
    if _behind(lm.tokenizer, before, f" {text}{prompt.end}") == tokens:
        return [*tokens, lm.ends[0]]  # some tokenizers drop line ends
    # Cut as it is where the text goes on: SmolLM2 has one token for a blank line at a text's end,
    # and two for one between paragraphs. What the first one says is enough. The answer's own last
    # token may hold the end too ("." and a line's end).
    whole = _behind(lm.tokenizer, before, f" {text}{prompt.end}{NEXT_LETTER}")
    return whole[: len(tokens) + (whole[: len(tokens)] == tokens)]


def _in_turn(lm: LanguageModel, text: str) -> list[int]:
    """Return the tokens of an answer in a turn of its own, with the end of the turn."""
    tokenizer = lm.tokenizer
    # A decoder of its own reads the text as its tokenizer completes a target.
    if lm.has_encoder:
        tokens = list(tokenizer(text_target=text, add_special_tokens=True).input_ids)
        return tokens if tokens[-1:] == [lm.ends[0]] else [*tokens, lm.ends[0]]
    # Without a chat template the answer follows "Answer:" in running text, behind a space.
    if tokenizer.chat_template is None:
        return [*tokenizer(f" {text}", add_special_tokens=False).input_ids, lm.ends[0]]
    opening = lm.chat.view(several=False).opening
    return [*_behind(tokenizer, opening.text, opening.blank + text), lm.ends[0]]


def _behind(tokenizer: Any, before: str, text: str) -> list[int]:
    """Return the tokens of a text that stands behind another.

    Some tokenizers put a space before whatever begins a text, and an answer begins none.
    """
    whole = list(tokenizer(before + text, add_special_tokens=False).input_ids)
    first = list(tokenizer(before, add_special_tokens=False).input_ids)
    if whole[: len(first)] == first:
        return whole[len(first) :]
    # A token reaches over the seam; generated, the answer could not begin in its middle.
    return list(tokenizer(text, add_special_tokens=False).input_ids)


def label_tokens(lm: LanguageModel, label: str, prompt: Prompt = "") -> list[int]:
    """Return the tokens of an answer that must say something: a label to choose.

    Args:
        lm: the model.
        label: to choose.
        prompt: what it answers, as for `answer_tokens`.

    Raises:
        ModelError: nothing of it is left when it is cut into tokens.
    """
    tokens = answer_tokens(lm, label, prompt)
    if not lm.tokenizer.decode(tokens[:-1], skip_special_tokens=True).strip():
        raise ModelError(f"label {label!r} has no tokens for '{lm.ref.name}' → rename the label")
    return tokens


def same_labels(lm: LanguageModel, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each label that is the same tokens as an earlier one, behind that one.

    Raises:
        ModelError: a label has no tokens.
    """
    first: dict[tuple[int, ...], str] = {}
    for label in labels:
        earlier = first.setdefault(tuple(label_tokens(lm, label)), label)
        if earlier != label:
            yield earlier, label


def end_of_turn(tokenizer: Any, settings: ChatSettings | None = None) -> int:
    """Return the token that ends an assistant's turn: off the template, else the model's end.

    Raises:
        ModelError: the tokenizer has neither.
    """
    if tokenizer.chat_template is not None:
        chat = ChatTemplate(tokenizer, settings or ChatSettings())
        # Some end a turn by beginning the next one: then nothing stands behind the last.
        for after in ((), (NEXT,)):
            rest = chat.behind_answer(*after).lstrip()
            ids = tokenizer(rest, add_special_tokens=False).input_ids if rest else []
            # Whatever is a token by itself; `all_special_ids` has only those with a role.
            if ids and ids[0] in tokenizer.added_tokens_decoder:
                return int(ids[0])
            if rest:
                break
    if tokenizer.eos_token_id is None:
        raise ModelError("the tokenizer has no token that ends a text → set its `eos_token`")
    return int(tokenizer.eos_token_id)
