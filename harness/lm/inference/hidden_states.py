"""What a model's layers make of texts: the mean over tokens of the states behind a layer.

Sequences are packed into rows as for scoring, each token once, and rows hold as many tokens as the
memory allows. Models that cannot be packed read one sequence at a time; of those with an encoder
the encoder's states count. Knows nothing of what the states are for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.lm.inference.attention import tree_inputs
from harness.lm.inference.token_tree import TokenTree

if TYPE_CHECKING:
    from harness.lm.local_model import LanguageModel

States = NDArray[np.float32]
"""[sequences, depths, width]."""


def pooled_states(
    lm: LanguageModel,
    sequences: Sequence[list[int]],
    depths: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> States:
    """Return the mean over each sequence's tokens of the states behind some layers.

    Args:
        lm: the model.
        sequences: token ids, at least one each, no more than its context holds.
        depths: layers that the states have passed: 0 is the embeddings, `depth_of(lm)` the end.
        progress: receives (done, all) behind each row.

    Returns:
        [sequences, depths, width], float32.

    Raises:
        ModelError: a sequence is empty or too long, or a state is not finite.
    """
    for number, sequence in enumerate(sequences):
        lm.check_room(number, len(sequence), 0)
    found: list[Any] = [None] * len(sequences)
    read = _encoder_states if lm.has_encoder else _decoder_states
    # In the order of their tokens, so that those with a common beginning share a row.
    left = sorted(range(len(sequences)), key=lambda place: sequences[place])

    def work(at_once: int) -> None:
        """Compute what is left; memory that runs out in a row costs that row alone."""
        while left:
            places = _row(sequences, left, at_once if lm.packs else 0)
            for place, states in zip(places, read(lm, places, sequences, depths), strict=True):
                found[place] = states
            del left[: len(places)]
            if progress is not None:
                progress(len(sequences) - len(left), len(sequences))

    lm.rows.run(work)
    pooled = np.array(found, dtype=np.float32)
    if not np.isfinite(pooled).all():
        raise ModelError(
            f"'{lm.ref.name}' gave NaN in {lm.model.dtype} → set `dtype: float32` in the task"
        )
    return pooled


def depth_of(lm: LanguageModel) -> int:
    """Return how many layers states can pass; an encoder's where there is one."""
    model: Any = lm.model
    if lm.has_encoder:
        return int(model.get_encoder().config.get_text_config().num_hidden_layers)
    return int(model.config.get_text_config(decoder=True).num_hidden_layers)


def _row(sequences: Sequence[list[int]], left: Sequence[int], limit: int) -> list[int]:
    """Return the places that a row holds: those that fit it, one at the least."""
    tree = TokenTree()
    places: list[int] = []
    for place in left:
        if places and len(tree) + len(sequences[place]) > limit:
            break
        tree.add(sequences[place])
        places.append(place)
    return places


def _decoder_states(
    lm: LanguageModel, places: Sequence[int], sequences: Sequence[list[int]], depths: Sequence[int]
) -> list[States]:
    """Return the pooled states of a row's sequences, [depths, width] each."""
    import torch

    tree = TokenTree()
    paths = [tree.add(sequences[place]) for place in places]
    with torch.inference_mode():
        inputs = (
            tree_inputs(lm.model, tree)
            if lm.packs
            else {"input_ids": torch.tensor([tree.tokens], device=lm.model.device)}
        )
        # The logits are not wanted, and one position is the fewest that can be asked for.
        output = lm.model(**inputs, use_cache=False, output_hidden_states=True, logits_to_keep=1)
        return _pooled(output.hidden_states, paths, depths)


def _encoder_states(
    lm: LanguageModel, places: Sequence[int], sequences: Sequence[list[int]], depths: Sequence[int]
) -> list[States]:
    """Return the pooled states of one sequence, from the encoder."""
    import torch

    (place,) = places
    ids = torch.tensor([sequences[place]], device=lm.model.device)  # [1, tokens]
    with torch.inference_mode():
        output = lm.model.get_encoder()(input_ids=ids, output_hidden_states=True)
        return _pooled(output.hidden_states, [list(range(ids.shape[1]))], depths)


def _pooled(states: Any, paths: Sequence[list[int]], depths: Sequence[int]) -> list[States]:
    """Return the mean of the states along each path, [depths, width].

    Args:
        states: for each depth [1, nodes, width]; some models (Gemma 3n) keep several streams,
            [streams, 1, nodes, width], of which the first is the one that layers work on.
        paths: the nodes of each sequence.
        depths: which are wanted.
    """
    import torch

    chosen = [states[depth].flatten(0, -3)[0] for depth in depths]
    wanted = torch.stack(chosen)  # [depths, nodes, width]
    return [wanted[:, path].float().mean(dim=1).cpu().numpy() for path in paths]
