"""What a training keeps: the best step, or the mean of the last ones where that is no worse."""

from __future__ import annotations

import pytest
from adapters import add_lora
from tiny_models import build
from tuning_rows import pairs, settings

from harness.lm import mean_loss, tune
from harness.lm.training.kept import Kept


def weights(*values):
    import torch

    return [torch.tensor([float(value)]) for value in values]


def test_the_mean_of_what_was_added_is_put_in_place():
    given = weights(1, 10)
    kept = Kept(given)
    kept.add()
    given[0].fill_(3)
    given[1].fill_(20)
    again = Kept(given, kept.state())  # as after an interruption
    again.add()
    again.put_mean()
    assert [float(weight) for weight in given] == [2, 15]


def test_of_equal_losses_the_later_weights_are_kept():
    given = weights(1)
    kept = Kept(given)
    for step, loss in ((1, 0.5), (2, 0.5), (3, 0.7)):
        given[0].fill_(step)
        kept.offer(step, loss)
    kept.put_best()
    assert (float(given[0]), kept.step, kept.evaluations_since) == (2, 2, 2)


@pytest.mark.parametrize(
    ("losses", "patience", "stops"),
    [
        ([1.0, 1.9], None, False),
        ([1.0, 2.1], None, True),
        ([0.0, 0.19], None, False),  # a few rows told apart without any loss
        ([1.0, 1.1, 1.1], 2, True),
        ([1.0, 1.1], 2, False),
    ],
)
def test_only_a_training_that_diverges_is_stopped_without_patience(losses, patience, stops):
    kept = Kept(weights(1))
    for step, loss in enumerate(losses):
        kept.offer(step, loss)
    assert kept.should_stop(patience) is stops


@pytest.mark.parametrize("averaged", [0, 3])
def test_what_is_kept_is_the_lowest_of_all_that_was_looked_at(averaged):
    import torch

    lm = build("llama")
    torch.manual_seed(0)
    add_lora(lm, 4, 8, 0.0)
    validation, logged = pairs(4), []
    given = settings(epochs=6, learning_rate=0.01, averaged=averaged)
    result = tune(lm, pairs(3), validation, given, lambda **row: logged.append(row))
    seen = [row["validation_loss"] for row in logged if "validation_loss" in row]
    assert result.best_validation_loss <= min(seen)
    assert mean_loss(lm, validation) == pytest.approx(result.best_validation_loss, rel=1e-4)
    assert result.averaged in {0, averaged}


def test_at_the_end_of_a_run_the_mean_of_factors_is_nearly_that_of_their_products():
    """The products are what an adapter adds to the weights; across runs the two would differ."""
    import torch

    lm = build("llama")
    torch.manual_seed(0)
    add_lora(lm, 4, 8, 0.0)
    trained = [weight for weight in lm.model.parameters() if weight.requires_grad]
    kept = []

    def looked(**row):
        if row["epoch"] > 5:
            kept.append([weight.detach().clone() for weight in trained])

    tune(lm, pairs(3), [], settings(epochs=8, learning_rate=0.01), looked)
    for place in range(0, len(trained), 2):
        products = [run[place + 1] @ run[place] for run in kept]
        mean = torch.stack(products).mean(0)
        factors = [torch.stack([run[n] for run in kept]).mean(0) for n in (place, place + 1)]
        assert float((factors[1] @ factors[0] - mean).norm() / mean.norm()) < 0.02
