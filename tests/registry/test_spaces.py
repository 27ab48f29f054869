"""Search spaces are read from a strategy's parameters, and families from what it needs."""

import pytest
from pydantic import Field

import harness
from harness import Params, Strategy, log, registry, search
from harness.errors import StrategyError
from harness.search_space import Dimension, dimensions


class Answering(Strategy):
    def predict(self, queries):
        return []


def of(**fields):
    """A strategy whose parameters are these fields, each with its type."""
    kinds = {name: kind for name, (kind, _) in fields.items()}
    values = {name: value for name, (_, value) in fields.items()}
    params = type("Params", (Params,), {"__annotations__": kinds, **values, "__module__": __name__})
    return type("Made", (Answering,), {"Params": params})


def rate(default=1e-3, space=log(1e-4, 5e-3)):  # noqa: B008 - frozen
    return float, Field(default, json_schema_extra=search(space))


def test_a_space_is_read_with_its_default_in_the_order_of_the_fields():
    made = of(
        rate=rate(),
        shots=(int, Field(8, json_schema_extra=search([4, 8, 16]))),
        batch=(int, Field(8, json_schema_extra=search(log(2, 32)))),
        plain=(int, 3),
    )
    assert registry.space(made, {}) == (
        Dimension("rate", 1e-3, low=1e-4, high=5e-3),
        Dimension("shots", 8, (4, 8, 16)),
        Dimension("batch", 8, low=2, high=32, whole=True),
    )
    assert registry.space(made, {})[1].others == (4, 16)


def test_a_parameter_that_the_task_gives_stays():
    made = of(rate=rate(), shots=(int, Field(8, json_schema_extra=search([4, 8]))))
    assert [each.name for each in registry.space(made, {"rate": 1e-3})] == ["shots"]


@pytest.mark.parametrize(
    "field", [(int, Field(8, json_schema_extra=search([8]))), rate(space=log(1e-3, 1e-3))]
)
def test_a_space_of_one_value_is_no_dimension(field):
    assert registry.space(of(only=field), {}) == ()


def test_a_list_is_a_value_too():
    made = of(top=(list[int], Field([1, 3], json_schema_extra=search([[1], [1, 3]]))))
    assert registry.space(made, {})[0].others == ([1],)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (rate(default=1e-2), "0.01 lies outside of its search space, 0.0001 to 0.005 → widen"),
        ((int, Field(2, json_schema_extra=search([4, 8]))), "2 is none of the values"),
        ((int, Field(json_schema_extra=search([4, 8]))), "no default → give it one"),
        ((int, Field(2, json_schema_extra={"search": 5})), "is no search space → write it by"),
        ((str, Field("x", json_schema_extra=search(log(1, 2)))), "is no search space → write it"),
    ],
)
def test_a_default_outside_of_its_space_is_said_with_a_remedy(field, said):
    with pytest.raises(StrategyError, match="Made: its Params: 'rate'") as raised:
        registry.space(of(rate=field), {})
    assert said in str(raised.value)


@pytest.mark.parametrize("low_high", [(0, 1), (2, 1), (1, float("inf")), (float("nan"), 1)])
def test_a_range_must_span_something(low_high):
    with pytest.raises(ValueError, match="→ write"):
        log(*low_high)


@pytest.mark.parametrize("values", [[], [1, 1], [[1], (1,)], [object()], [float("nan")]])
def test_values_are_some_and_each_once(values):
    with pytest.raises(ValueError, match="→"):
        search(values)


@pytest.mark.parametrize("name", registry.names())
def test_every_installed_strategy_has_sound_spaces_and_at_most_four(name):
    assert len(registry.space(registry.find(name), {})) <= 4


FAMILY_OF = {
    "majority": "classic",
    "tfidf": "classic",
    "classic": "classic",
    "encoder": "encoder",
    "zero_shot": "prompted",
    "few_shot": "prompted",
    "rag": "retrieval",
    "retrieve": "retrieval",
    "lora": "tuned",
    "rag_lora": "tuned",
    "full_finetune": "tuned",
}


@pytest.mark.parametrize(("name", "family"), FAMILY_OF.items())
def test_families_are_told_from_what_an_arm_needs(name, family, tmp_path):
    strategy = registry.find(name)
    profile = registry.profile(strategy, strategy.Params(), tmp_path)
    assert registry.family(strategy, profile) == family


def test_a_strategy_may_say_its_family_itself(tmp_path):
    class Own(Answering):
        family = "retrieval"

    class Wrong(Answering):
        family = "own"

    profile = registry.profile(Own, Own.Params(), tmp_path)
    assert registry.family(Own, profile) == "retrieval"
    with pytest.raises(StrategyError, match="→ one of prompted"):
        registry.family(Wrong, profile)


def test_a_space_stands_in_no_value_of_the_parameters():
    class Params(harness.Params):
        rate: float = Field(1e-3, json_schema_extra=search(log(1e-4, 5e-3)))

    assert Params().model_dump() == {"rate": 1e-3}
    assert dimensions(Params, {"rate": 1e-3}) == []
