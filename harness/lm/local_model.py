"""A language model in memory: the noun that the engine's functions work on, and a `Model`.

Its methods put texts into tokens and hand those to the inference functions, which know tokens
alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from statistics import fmean
from typing import TYPE_CHECKING, Any, cast

from harness.errors import ModelError
from harness.lm.chat import (
    ChatTemplate,
    answer_tokens,
    end_of_turn,
    label_tokens,
    prompt_tokens,
    turns_of,
)
from harness.lm.inference.generation import generate_tokens
from harness.lm.inference.grammar import Grammar
from harness.lm.inference.held import Grammars
from harness.lm.inference.label_head import LabelHead, score_labels
from harness.lm.inference.prefix_cache import PrefixCache
from harness.lm.inference.routes import PLAIN, Route
from harness.lm.inference.scoring import score_options
from harness.lm.inference.soft_prompt import soft_tokens, underneath
from harness.lm.inference.token_tree import TokenTree
from harness.lm.model import Ability, Generation, OptionScores
from harness.lm.sizing.budget import MOST_TOKENS, Note, RowLimit
from harness.store.records import LoadedModel
from harness.types import ModelRef, Prediction, Prompt, PromptForm, RunningText
from harness.wording.thoughts import behind_thoughts, cut_at, is_thought_token

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from harness.lm.training.adapter_spec import AdapterSpec
    from harness.lm.training.lower_states import LowerStates


SMALL = 10**9
"""Weights below which demonstrations are running text."""


@dataclass(eq=False)
class LanguageModel:
    """A language model in memory, with the prefix it keeps computed."""

    ref: ModelRef
    model: PreTrainedModel
    """Of transformers, or in PEFT's hands."""
    tokenizer: PreTrainedTokenizerBase
    route: Route = PLAIN
    """How it computes; see harness/lm/inference/routes.py."""
    prefix: PrefixCache = field(default_factory=PrefixCache)
    rows: RowLimit = field(default_factory=lambda: RowLimit(MOST_TOKENS["cpu"]))
    """How many tokens are computed at once when scoring and generating."""
    budget_bytes: int | None = None
    """Main memory that this process may use; None: what the machine has. On a GPU its own free
    memory counts."""
    note: Note = lambda kind, text: None
    """Receives remarks for the record: what turned out otherwise than asked for."""
    adapter: AdapterSpec | None = None
    """What is trained of it, once `add_adapter` was called."""
    lower: LowerStates | None = None
    """What its lower layers make of tokens, while only the layers above them are trained."""
    head: LabelHead | None = None
    """What scores labels in place of their text, where it was tuned with one."""
    grammars: Grammars = field(default_factory=Grammars)
    """What answers are held to, as far as it was compiled."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """All of them."""
        return frozenset({"score_options", "log_likelihood", "count_tokens", "running_text"})

    @property
    def packs(self) -> bool:
        """Whether its rows are token trees, for whoever trains it."""
        return self.route.packs

    @property
    def has_encoder(self) -> bool:
        """Whether an encoder reads the prompt."""
        return self.route.has_encoder

    @property
    def has_turns(self) -> bool:
        """Whether its tokenizer has a chat template."""
        return self.tokenizer.chat_template is not None

    @property
    def default_form(self) -> PromptForm:
        """Running text for a small model, and for one whose template shows no conversation."""
        return form_for(self, int(self.model.num_parameters()))

    @cached_property
    def chat(self) -> ChatTemplate:
        """Its chat template under the task's settings, where it has one."""
        return ChatTemplate(self.tokenizer, self.ref.chat)

    @property
    def thinks(self) -> bool:
        """Whether free text is written behind thoughts: the task asks for them."""
        return self.has_turns and self.ref.chat.asks_thoughts

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Tokens after which an answer is over."""
        generation = getattr(self.model, "generation_config", None)
        own = getattr(generation, "eos_token_id", None)
        ends = [end_of_turn(self.tokenizer, self.ref.chat), self.tokenizer.eos_token_id]
        ends += own if isinstance(own, list) else [own]
        return tuple(dict.fromkeys(end for end in ends if end is not None))

    @property
    def context_tokens(self) -> int | None:
        """Longest sequence the model was made for, in tokens; None if its config does not say."""
        config = self.model.config.get_text_config(decoder=True)
        return getattr(config, "max_position_embeddings", None)

    def has_room(self, prompt_tokens: int, answer_tokens: int) -> bool:
        """Tell whether a prompt fits the model's context together with an answer."""
        # Encoder and decoder have a context each; a soft prompt takes room that no text shows.
        together = not self.has_encoder
        needed = prompt_tokens + answer_tokens if together else max(prompt_tokens, answer_tokens)
        needed += soft_tokens(self.model)
        return self.context_tokens is None or needed <= self.context_tokens

    def check_room(self, number: int, prompt_tokens: int, answer_tokens: int) -> None:
        """Check that a prompt fits the model's context together with its answer.

        Args:
            number: the prompt's place in its call, for the error.
            prompt_tokens: of the prompt.
            answer_tokens: of the longest answer it may get.

        Raises:
            ModelError: it does not fit, or there is nothing of it.
        """
        if not prompt_tokens:
            raise ModelError(f"prompt {number} has no tokens")
        if not self.has_room(prompt_tokens, answer_tokens):
            raise ModelError(
                f"prompt {number} needs {prompt_tokens} tokens and {answer_tokens} for its answer;"
                f" '{self.ref.name}' takes at most {self.context_tokens}"
                " → use fewer shots or shorter inputs"
            )

    def count_tokens(self, prompt: Prompt) -> int:
        """Return a prompt's tokens up to where the answer begins, or the thoughts before it."""
        return max(len(prompt_tokens(self, prompt, thoughts)) for thoughts in {False, self.thinks})

    def count_answer_tokens(self, text: str, prompt: Prompt = "") -> int:
        """Return an answer's tokens behind a prompt, with those that end it."""
        return len(answer_tokens(self, text, prompt))

    def score_options(
        self, prompts: Sequence[Prompt], options: Sequence[str]
    ) -> list[OptionScores]:
        """Return how likely each option is as the whole answer to each prompt.

        Raises:
            ModelError: an option has no tokens, or the same as another; a prompt does not fit.
        """
        tokens = [prompt_tokens(self, prompt) for prompt in prompts]
        if self.head is not None and self.head.labels == tuple(options):
            scores, kept = score_labels(self, self.head, tokens)
            none = (0,) * len(options)  # no token of a label is computed
            found = zip(tokens, scores, strict=True)
            return [OptionScores(tuple(row), none, len(ids), kept) for ids, row in found]
        labels = self._labels(prompts, options)
        scores, kept = score_options(self, tokens, labels)
        return [
            OptionScores(tuple(row), tuple(map(len, cut)), len(ids), kept)
            for ids, row, cut in zip(tokens, scores, labels, strict=True)
        ]

    def _labels(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[list[list[int]]]:
        """Return each prompt's options as tokens; prompts that end alike share theirs."""
        known: dict[Prompt, list[list[int]]] = {}
        found = []
        for prompt in prompts:
            end: Prompt = ""
            if isinstance(prompt, RunningText):
                end = RunningText(prompt.text.rpartition("\n")[2], prompt.end)
            if end not in known:
                known[end] = [label_tokens(self, option, end) for option in options]
            found.append(known[end])
        return found

    def generate(self, prompts: Sequence[Prompt], settings: Generation) -> list[Prediction]:
        """Generate greedily until the end of the turn, a stop string or the last token.

        Under a schema only text that is valid under it is written, and under spans only what they
        hold. An answer that is cut before its JSON is complete has a note that says so.

        Raises:
            ModelError: a prompt does not fit, or the schema cannot be compiled.
        """
        schema, stop = settings.schema, settings.stop
        # A grammar and running text leave no room for thoughts, and a stop string may stand in one.
        copied = any(settings.spans)
        running = any(isinstance(prompt, RunningText) for prompt in prompts)
        thinks = self.thinks and schema is None and not copied and not running
        tokens = [prompt_tokens(self, prompt, thinks) for prompt in prompts]
        grammars = self._grammars(settings, len(prompts)) if copied or schema is not None else ()
        ends = () if thinks else stop
        outputs, kept = generate_tokens(self, tokens, settings.max_new_tokens, ends, grammars)
        predictions = []
        for prompt, ids, new in zip(prompts, tokens, outputs, strict=True):
            # The prompt may have opened the thought: without its mark it would pass as an answer.
            several = len(turns_of(prompt)) > 1
            thought = self.chat.view(several).opening.thought if thinks else ""
            written = thought + self._text(new)
            if isinstance(prompt, RunningText):
                written = written.removeprefix(" ")
            text = cut_at(written, stop).strip() if copied else cut_at(written, stop)
            incomplete = schema is not None and not _is_json(text)
            # What ended it may be its last token: a stop string, or what completes its JSON.
            stopped = any(word in behind_thoughts(written) for word in stop)
            over = stopped or (schema is not None and not incomplete)
            cut = len(new) >= settings.max_new_tokens and not over
            predictions.append(
                Prediction(
                    text=text,
                    prompt=prompt,
                    prompt_tokens=len(ids),
                    cached_tokens=kept,
                    output_tokens=len(new),
                    finish_reason="length" if cut else "stop",
                    mean_logprob=fmean(new.logprobs) if new.logprobs else None,
                    least_logprob=min(new.logprobs, default=None),
                    notes=tuple(_incomplete(len(new), cut)) if incomplete else (),
                )
            )
        return predictions

    def tree_logits(self, given: Mapping[str, Any], tree: TokenTree) -> Tensor:
        """Return the logits of a token tree where they are wanted, [wanted, vocabulary].

        Args:
            given: what the model is handed for it.
            tree: the row.
        """
        # A row behind kept keys and values stands elsewhere than where its states were computed.
        if self.lower is not None and given.get("past_key_values") is None:
            above = self.lower.logits(given, tree)
            if above is not None:
                return above
        found: Tensor = underneath(self.model)(**given).logits[0]
        return found

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion's text after its prompt."""
        tokens = [prompt_tokens(self, prompt) for prompt in prompts]
        # Without the end of the turn, which is none of the text's bytes.
        options = [
            [answer_tokens(self, completion, prompt, ended=False)]
            for prompt, completion in zip(prompts, completions, strict=True)
        ]
        scores, _ = score_options(self, tokens, options)
        return [row[0] for row in scores]

    def loaded(self) -> LoadedModel:
        """Return what was loaded, read off the model itself."""
        dtype = str(self.model.dtype).removeprefix("torch.")
        packing = _packing(self.model)
        # What PEFT adds has its tuner's mark in its name; a soft prompt stands under no tuner.
        tuner = getattr(self.model, "base_model", None)
        mark = getattr(tuner, "prefix", None) or "prompt_encoder"
        return LoadedModel(
            name=self.ref.name,
            dtype=f"{packing}, computed in {dtype}" if packing else dtype,
            device=str(self.model.device),
            parameters=sum(
                # Two weights of 4 bits stand in a byte; what PEFT adds is not the model's.
                parameter.numel() * (2 if str(parameter.dtype) == "torch.uint8" else 1)
                for name, parameter in self.model.named_parameters()
                if mark not in name
            ),
            weights_bytes=self.model.get_memory_footprint(),
            scoring=self.route.name,
            opening=self._opening(),
        )

    def _grammars(self, settings: Generation, rows: int) -> list[Grammar | None]:
        """Return what each row is held to."""
        width = self.model.get_output_embeddings().weight.shape[0]
        return self.grammars.of(settings, rows, self.tokenizer, width, self.ends[0])

    def _opening(self) -> str | None:
        """Return what stands between a prompt of one turn and its answer; None without a chat."""
        if self.tokenizer is None or not self.has_turns:
            return None
        opening = self.chat.view(several=False).opening
        return opening.text + opening.blank

    def _text(self, tokens: list[int]) -> str:
        """Return what tokens say, each space as it was written, without special tokens.

        Those that mark a thought stay: without them it would pass as an answer.
        """
        marks = self._thought_tokens
        runs = [(said, list(run)) for said, run in groupby(tokens, marks.get)]
        return "".join(said * len(run) if said else self._plain_text(run) for said, run in runs)

    def _plain_text(self, tokens: list[int]) -> str:
        text = self.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return cast(str, text)

    @cached_property
    def _thought_tokens(self) -> dict[int, str]:
        """Special tokens that are marks of thoughts or parts of such, with what they say."""
        added = getattr(self.tokenizer, "added_tokens_decoder", {})
        return {
            number: token.content
            for number, token in added.items()
            if token.special and is_thought_token(token.content)
        }


def _incomplete(tokens: int, cut: bool) -> Iterator[str]:
    """Say what ended an answer before its JSON was complete."""
    what = f"cut after {tokens} tokens" if cut else "ended by a stop string"
    yield f"{what}: the JSON is incomplete"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def form_for(lm: LanguageModel, weights: int) -> PromptForm:
    """Return how demonstrations are written for a model of so many weights.

    Below a billion a chat template costs more than it gives: SmolLM2-135M chose right among ten
    labels of banking77 in 0.575 of 200 cases from running text and in 0.345 from turns. Larger
    models were not measured here. A task that sets variables of the template wants it applied.
    """
    shown = lm.has_turns and lm.chat.view(several=True).lost is None
    wanted = weights >= SMALL or bool(lm.ref.chat.template_kwargs)
    return "turns" if shown and wanted else "plain"


def _packing(model: Any) -> str | None:
    """Return the form that a model's weights are packed in; None if they are plain numbers."""
    how = getattr(model.config, "quantization_config", None)
    if how is None or not getattr(model, "is_quantized", False):
        return None  # FP8 is unpacked where there is no kernel for it
    how = how if isinstance(how, dict) else how.to_dict()
    method = how.get("quant_method")
    return "4 bits" if how.get("load_in_4bit") else str(getattr(method, "value", method)).upper()
