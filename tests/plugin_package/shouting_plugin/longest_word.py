"""A strategy as a stranger would write it: through the public door alone."""

import harness
from harness import Prediction, Strategy


class LongestWord(Strategy):
    """Answer with the input's longest word, shouted."""

    answers = frozenset({"text"})

    class Params(harness.Params):
        """How loud."""

        exclamation_marks: int = 1

    def predict(self, queries):
        """Shout."""
        marks = "!" * self.params.exclamation_marks
        words = [max(query.text.split() or [""], key=len) for query in queries]
        return [Prediction(word.upper() + marks) for word in words]
