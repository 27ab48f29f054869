"""The benchmarks' own logic: commands, counts, comparisons. No timing, no peer, no model."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import (
    __main__ as command,
)
from benchmarks import (
    data,
    generation,
    lora_training,
    measure,
    operations,
    scoring,
    trl_peer,
    utilisation,
)
from benchmarks.sides import Side, SideError, Sides
from harness.errors import UserError

ROOT = Path(__file__).parent.parent
COMMON = {"ours_s", "peer_s", "ratio", "ours_peak_rss_bytes", "peer_peak_rss_bytes"}
needs_data = pytest.mark.skipif(
    not data.FOLDER.is_dir(), reason=f"the banking77 data are not at {data.FOLDER}"
)


class FakeSides:
    """Answers for sides that never ran."""

    device = "cpu"

    def __init__(self, answers, quick=False, left_s=1000.0):
        self.answers, self.quick, self.asked = answers, quick, []
        self.left_s = lambda: left_s

    def say(self, text):
        pass

    def run(self, function, **arguments):
        self.asked.append((function, arguments))
        answer = self.answers[function]
        answer = answer(**arguments) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        wall_s, values = answer
        peak = 100 if function.__module__ != trl_peer.__name__ else 300
        return Side(wall_s, peak, None, total_s=wall_s + 5, values=values)


# the command


def test_an_unknown_name_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["choice_scorin"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert [name for name in command.NAMES if name not in said] == []


def test_no_name_is_a_mistake():
    with pytest.raises(SystemExit) as ended:
        command.main([])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("name", "package"),
    [("choice_scoring", "lm_eval"), ("many_labels", "lm_eval"), ("lora_training", "trl")],
)
def test_a_missing_peer_says_how_to_install_it(name, package, monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    assert command.main([name, "--quick"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().endswith("→ pip install -c constraints.txt -e '.[benchmarks]'")
    assert package in err


@pytest.mark.parametrize("name", command.NAMES)
def test_every_name_is_a_page_and_stands_in_the_readme(name):
    module = import_module(f"benchmarks.{name}")
    assert callable(module.run)
    assert isinstance(module.PACKAGES, tuple)
    assert f"| `{name}` |" in (ROOT / "benchmarks" / "README.md").read_text()


def test_a_failed_side_is_reported_and_prints_no_figures(monkeypatch, capsys):
    def fail(*_):
        raise SideError("benchmarks.generation.peer was killed by signal 9:\n")

    monkeypatch.setattr(command, "_run", fail)
    assert command.main(["generation"]) == 1
    out, err = capsys.readouterr()
    assert (out, "killed by signal 9" in err) == ("", True)


def test_the_last_line_is_the_json(monkeypatch, capsys):
    monkeypatch.setattr(command, "_run", lambda name, _, quick: {"name": name, "quick": quick})
    assert command.main(["generation", "--quick"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "name": "generation",
        "quick": True,
    }


# sides


def fifty_mib(repeat):
    block, measurement = measure.measured(lambda: b"x" * 2**20 * 50 * repeat)
    return measurement, {"length": len(block), "loaded": "torch" in sys.modules}


def breaks():
    raise ValueError("on purpose")


def silent():
    sys.exit(0)


@pytest.fixture
def sides(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    return Sides(quick=False, device="cpu")


def test_a_side_is_a_process_of_its_own(sides, capsys):
    small, large = (sides.run(fifty_mib, repeat=repeat) for repeat in (1, 5))
    assert small.values == {"length": 50 * 2**20, "loaded": False}
    assert large.peak_rss_bytes - small.peak_rss_bytes == pytest.approx(200 * 2**20, rel=0.3)
    assert 0 < large.wall_s < large.total_s
    assert large.peak_gpu_bytes is None
    assert "fifty_mib" in capsys.readouterr().err


def test_a_broken_side_is_named_with_its_last_words(sides):
    with pytest.raises(SideError, match=r"(?s)test_benchmarks\.breaks ended with code 1.*purpose"):
        sides.run(breaks)
    with pytest.raises(SideError, match=r"test_benchmarks\.silent ended with code 0"):
        sides.run(silent)


# counts


def test_operations_are_those_counted_by_hand():
    shape = operations.Shape(weights=1000, layers=2, attention_width=8, hidden=4, vocabulary=10)
    # Contexts of blocks of 3 and 2 tokens: 1+2+3 and 1+2.
    attention = 4 * 8 * 9 * 2
    assert operations.forward_operations(shape, [3, 2], 2) == 2 * 1000 * 5 + attention + 2 * 40 * 2
    assert operations.lora_operations(shape, [3, 2], 2) == 4 * 1000 * 5 + 3 * attention + 4 * 40 * 2


@pytest.mark.parametrize("tied", [True, False])
def test_a_shape_leaves_out_embedding_and_head(tied):
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        tie_word_embeddings=tied,
    )
    model = transformers.LlamaForCausalLM(config)
    layer = 16 * 32 + 2 * 16 * 16 + 32 * 16 + 3 * 16 * 24 + 2 * 16
    assert operations.shape_of(model) == operations.Shape(3 * layer + 16, 3, 32, 16, 50)


def test_rates_count_every_token_that_is_computed():
    shape = operations.Shape(weights=10**6, layers=1, attention_width=0, hidden=0, vocabulary=0)
    rates = utilisation._rates(shape, sequence_s=2.0, step_s=0.5)
    assert rates["prefill_tokens_per_s"] == 512 / 2
    assert rates["prefill"] == pytest.approx(2e6 * 512 / 2 / 1e9)
    assert rates["train_tokens_per_s"] == 63 * 8 / 0.5  # a row's last token is never an input
    assert rates["train"] == pytest.approx(4e6 * 504 / 0.5 / 1e9)


def test_sequences_of_utilisation_share_nothing():
    texts = utilisation._Texts.__new__(utilisation._Texts)
    texts._ids, texts._first = [7] * 2000, 1000
    texts._draw = SimpleNamespace(randrange=lambda _: 0)
    one, other = texts.cut(512), texts.cut(512)
    assert (len(one), len(other)) == (512, 512)
    assert one[0] != other[0]


# data


@needs_data
def test_work_is_drawn_the_same_every_time():
    first, again = (data.few_shot_questions(10, 20, 100) for _ in range(2))
    assert first == again
    assert len(set(first.prompts)) == 100
    assert len(set(first.continuations)) == 10
    assert data.lesson(160, 80) == data.lesson(160, 80)


@needs_data
def test_few_shot_prompts_share_their_demonstrations_and_nothing_else():
    questions = data.few_shot_questions(10, 20, 100)
    shared = {prompt.rsplit("Message: ", 1)[0] for prompt in questions.prompts}
    assert len(shared) == 1
    shown = re.findall(r"Message: (.*)\nLabel:( .*)\n", shared.pop())
    assert len(shown) == 20
    assert {label for _, label in shown} <= set(questions.continuations)
    asked = {
        prompt.rsplit("Message: ", 1)[1].removesuffix("\nLabel:") for prompt in questions.prompts
    }
    assert not asked & {message for message, _ in shown}


@needs_data
def test_zero_shot_prompts_list_every_label():
    questions = data.zero_shot_questions(100)
    assert len(questions.continuations) == 77
    for label in questions.continuations:
        assert f"\n-{label}\n" in questions.prompts[0]


@needs_data
def test_what_is_held_out_is_not_learnt_from():
    lesson = data.lesson(160, 80)
    assert (len(lesson.examples), len(lesson.held_out)) == (160, 80)
    assert not {m for m, _ in lesson.examples} & {m for m, _ in lesson.held_out}


def test_missing_data_names_the_folder(tmp_path, monkeypatch):
    data._read.cache_clear()
    monkeypatch.setattr(data, "FOLDER", tmp_path / "banking77")
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "banking77"))):
        data.lesson(1, 1)
    data._read.cache_clear()


# scoring


def scored(prompts, **_):
    rows = [[-1.0 - i, -2.0 - i] for i in range(len(prompts))]
    return len(prompts) * 0.5, {
        "scores": rows,
        "token_hashes": list(prompts),
        "length_mean": 12.0,
    }


def peer_scored(prompts, **_):
    wall_s, values = scored(prompts)
    values["scores"] = [[a + 2e-5, b] for a, b in values["scores"]]
    return wall_s * 100, values


QUESTIONS = data.Questions([f"prompt {n}" for n in range(6)], [" yes", " no"])


def scoring_answers(**other):
    trials = (6.0, {"1": 3.0, "8": 2.0, "32": 4.0})
    return {
        scoring.ours: scored,
        scoring.peer: peer_scored,
        scoring.peer_trials: trials,
    } | other


def test_scoring_gives_seconds_per_message_and_the_peers_best(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")
    sides = FakeSides(scoring_answers())
    found = scoring.compare(sides, QUESTIONS, peer_messages=3)
    assert set(found) > COMMON
    assert (found["ours_s"], found["peer_s"], found["ratio"]) == (0.5, 50.0, 100.0)
    assert (found["ours_messages"], found["peer_messages"]) == (6, 3)
    assert found["max_abs_diff"] == pytest.approx(2e-5)
    assert found["same_predictions"] is True
    assert found["peer_settings"]["batch_size"] == 8
    json.dumps(found)


def test_a_quick_scoring_takes_as_many_messages_as_fit(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")
    sides = FakeSides(scoring_answers(), quick=True, left_s=5 + 9.0)  # a start takes 5 s
    found = scoring.compare(sides, QUESTIONS, peer_messages=6)
    assert found["peer_messages"] == 2  # at 2 s for each of 2 continuations
    assert scoring.messages_that_fit(-3.0, 4.0, 6) == 1
    assert scoring.messages_that_fit(1e6, 4.0, 6) == 6


def test_a_batch_size_that_needs_too_much_memory_is_left_out(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")

    def trials(counts, **_):
        if "32" in counts:
            return SideError("peer_trials was killed by signal 9:\nlast words")
        return 1.0, {size: float(size) for size in counts}

    found = scoring.compare(
        FakeSides(scoring_answers(**{}) | {scoring.peer_trials: trials}), QUESTIONS, 3
    )
    settings = found["peer_settings"]
    assert settings["batch_size"] == 1
    assert settings["failed"] == {"32": "peer_trials was killed by signal 9:"}


def test_sides_that_scored_other_tokens_are_not_compared(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")

    def other_tokens(prompts, **_):
        wall_s, values = scored(prompts)
        return wall_s, values | {"token_hashes": ["?"] * len(prompts)}

    with pytest.raises(SideError, match="same tokens"):
        scoring.compare(FakeSides(scoring_answers() | {scoring.peer: other_tokens}), QUESTIONS, 3)


# generation


def generated(outputs):
    return lambda prompts, **_: (
        2.0,
        {
            "outputs": outputs[: len(prompts)],
            "token_hashes": list(prompts),
            "prompt_tokens_mean": 9.0,
            "shared_tokens": 8,
            "new_tokens_mean": 3.0,
            "ends": [0],
        },
    )


def generation_answers(peer_outputs, gaps):
    return {
        generation.ours: generated([[1, 2, 3]] * 64),
        generation.peer: generated(peer_outputs),
        generation.peer_trials: (1.0, {"8": 0.3, "16": 0.2, "32": 0.4}),
        generation.peer_gaps: (1.0, gaps),
    }


@needs_data
@pytest.mark.parametrize(
    ("other", "gaps", "same"),
    [
        ([1, 2, 3], None, True),
        ([1, 2, 9], [5e-4], True),
        ([1, 2, 9], [5e-2], False),
        ([1, 2], [5e-2], False),
    ],
)
def test_tokens_agree_up_to_a_near_tie(other, gaps, same):
    sides = FakeSides(generation_answers([other] + [[1, 2, 3]] * 63, gaps))
    found = generation.run(sides)
    assert set(found) > COMMON
    assert found["same_tokens"] is same
    assert found["peer_settings"]["batch_size"] == 16
    if gaps:
        assert sides.asked[-1][1]["common"] == [[1, 2]]


# training


def trained(dtype, **_):
    values = {"losses": [3.0, 2.0], "learning_rates": [1e-3, 5e-4], "start": 7.0, "final_loss": 2.0}
    values |= {"train": [([n], [n]) for n in range(16)], "held_out": [([1], [2])]}
    return {"float32": 10.0, "bfloat16": 20.0}[dtype], values


def peer_trained(dtype, **_):
    final, last = {"float32": (2.2, 2.0), "bfloat16": (2.01, 2.5)}[dtype]
    return 50.0, {"losses": [3.0, last], "start": 7.0, "optim": "x", "final_loss": final}


def tried(settings, **_):
    return 1.0, [[setting, 9.0 - number] for number, setting in enumerate(settings)]


TRAINING = {
    lora_training.ours: trained,
    trl_peer.peer: peer_trained,
    trl_peer.trials: tried,
}


@needs_data
def test_the_smaller_ratio_and_the_larger_difference_count(monkeypatch):
    monkeypatch.setattr(lora_training, "version", lambda _: "0")
    monkeypatch.setattr(lora_training, "has_bf16", lambda: True)
    sides = FakeSides(TRAINING)
    found = lora_training.run(sides)
    assert set(found) > COMMON
    assert (found["ratio_fp32"], found["ratio_bf16"], found["ratio"]) == (5.0, 2.5, 2.5)
    assert (found["ours_s"], found["peer_s"]) == (20.0, 50.0)
    assert (found["final_loss_ours"], found["final_loss_peer"]) == (2.0, 2.2)
    assert found["max_abs_diff"] == 0.5
    settings = found["peer_settings"]["bfloat16"]  # the last of the settings is the best here
    assert (settings["padding_free"], settings["autocast"]) == (True, True)
    learnt = [words["train"] for function, words in sides.asked if function is trl_peer.peer]
    assert learnt[0] == learnt[1] != trained("float32")[1]["train"]
    assert sorted(learnt[0]) == trained("float32")[1]["train"]


@needs_data
@pytest.mark.parametrize(("native", "precisions"), [(True, 2), (False, 1)])
def test_a_processor_without_bfloat16_is_not_made_to_emulate_it(native, precisions, monkeypatch):
    monkeypatch.setattr(lora_training, "version", lambda _: "0")
    monkeypatch.setattr(lora_training, "has_bf16", lambda: native)
    sides = FakeSides(TRAINING, quick=True)
    found = lora_training.run(sides)
    assert found["bf16_native"] is native
    assert (found["ratio_bf16"] is None) is (not native)
    assert len(found["peer_settings"]) == precisions
    assert {one["padding_free"] for one in found["peer_settings"].values()} == {True}  # one tried
    asked = [function for function, _ in sides.asked]
    assert asked.count(trl_peer.peer) == precisions


@pytest.mark.parametrize(
    ("change", "words"),
    [({"start": 8.0}, "other|different adapter"), ({"losses": [2.0, 2.0]}, "first batches differ")],
)
def test_sides_that_do_not_learn_the_same_are_not_compared(change, words):
    us = {"losses": [3.0, 2.0], "start": 7.0}
    with pytest.raises(SideError, match=words):
        lora_training._checked(Side(1.0, 1, None, 1.0, us), Side(1.0, 1, None, 1.0, us | change))


# utilisation


def test_utilisation_gives_shares_of_the_machines_rate(monkeypatch):
    monkeypatch.setattr(utilisation, "has_bf16", lambda: True)
    values = {
        "machine": 200.0,
        "machine_by_size": {"1024": 200.0},
        "prefill": 150.0,
        "train": 100.0,
        "prefill_tokens_per_s": 1.0,
        "train_tokens_per_s": 1.0,
    }
    found = utilisation.run(FakeSides({utilisation.ours: (1.0, values)}))
    assert set(found) > COMMON
    for short in ("fp32", "bf16"):
        assert (found[f"prefill_{short}"], found[f"train_{short}"]) == (0.75, 0.5)
    assert found["peer_s"] is None
