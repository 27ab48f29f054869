"""What answering, tuning and embedding are reckoned to need, by what must hold of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adapters import spec

from benchmarks.configs import planned
from harness.lm.inference.token_tree import TokenTree
from harness.plan.arm_forecast import Plan, variants
from harness.plan.demand import LIBRARY_BYTES, PROCESS_BYTES, Demand, together
from harness.plan.embedding_demand import embedding, indexing
from harness.plan.inference_demand import Tally, answering, loaded
from harness.plan.inference_passes import Row, _tree_row
from harness.plan.target_machine import Place
from harness.plan.training_demand import PIECES_TIMES, state_bytes, tuning
from harness.retrieval import DEFAULT_EMBEDDER
from harness.types import TaskInfo
from harness.workload import Answering, Embedding, Estimate, Indexing, Tuning

GIB = 2**30
CARD = Place("a card", "cuda", "bfloat16", 80 * GIB, 3e14, usd_per_hour=3.6)
LAPTOP = Place("a laptop", "cpu", "float32", 16 * GIB, 2e11)
CHOICE = TaskInfo("t", "Which?", "choice", {"first label": "", "second label": ""})
TEXT = TaskInfo("t", "What?", "text", {}, max_new_tokens=32)
PAIRS = [(f"{n} what a customer wrote about their order" * 3, "an answer") for n in range(40)]
LORA = Tuning(spec("lora"), PAIRS, PAIRS[:8], 6, 8, 2, 3, None, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return planned(tmp_path_factory.mktemp("models"), "llama-3-8b")


def test_full_fine_tuning_needs_more_than_lora_and_qlora_the_least(model):
    peaks = [
        together([tuning(work, model, CARD, 0)], CARD).least_bytes
        for work in (
            replace(LORA, four_bits=True),
            LORA,
            replace(LORA, adapter=spec("full_finetune")),
        )
    ]
    assert peaks == sorted(peaks)
    # 8.03 billion weights in float32 with gradients, 8-bit moments and the best weights so far.
    assert peaks[2] > 8.03e9 * (4 + 4 + 2 + 4)
    assert peaks[0] < 10 * GIB


def test_gradients_and_moments_are_counted_by_the_weight(model):
    weights = model.trained_weights(LORA.adapter)
    assert weights == 41_943_040  # rank 16 on seven matrices of 32 layers
    assert state_bytes(LORA, model, CARD) == weights * (4 + 4 + 4 + 8)
    assert state_bytes(LORA, model, LAPTOP) == weights * (4 + 4 + 4 + 8)
    unwatched = replace(LORA, validation=[])
    assert state_bytes(unwatched, model, CARD) == weights * (4 + 4 + 8)
    averaged = replace(LORA, averaged=3)
    assert state_bytes(averaged, model, LAPTOP) == weights * (4 + 4 + 4 + 4 + 8)
    assert state_bytes(replace(averaged, validation=[]), model, LAPTOP) == weights * (4 + 4 + 8)


def test_checkpointing_takes_less_memory_and_more_time(model):
    plain, again = (tuning(replace(LORA, checkpointing=on), model, CARD, 0) for on in (False, True))
    assert again.working_bytes < plain.working_bytes / 2
    assert again.wall_s[1] > plain.wall_s[1]


@pytest.mark.parametrize(("arm", "offered"), [("lora", True), ("prefix_tuning", False)])
def test_checkpointing_is_proposed_where_it_may_be(arm, offered):
    work = replace(LORA, adapter=spec(arm), checkpointing=False)
    words = [said for said, _ in variants(Plan(Estimate(fit=(work,))))]
    assert ("`checkpointing: true`" in words) is offered


def test_a_tight_card_turns_checkpointing_on_and_the_forecast_says_so(model):
    tight = replace(CARD, memory_bytes=int(16.45 * GIB))
    found = tuning(LORA, model, tight, 0)
    assert any("computed again" in text for text in found.says)
    assert not any("computed again" in text for text in tuning(LORA, model, CARD, 0).says)


def test_time_reaches_from_the_earliest_stop_to_all_epochs(model):
    low, high = tuning(LORA, model, CARD, 0).wall_s
    assert 0 < low < high
    longer = tuning(replace(LORA, epochs=12), model, CARD, 0).wall_s
    assert longer[0] == pytest.approx(low)
    assert longer[1] == pytest.approx(2 * high, rel=0.01)
    # Five steps an epoch, a look every two, three looks without a better one after the first: 8.
    patient = tuning(replace(LORA, patience=100), model, CARD, 0).wall_s
    assert patient[0] == pytest.approx(low * 30 / 8, rel=0.1)


def test_labels_cost_what_their_objective_computes(model):
    """Label text and a softmax read hardly more than a row; a look at whole labels reads all."""
    labels = [f"label of team {n}" for n in range(12)]
    rows = [(prompt, labels[n % 12]) for n, (prompt, _) in enumerate(PAIRS)]
    chosen = replace(LORA, training_pairs=rows, validation=[], labels=labels)
    peaks = {}
    for objective in ("label_text", "label_softmax", "head"):
        work = replace(chosen, objective=objective)
        peaks[objective] = tuning(work, model, LAPTOP, 0).wall_s[1]
    assert peaks["head"] <= peaks["label_text"] <= peaks["label_softmax"]
    assert peaks["label_softmax"] < 2 * peaks["label_text"]
    watched = replace(chosen, objective="label_text", validation=rows, patience=None)
    unlabelled = tuning(replace(watched, labels=()), model, LAPTOP, 0).wall_s
    assert tuning(watched, model, LAPTOP, 0).wall_s[1] > unlabelled[1]
    assert unlabelled[0] < unlabelled[1]  # nothing stops it early, yet machines differ


def test_what_prompts_share_is_computed_once(model):
    apart = [f"{n:06d} " + "word " * 100 for n in range(20)]
    alike = ["word " * 100 + f" {n:06d}" for n in range(20)]
    spans = [
        answering(Answering(prompts, CHOICE), model, LAPTOP, 0, serving=False).wall_s
        for prompts in (apart, alike)
    ]
    assert spans[1][1] < spans[0][1] / 3


def test_a_row_of_options_is_counted_as_the_whole_tree_of_all_of_them():
    options = [[1, 2], [1, 3, 4], [5]]
    below = TokenTree()
    for option in options:
        below.add(option)
    apart = [[7, 8], [7, 9, 9], [7, 8]]
    one_goes_on = [[7], [7, 1], [7, 1, 3, 4, 4]]  # through the options behind another
    for prompts in (apart, one_goes_on, [[7]]):
        tree, wanted = TokenTree(), set()
        for prompt in prompts:
            end = tree.add(prompt)[-1]
            for option in options:
                wanted.update([end, *tree.add(option, after=end)])
        contexts = sum(tree.depths) + len(tree) * 6
        counted = _tree_row(prompts, options, below, kept=5)
        assert counted == Row(len(tree), contexts, len(wanted), 5)


def test_rows_behind_a_soft_prompt_are_shared_as_any(model):
    prompts = [f"{n} what is this about?" for n in range(10)]
    shared = answering(Answering(prompts, CHOICE), model, LAPTOP, 0, serving=False)
    soft = Answering(prompts, CHOICE, weights="adapter", soft_tokens=20)
    behind = answering(soft, model, LAPTOP, 0, serving=False)
    assert behind.wall_s[0] == pytest.approx(shared.wall_s[0], rel=0.1)


def test_a_soft_prompt_is_watched_on_packed_rows_as_other_weights_are(model):
    alike = [("word " * 200 + str(n), "an answer") for n in range(40)]
    watched = replace(LORA, validation=alike, checkpointing=False)
    roomy = replace(
        LAPTOP, memory_bytes=64 * GIB
    )  # else each row is a piece behind its own vectors
    soft, lora = (
        tuning(replace(watched, adapter=spec(arm)), model, roomy, 0).wall_s
        for arm in ("prompt_tuning", "lora")
    )
    assert soft[1] < 1.2 * lora[1]


def test_written_answers_are_counted_up_to_their_longest(model):
    prompts = [f"{n} what is this about?" for n in range(10)]
    low, high = answering(Answering(prompts, TEXT), model, LAPTOP, 0, serving=False).wall_s
    longer = Answering(prompts, replace(TEXT, max_new_tokens=64))
    assert high > 4 * low
    assert answering(longer, model, LAPTOP, 0, serving=False).wall_s[1] > 1.5 * high


def test_a_pass_is_counted_as_the_benchmarks_count_it(model):
    from benchmarks.operations import Shape, forward_operations

    bones = model.skeleton
    shape = Shape(bones.computed, 32, 4096, 4096, 128256)
    tally = Tally()
    tally.add(model, CARD.itemsize, Row(tokens=100, contexts=100 * 101 // 2, logit_rows=3))
    assert tally.operations == forward_operations(shape, [100], 3)


def test_loading_takes_the_weights_and_on_a_cpu_the_file_they_are_made_from(model):
    need = loaded(model, CARD, "given")
    assert sum(need.kept.values()) == 2 * model.skeleton.weights
    assert need.loading_bytes == need.spared_bytes == 0
    there = loaded(model, LAPTOP, "given")
    assert there.loading_bytes == there.spared_bytes == 2 * model.skeleton.weights  # the file
    assert loaded(model, CARD, "four_bits").loading_bytes == 0


def test_an_8b_model_is_served_and_tuned_in_16_bits_without_a_copy_in_32(model):
    work = Answering(["what is this about?"] * 20, CHOICE)
    given = loaded(model, CARD, "given")
    serve = together([given, answering(work, model, CARD, 0, serving=True)], CARD)
    fit = together([given, tuning(LORA, model, CARD, 0)], CARD)
    assert 16e9 < serve.least_bytes <= serve.peak_bytes < 17.5e9
    assert 17e9 < fit.least_bytes <= fit.peak_bytes < 24e9


def test_what_two_works_share_is_there_once():
    one = Demand(frozenset({"torch"}), {"model": 100}, working_bytes=7, loading_s={"model": (1, 2)})
    found = together([one, replace(one, working_bytes=9)], LAPTOP)
    assert found.peak_bytes == PROCESS_BYTES + LIBRARY_BYTES["torch"] + 100 + 9
    assert together([one, one], CARD).peak_bytes == 107
    unknown = together([one, replace(one, wall_s=None)], LAPTOP)
    assert unknown.wall_s is None


def test_on_a_cpu_steps_of_several_pieces_take_more_than_their_largest(model):
    long, short = ("what a customer wrote " * 60, "an answer"), ("well?", "yes")
    alone = Tuning(spec("lora", rank=8), [long], [], 1, 2, 1, 1, False, 0)
    several = replace(alone, training_pairs=[long, long, short])
    on_cpu = [tuning(work, model, LAPTOP, 0).working_bytes for work in (alone, several)]
    assert on_cpu[1] == int(PIECES_TIMES * on_cpu[0])


def test_what_embedding_leaves_on_the_heap_is_beside_other_work_and_not_beside_its_own():
    model = Demand(working_bytes=50)
    embedder = Demand(working_bytes=30, staying_bytes=30)
    least = PROCESS_BYTES
    assert together([embedder, model], LAPTOP).peak_bytes == least + 80
    assert together([embedder, embedder], LAPTOP).peak_bytes == least + 30
    assert together([embedder, Demand()], LAPTOP).least_bytes == least + 30
    texts = ["what a customer wrote"] * 9
    on_cpu, on_gpu = (embedding(Embedding(texts, DEFAULT_EMBEDDER), at) for at in (LAPTOP, CARD))
    assert on_cpu.staying_bytes == on_cpu.working_bytes > on_gpu.staying_bytes == 0


def test_nothing_to_do_is_a_process_and_no_time():
    found = together([], LAPTOP)
    assert (found.peak_bytes, found.wall_s, found.charged_usd) == (PROCESS_BYTES, (0, 0), 0)


def test_embedding_grows_with_its_texts_and_tuning_with_its_epochs():
    texts = [f"{n} what a customer wrote" * 5 for n in range(200)]
    once = embedding(Embedding(texts, DEFAULT_EMBEDDER), LAPTOP)
    twice = embedding(Embedding(texts * 2, DEFAULT_EMBEDDER), LAPTOP)
    assert twice.wall_s[1] == pytest.approx(2 * once.wall_s[1], rel=0.01)
    assert once.kept[DEFAULT_EMBEDDER] == pytest.approx(22.7e6 * 4, rel=0.01)
    tuned = embedding(Embedding(texts, DEFAULT_EMBEDDER, 10, 16, 2, texts[:20]), LAPTOP)
    assert tuned.working_bytes > once.working_bytes + 3 * once.kept[DEFAULT_EMBEDDER]
    assert tuned.wall_s[1] > 3 * tuned.wall_s[0]


def test_an_embedding_model_that_is_not_here_is_said(tmp_path):
    found = embedding(Embedding(["a"], "owner/no-such-embedder"), LAPTOP)
    assert found.wall_s is found.working_bytes is None
    assert "owner/no-such-embedder" in found.unknown[0]
    index = indexing(Indexing(["a"], "owner/no-such-embedder"))
    assert index.wall_s is index.working_bytes is None
    phase = together([Demand(working_bytes=7), found], LAPTOP)
    assert phase.peak_bytes is phase.least_bytes is phase.wall_s is None
    assert phase.unknown == found.unknown


def test_an_index_keeps_four_bytes_a_dimension():
    found = indexing(Indexing([""] * 1000, DEFAULT_EMBEDDER))
    assert found.kept["index"] == 1000 * (384 * 4 + 500)


def test_an_index_that_is_read_has_nothing_beside_it():
    made = Indexing(["five words of seven letters"] * 1000, DEFAULT_EMBEDDER, words=True)
    read = replace(made, made=False)
    assert indexing(read).working_bytes == 0
    assert indexing(read).kept == indexing(made).kept
    assert indexing(made).working_bytes > 1000 * 384 * 4 + 5000 * 49  # a str of five letters: 54
