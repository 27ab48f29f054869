"""A linear head over a task's labels, in place of their text: trained, kept and asked.

It reads the state of the prompt's last token (last_states.py) in float32. Knows the labels as
names, and nothing of what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError
from harness.lm.inference import last_states

if TYPE_CHECKING:
    from torch import Tensor

    from harness.lm.local_model import LanguageModel

FILE = "label_head.safetensors"


@dataclass(eq=False)
class LabelHead:
    """A linear layer from a prompt's last state to the labels."""

    labels: tuple[str, ...]
    linear: Any
    """torch.nn.Linear, [labels, hidden], in float32."""

    def scores(self, states: Tensor) -> Tensor:
        """Return the labels' unnormalised log-probabilities, [prompts, labels].

        Args:
            states: [prompts, hidden] of any format.
        """
        found: Tensor = self.linear(states.float())
        return found

    def save(self, folder: Path) -> None:
        """Write weights and labels into a folder."""
        from safetensors.torch import save_file

        kept = {name: value.detach().cpu() for name, value in self.linear.state_dict().items()}
        save_file(kept, folder / FILE, {"labels": json.dumps(self.labels)})


def new_head(lm: LanguageModel, labels: Sequence[str]) -> LabelHead:
    """Return a head that finds all labels equally likely until it is trained.

    Args:
        lm: the model whose states it will read.
        labels: at least two.
    """
    import torch

    width = lm.model.get_output_embeddings().weight.shape[-1]
    linear = torch.nn.Linear(width, len(labels), device=lm.model.device)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    return LabelHead(tuple(labels), linear)


def read_head(lm: LanguageModel, folder: Path) -> LabelHead | None:
    """Return the head that `LabelHead.save` wrote into a folder; None: there is none.

    Raises:
        ModelError: its weights do not fit the model.
    """
    if not (folder / FILE).is_file():
        return None
    from safetensors import safe_open

    with safe_open(folder / FILE, "pt") as file:
        labels = json.loads((file.metadata() or {}).get("labels", "[]"))
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    head = new_head(lm, labels)
    try:
        head.linear.load_state_dict(kept)
    except RuntimeError as problem:
        raise ModelError(f"{folder / FILE} does not fit '{lm.ref.name}' → train it again") from (
            problem
        )
    return head


def score_labels(
    lm: LanguageModel, head: LabelHead, prompts: Sequence[list[int]]
) -> tuple[list[list[float]], int]:
    """Return the labels' log-probabilities for each prompt.

    Args:
        lm: the model that the head was trained on.
        head: whose labels are asked for.
        prompts: token ids of each; at least one each.

    Returns:
        One row a prompt, in natural logarithms; and how many prompt tokens were kept from earlier
        calls.

    Raises:
        ModelError: a prompt does not fit the model's context, or a probability is no number.
    """
    import torch

    states, reused = states_of(lm, prompts)
    if not len(prompts):
        return [], 0
    with torch.inference_mode():
        found = head.scores(states).log_softmax(dim=-1).tolist()  # [prompts, labels]
    if any(isnan(value) for row in found for value in row):
        raise ModelError(
            f"'{lm.ref.name}' gave NaN in {lm.model.dtype} → set `dtype: float32` in the task"
        )
    return found, reused


def states_of(lm: LanguageModel, prompts: Sequence[list[int]]) -> tuple[Tensor, int]:
    """Return what a head reads of each prompt, without gradients.

    Returns:
        States [prompts, hidden]; and how many prompt tokens were kept from earlier calls.

    Raises:
        ModelError: a prompt does not fit the model's context.
    """
    import torch

    for number, prompt in enumerate(prompts):
        lm.check_room(number, len(prompt), 0)
    if not prompts:
        return torch.empty(0, 0), 0
    reused = 0
    if lm.packs:
        reused = lm.rows.run(partial(lm.prefix.begin, lm.model, prompts), lm.prefix.clear)
    found: dict[int, Tensor] = {}
    with torch.inference_mode():
        lm.rows.run(partial(_read_rest, lm, prompts, found))
        return torch.stack([found[number] for number in range(len(prompts))]), reused


def _read_rest(
    lm: LanguageModel, prompts: Sequence[list[int]], found: dict[int, Tensor], at_once: int
) -> None:
    """Read what is not read yet, the shortest prompts first, so many tokens at once."""
    left = sorted(set(range(len(prompts))) - set(found), key=lambda place: len(prompts[place]))
    while left:
        part = [left.pop(0)]
        while left and len(prompts[left[0]]) * (len(part) + 1) <= at_once:
            part.append(left.pop(0))
        asked = [prompts[place] for place in part]
        if lm.packs:
            kept = len(lm.prefix)
            behind = [prompt[kept:] for prompt in asked]
            states = last_states.of_tree(lm, behind, lm.prefix.past, lm.prefix.keys_values)
            lm.prefix.restore()
        else:
            states = lm.route.last_states(lm, asked)
        found.update(zip(part, states, strict=True))  # [part, hidden]
