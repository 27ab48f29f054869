"""Settings that contradict each other are refused when the task is read, and the remedy works."""

import pytest
from task_folder import data, rows, task_text, told, write

TEXT = {"answer": {"kind": "text"}, "metric": "token_f1", "also": []}


def faults(folder, arm, kind="choice"):
    folder.mkdir(exist_ok=True)
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs/a.md").write_text("One page.")
    changes = {"strategies": [arm], "data": data(corpus="docs")}
    changes |= TEXT if kind == "text" else {}
    return told(write(folder, task_text(**changes), train_jsonl=rows("train", 8)))


@pytest.mark.parametrize(
    ("arm", "kind", "said"),
    [
        (
            {"use": "retrieve", "passage_words": 40, "overlap_words": 40},
            "text",
            "retrieve: overlap_words (40) is not below passage_words (40)",
        ),
        (
            {"use": "retrieve", "passage_words": 20, "overlap_words": 500},
            "text",
            "→ write overlap_words: 5 or more passage_words",
        ),
        ({"use": "rag", "overlap_words": 80}, "text", "rag: overlap_words (80) is not below"),
        ({"use": "rag_lora", "overlap_words": 90}, "text", "rag_lora: overlap_words (90) is not"),
        ({"use": "retrieve", "passage_words": 0}, "text", "parameter 'passage_words' of retrieve"),
        ({"use": "retrieve", "overlap_words": -1}, "text", "parameter 'overlap_words' of retrieve"),
        (
            {"use": "retrieve", "hybrid": False, "fusion": "ranks"},
            "text",
            "retrieve: fusion (ranks) has no effect with hybrid: false",
        ),
        ({"use": "retrieve", "reranker": ""}, "text", "parameter 'reranker' of retrieve"),
        ({"use": "retrieve", "embedder": ""}, "text", "parameter 'embedder' of retrieve"),
        ({"use": "rag", "top_k": []}, "text", "parameter 'top_k' of rag"),
        ({"use": "rag", "top_k": [0]}, "text", "parameter 'top_k.0' of rag"),
        ({"use": "rag", "top_k": [3, 1, 3]}, "text", "parameter 'top_k' of rag: 3 stands twice"),
        ({"use": "rag_lora", "top_k": 0}, "text", "parameter 'top_k' of rag_lora"),
        ({"use": "few_shot", "shots": [4, 4]}, "choice", "'shots' of few_shot: a number stands"),
        (
            {"use": "few_shot", "embedder": "owner/model", "select": "balanced"},
            "choice",
            "few_shot: embedder (owner/model) has no effect with select: balanced",
        ),
        ({"use": "nearest", "neighbours": [5, 5]}, "choice", "'neighbours' of nearest: 5 stands"),
        (
            {"use": "tfidf", "inverse_regularisation": [0]},
            "choice",
            "of tfidf: must be more than 0",
        ),
        ({"use": "tfidf", "inverse_regularisation": [1, 1.0]}, "choice", "1.0 stands twice"),
        (
            {"use": "encoder", "epochs": 3},
            "choice",
            "encoder: epochs (3) has no effect with trains",
        ),
        (
            {"use": "encoder", "trains": "contrastive", "epochs": 3},
            "choice",
            "encoder: epochs (3) has no effect with trains: contrastive",
        ),
        (
            {"use": "encoder", "trains": "all", "most_steps": 9},
            "choice",
            "encoder: most_steps (9) has no effect with trains: all",
        ),
        ({"use": "classic", "folds": 1}, "choice", "'folds' of classic: must be at least 2"),
        ({"use": "classic", "features": ["verbs"]}, "choice", "'features.0' of classic"),
        ({"use": "lm_probe", "layers": [0.0]}, "choice", "'layers.0' of lm_probe"),
        (
            {"use": "match", "temperature": 0},
            "choice",
            "'temperature' of match: must be more than 0",
        ),
        (
            {"use": "instruction_search", "rephrased": 0},
            "choice",
            "instruction_search: there is nothing to choose from",
        ),
        (
            {"use": "instruction_search", "instructions": ["Say a.", " "]},
            "choice",
            "an instruction is empty",
        ),
        (
            {"use": "instruction_search", "instructions": ["Say a.", "Say a."]},
            "choice",
            "'Say a.' stands twice",
        ),
        (
            {"use": "cascade", "cheap": "tfidf", "dear": "tfidf"},
            "choice",
            "cascade: `cheap` and `dear` are the same (tfidf)",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_with_their_place(tmp_path, arm, kind, said):
    (line,) = faults(tmp_path, arm, kind)
    assert line.startswith("task.yaml:6 strategies.0: ")
    assert said in line


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
def test_no_parameter_is_infinite_or_no_number(tmp_path, number):
    text = task_text(strategies=None) + f"strategies: [{{use: lora, learning_rate: {number}}}]\n"
    (line,) = told(write(tmp_path, text))
    assert "parameter 'learning_rate' of lora: must be a finite number" in line


@pytest.mark.parametrize(
    ("arm", "kind"),
    [
        ({"use": "retrieve", "passage_words": 40, "overlap_words": 39}, "text"),
        ({"use": "retrieve", "passage_words": 20, "overlap_words": 5}, "text"),
        ({"use": "retrieve", "passage_words": 1, "overlap_words": 0}, "text"),
        ({"use": "retrieve", "hybrid": False, "fusion": "scores"}, "text"),
        ({"use": "rag", "top_k": [1]}, "text"),
        ({"use": "few_shot", "embedder": "owner/model"}, "choice"),
        ({"use": "encoder", "trains": "all", "epochs": 3}, "choice"),
        ({"use": "encoder", "trains": "contrastive", "most_steps": 3}, "choice"),
        ({"use": "instruction_search", "instructions": ["Say a."], "rephrased": 0}, "choice"),
    ],
)
def test_settings_beside_the_refused_ones_are_taken(tmp_path, arm, kind):
    assert faults(tmp_path, arm, kind) == []
