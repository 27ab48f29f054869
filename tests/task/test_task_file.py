"""Every fault of task.yaml is told, all at once, with its line, the value and what to write."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_folder import KEYS, data, faults_of, jsonl, rows, task_text, told, write

from harness import metrics
from harness.errors import TaskError
from harness.task import load_task
from harness.task.schema import TaskFile


def test_the_smallest_task_loads_with_its_defaults(tmp_path):
    task = load_task(write(tmp_path))
    assert (len(task.train), len(task.validation), len(task.test)) == (8, 0, 6)
    assert task.spec.model == "smollm2-135m-instruct-q4"
    assert task.spec.seeds is None
    assert task.spec.margin == 0
    assert task.labels == {"a": "", "b": ""}
    assert list(task.strategies) == ["majority"]
    assert task.folder == tmp_path


def test_what_a_strategy_is_told_holds_no_path_and_no_row(tmp_path):
    task = load_task(write(tmp_path))
    assert str(tmp_path) not in repr(task.info)
    assert ".jsonl" not in repr(task.info)
    assert "text 0" not in repr(task.info)


@pytest.mark.parametrize("key", KEYS)
def test_each_needed_key_is_missed_by_name(tmp_path, key):
    (line,) = told(write(tmp_path, task_text(**{key: None})))
    assert line.startswith("task.yaml:1 ")
    assert f" {key}: this key is missing" in line


HOSTED = "base_url: 'http://x/v1', model: m"
# What is added or replaced, the words of the one fault's place, and words of its text.
WRONG_KEYS = [
    ("model: ''", "model", "is empty"),
    ("model: [x, 7]", "model.1", "7"),
    ("model: {provider: openai, base_url: 'http://x/v1'}", "model.model", "missing"),
    (f"model: {{provider: other, {HOSTED}}}", "model.provider", "'openai'"),
    (f"model: {{provider: openai, {HOSTED}, key: abc}}", "model.key", "no key is called 'key'"),
    (f"model: {{provider: openai, {HOSTED}, timout_s: 1}}", "model.timout_s", "'timeout_s'"),
    (f"model: {{provider: openai, {HOSTED}, concurrency: 0}}", "model.concurrency", "more than 0"),
    ("model: {provider: openai, base_url: h/v1, model: m}", "model.base_url", "http(s) address"),
    (
        "model: {provider: openai, base_url: 'https://me:secret@h/v1', model: m}",
        "model.base_url",
        "without user, password",
    ),
    (
        "model: {provider: openai, base_url: 'http://h/v1?key=secret', model: m}",
        "model.base_url",
        "without user, password, query",
    ),
    ("model: 5", "model", 'quote it: "5"'),
    ("modle: x", "modle", "did you mean 'model'"),
    ("facts: {forgeting: false}", "facts.forgeting", "did you mean 'forgetting'"),
    ("facts: {robustness: 50}", "facts.robustness", "50"),
    ("diagnostics: {forgeting: false}", "diagnostics.forgeting", "did you mean 'forgetting'"),
    ("12: x", "12", "no key is called '12'"),
    ("dtype: int8", "dtype", "'bfloat16'"),
    ("prices: ''", "prices", "is empty"),
    ("also: accuracy", "also", "list"),
    ("also: [acuracy]", "also", "did you mean 'accuracy'"),
    ("seeds: []", "seeds", "has no items"),
    ("seeds: 0", "seeds", "list"),
    ("seeds: [0, 1, 0]", "seeds", "twice"),
    ("seeds: [0, x]", "seeds.1", '"x"'),
    ("seeds: [1.5]", "seeds.0", "1.5"),
    ("margin: 5", "margin", "less than 1"),
    ("margin: -0.1", "margin", "-0.1"),
    ("margin: .nan", "margin", "finite"),
    ("margin: .inf", "margin", "finite"),
    ("margin: 5 %", "margin", '"5 %"'),
    ("margin: ~", "margin", "(~)"),
    ("limits: []", "limits", "[]"),
    ("limits: ~", "limits", "(~)"),
    ("limits: {min_scor: 0.5}", "limits.min_scor", "did you mean 'min_score'"),
    ("limits: {min_score: 85}", "limits.min_score", "write 0.85"),
    ("limits: {min_score: .nan}", "limits.min_score", "finite"),
    ("limits: {min_score: .inf}", "limits.min_score", "finite"),
    ("limits: {max_p95_ms: .inf}", "limits.max_p95_ms", "finite"),
    ("limits: {max_p95_ms: 0}", "limits.max_p95_ms", "more than 0"),
    ("limits: {max_p95_ms: 400 ms}", "limits.max_p95_ms", '"400 ms"'),
    ("limits: {max_usd_per_1k: -1}", "limits.max_usd_per_1k", "-1"),
    ("limits: {max_serve_memory_gib: .nan}", "limits.max_serve_memory_gib", "finite"),
    ("needs: {offline: maybe}", "needs.offline", '"maybe"'),
    ("needs: {licence: 2}", "needs.licence", "write one licence or a list"),
    ("needs: {licence: []}", "needs.licence", "no licence is allowed"),
    ("traffic: {}", "traffic.requests_per_month", "missing"),
    ("traffic: {requests_per_month: 0}", "traffic.requests_per_month", "leave `traffic` out"),
    (
        "traffic: {requests_per_month: 1, serving: reserved}",
        "traffic.serving",
        "e.g. utilisation: 0.3",
    ),
    ("traffic: {requests_per_month: .inf}", "traffic.requests_per_month", "finite"),
    ("traffic: {requests_per_month: 1, serving: lazy}", "traffic.serving", "'reserved'"),
    ("traffic: {requests_per_month: 1, utilisation: 1}", "traffic.utilisation", "less than 1"),
    ("labour: {hours: {mayority: 1}}", "labour.hours.mayority", "did you mean 'majority'"),
    ("labour: {hours: {majority: x}}", "labour.hours.majority", '"x"'),
    ("generation: {max_new_tokens: 0}", "generation.max_new_tokens", "more than 0"),
    ("generation: {stop: ['']}", "generation.stop.0", "is empty"),
    ("run: {timeout_min: .inf}", "run.timeout_min", "finite"),
    ("split: {test: 0.3}", "split", "data.all"),
]


@pytest.mark.parametrize(("line", "key", "words"), WRONG_KEYS)
def test_a_wrong_key_is_one_fault_with_line_value_and_remedy(tmp_path, line, key, words):
    (fault,) = told(write(tmp_path, task_text() + line + "\n"))
    assert fault.startswith(f"task.yaml:{len(KEYS) + 1} {key}: ")
    assert words in fault
    assert "secret" not in fault


def answer(labels):
    return {"answer": {"kind": "choice", "labels": labels}}


WRONG_VALUES = [
    ({"name": "Big Name"}, "task.yaml:1 name", '("Big Name") → write e.g. "big-name"'),
    ({"name": "../up"}, "task.yaml:1 name", "small letters, digits"),
    ({"name": 5}, "task.yaml:1 name", 'write e.g. "5"'),
    ({"instruction": " \n"}, "task.yaml:2 instruction", '" \\n"'),
    (answer([["x"], "a"]), "task.yaml:3 answer.labels.0", "must be text"),
    (answer(7), "task.yaml:3 answer.labels", "(7)"),
    (answer(["a", "b", "b"]), "task.yaml:3 answer.labels", "'b' stands twice"),
    (answer(["a", "b", " c"]), "task.yaml:3 answer.labels", '" c"'),
    (answer(["a", "b", ""]), "task.yaml:3 answer.labels", "empty"),
    (answer("none.json"), "task.yaml:3 answer.labels", "No such file"),
    (answer(""), "task.yaml:3 answer.labels", "cannot be read"),
    ({"answer": {"kind": "list"}}, "task.yaml:3 answer.kind", '"list"'),
    ({"answer": ["a", "b"]}, "task.yaml:3 answer", '["a", "b"]'),
    ({"data": data(test=None)}, "task.yaml:4 data", "add data.test"),
    ({"data": data(test="")}, "task.yaml:4 data.test", "is empty"),
    ({"data": data(train="")}, "task.yaml:4 data.train", "is empty"),
    ({"data": data(corpus="")}, "task.yaml:4 data.corpus", "is empty"),
    ({"data": data(input="")}, "task.yaml:4 data.input", "is empty"),
    ({"data": data(input="label")}, "test.jsonl:1", "no strategy may see it"),
    ({"data": data(visible=["text", "label"])}, "task.yaml:4 data.visible.1", "may see it"),
    ({"data": data(visible="text")}, "task.yaml:4 data.visible", "list"),
    ({"data": data(testing="x.jsonl")}, "task.yaml:4 data.testing", "did you mean 'test'"),
    ({"data": data(all="x.jsonl")}, "task.yaml:4 data", "exclude each other"),
    ({"data": "test.jsonl"}, "task.yaml:4 data", '"test.jsonl"'),
    ({"metric": "acuracy"}, "task.yaml:5 metric", "did you mean 'accuracy'"),
    ({"metric": ["accuracy"]}, "task.yaml:5 metric", '["accuracy"]'),
    ({"strategies": []}, "task.yaml:6 strategies", "has no items"),
    ({"strategies": "majority"}, "task.yaml:6 strategies", "list"),
    ({"strategies": ["mayority"]}, "task.yaml:6 strategies.0", "did you mean 'majority'"),
    ({"strategies": [5]}, "task.yaml:6 strategies.0", "5"),
    ({"strategies": [{"name": "x"}]}, "task.yaml:6 strategies.0.use", "missing"),
    ({"strategies": [{"use": "majority", "name": "A b"}]}, "task.yaml:6 strategies.0.name", "A b"),
    ({"strategies": [{"use": "majority", "k": 1}]}, "task.yaml:6 strategies.0", "called 'k'"),
    ({"strategies": ["majority", "majority"]}, "task.yaml:6 strategies", "give one a `name:`"),
    ({"strategies": ["none.py:Mine"]}, "task.yaml:6 strategies.0", "there is no file"),
]


@pytest.mark.parametrize(("changes", "place", "words"), WRONG_VALUES)
def test_a_wrong_value_is_told_with_line_value_and_remedy(tmp_path, changes, place, words):
    lines = told(write(tmp_path, task_text(**changes)))
    assert any(line.startswith(f"{place}: ") and words in line for line in lines), lines


@pytest.mark.parametrize(
    ("written", "read"), [("mit", ["mit"]), ("[mit, apache-2.0]", ["mit", "apache-2.0"])]
)
def test_one_licence_or_several_may_be_allowed(tmp_path, written, read):
    task = load_task(write(tmp_path, task_text() + f"needs: {{licence: {written}}}\n"))
    assert task.spec.needs.licence == read


def test_a_reserved_machine_with_its_use_is_no_fault(tmp_path):
    line = "traffic: {requests_per_month: 1, serving: reserved, utilisation: 0.5}\n"
    assert load_task(write(tmp_path, task_text() + line)).spec.traffic.utilisation == 0.5


@pytest.mark.parametrize(("arms", "faults"), [(["zero_shot"], 1), (["zero_shot", "majority"], 0)])
def test_offline_use_with_hosted_models_alone_is_a_contradiction(tmp_path, arms, faults):
    text = task_text(strategies=arms, needs={"offline": True})
    text += f"model: {{provider: openai, {HOSTED}, key_env: ~}}\n"
    lines = told(write(tmp_path, text))
    assert len(lines) == faults
    assert all("needs.offline: every arm asks a hosted model" in line for line in lines)


def test_all_faults_of_keys_are_told_at_once(tmp_path):
    lines = told(
        write(tmp_path, task_text(name="A b", metric=3) + "limits: {max_p95_ms: x}\nmodle: y\n")
    )
    places = [line.split(": ")[0].split()[1] for line in lines]
    assert sorted(places) == ["limits.max_p95_ms", "metric", "modle", "name"]


def test_faults_of_names_arms_data_and_corpus_are_told_at_once(tmp_path):
    text = task_text(
        metric="f1",
        strategies=["mayority", "none.py:X"],
        data=data(corpus="handbook", visible=["label"], validation="none.jsonl"),
    )
    bad_rows = [*rows("test", 2), {"id": 9, "text": " ", "label": "a"}, {"id": 8, "text": "x"}]
    lines = told(write(tmp_path, text, test_jsonl=bad_rows))
    for words in (
        "task.yaml:5 metric: no metric is called 'f1'",
        "task.yaml:6 strategies.0: no strategy is called 'mayority'",
        "task.yaml:6 strategies.1: strategy 'none.py:X'",
        "task.yaml:4 data.visible.0: 'label'",
        "handbook: there is no such folder",
        "none.jsonl: cannot be read: No such file",
        "test.jsonl:3: 'text' is empty",
        "test.jsonl:4: no column is called 'label'",
    ):
        assert any(line.startswith(words) for line in lines), words


def test_the_word_no_is_a_label_and_a_refusal_but_never_false(tmp_path):
    text = task_text(answer=None) + "answer: {kind: choice, labels: [no, yes]}\n"
    text += "needs: {offline: yes, citations: no}\nmargin: 1e-5\n"
    some = [{"id": i, "text": f"t{i}", "label": "yes"} for i in range(4)]
    task = load_task(write(tmp_path, text, test_jsonl=some, train_jsonl=[{**some[0], "id": "x"}]))
    assert list(task.labels) == ["no", "yes"]
    assert (task.spec.needs.offline, task.spec.needs.citations) == (True, False)
    assert task.spec.margin == 1e-5


def test_numeric_labels_work_once_quoted_whatever_the_rows_write(tmp_path):
    text = task_text(**answer(["0", "1"]))
    some = [{"id": i, "text": f"t{i}", "label": label} for i, label in enumerate([0, "1", 1])]
    task = load_task(write(tmp_path, text, test_jsonl=some, train_jsonl=[{**some[0], "id": "x"}]))
    assert [example.targets for example in task.test] == [("0",), ("1",), ("1",)]


@pytest.mark.parametrize("content", ['["a", "b"]', '\ufeff{"a": "first", "b": null}'])
def test_labels_may_stand_in_a_json_file(tmp_path, content):
    task = load_task(write(tmp_path, task_text(**answer("labels.json")), labels_json=content))
    assert list(task.labels) == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        "5",
        '"ab"',
        "null",
        "true",
        "[[1], [2]]",
        "[null, NaN]",
        "[]",
        "{",
        "[" * 99999,
        b'["\xff"]',
        "",
    ],
)
def test_a_label_file_of_another_shape_is_a_fault(tmp_path, content):
    text = task_text(**answer("labels.json"))
    lines = told(write(tmp_path, text, labels_json=content))
    assert lines[0].startswith("task.yaml:3 answer.labels: ")


def test_labels_of_a_text_task_are_refused(tmp_path):
    text = task_text(answer={"kind": "text", "labels": ["a", "b"]}, metric="exact_match")
    (line,) = told(write(tmp_path, text))
    assert "only a choice has labels" in line


def test_a_metric_of_another_answer_kind_is_refused_with_those_that_fit(tmp_path):
    (line,) = told(write(tmp_path, task_text(answer={"kind": "text"}, metric="macro_f1")))
    assert line.startswith("task.yaml:5 metric: 'macro_f1' does not score answers of kind text")
    fits = [n for n in metrics.names() if "text" in metrics.find(n).answers]
    assert {"bleu", "exact_match", "grounded"} <= set(fits)
    assert line.endswith("→ use one of {}".format(", ".join(fits)))


def test_arms_get_names_and_whole_parameters(tmp_path):
    arms = ["majority", {"use": "few_shot", "name": "few_16", "shots": 16}]
    task = load_task(write(tmp_path, task_text(strategies=arms)))
    assert list(task.params) == ["majority", "few_16"]
    assert task.params["few_16"]["shots"] == 16
    assert set(task.params["few_16"]) == set(task.strategies["few_16"].Params.model_fields)


def test_a_parts_parameters_are_named_as_the_parts(tmp_path):
    dear = {"use": "lora", "rnak": 4, "epochs": "many"}
    inner = {"use": "cascade", "dear": dear}
    for cascade in (inner, {"use": "cascade", "cheap": inner}):
        (line,) = told(write(tmp_path, task_text(strategies=[cascade])))
        assert "no parameter of lora is called 'rnak'; did you mean 'rank'?" in line
        assert "parameter 'epochs' of lora: " in line


def test_every_fault_is_one_line_even_if_the_value_is_not(tmp_path):
    bad = [{"id": "x", "text": "y", "label": "a\nb"}]
    (fault,) = faults_of(write(tmp_path, test_jsonl=bad))
    assert "a\\nb" in str(fault)
    assert len(str(fault).splitlines()) == 1


def test_a_task_error_says_all_its_faults():
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), task_text(metric=None, name=None))
        with pytest.raises(TaskError) as caught:
            load_task(path)
    assert str(caught.value).splitlines() == [str(fault) for fault in caught.value.faults]
    assert len(caught.value.faults) == 2


# Paths stay inside the folder (no / and .), and no module is imported (no :).
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/.:"), max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    WORDS,
    st.sampled_from(["majority", "a", "train.jsonl", "text", "label", ""]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
PARTS = ["data", "answer", "limits", "needs", "traffic", "labour", "generation", "run", "split"]


def keys_below(part):
    annotation = TaskFile.model_fields[part].annotation
    model = next(
        kind
        for kind in [annotation, *getattr(annotation, "__args__", ())]
        if hasattr(kind, "model_fields")
    )
    return list(model.model_fields)


PLACES = [(key, None) for key in TaskFile.model_fields]
PLACES += [(part, key) for part in PARTS for key in keys_below(part)]


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(PLACES), VALUES, min_size=1, max_size=3))
def test_wrong_types_anywhere_are_faults_with_a_place_and_never_a_traceback(changes):
    keys = {key: dict(v) if isinstance(v, dict) else v for key, v in KEYS.items()}
    for (part, key), value in changes.items():
        if key is None:
            keys[part] = value
        elif isinstance(keys.setdefault(part, {}), dict):
            keys[part][key] = value
    text = "".join(f"{key}: {_written(value)}\n" for key, value in keys.items())
    with tempfile.TemporaryDirectory() as folder:
        faults = faults_of(write(Path(folder), text))
        assert all(fault.where.strip("'").startswith(folder) for fault in faults)
        assert all(len(str(fault).splitlines()) == 1 and fault.what for fault in faults)


def _written(value) -> str:
    return jsonl([value]).strip("\n")


def test_a_key_in_place_of_its_variables_name_is_refused_and_not_repeated(tmp_path):
    line = f"model: {{provider: openai, {HOSTED}, key_env: gsk_secret}}\n"
    (fault,) = told(write(tmp_path, task_text(strategies=["zero_shot"]) + line))
    assert "the name of the environment variable that holds the key" in fault
    assert "secret" not in fault


def test_hours_are_given_for_an_arm_with_all_its_models_or_with_one(tmp_path):
    text = task_text(strategies=["majority", "zero_shot"], model=["a/one", "b/two"])
    hours = "labour: {hours: {zero_shot: 1, zero_shot@two: 6}}\n"
    assert load_task(write(tmp_path, text + hours)).spec.labour.hours["zero_shot@two"] == 6
    (fault,) = told(write(tmp_path, text + "labour: {hours: {zero_shot@tow: 6}}\n"))
    assert "did you mean 'zero_shot@two'" in fault
