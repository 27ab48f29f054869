"""Writes trials as MLflow's runs, of an experiment with the task's name.

Where MLFLOW_TRACKING_URI names a server or a database, there; else into files in the run folder.
Sends parameters and figures, no rows and no answers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.track.tracked_trial import TrackedTrial

URI = "MLFLOW_TRACKING_URI"
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A server that is gone must not hold up a run: MLflow's own waits sum up to several minutes.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    # MLflow 3 refuses its own file format unless asked; files need no database.
    "MLFLOW_ALLOW_FILE_STORE": "true",
}
"""What MLflow reads from the environment, where the user has not set it."""
TRIAL = "harness.trial_id"
LONGEST = 500
"""Characters of a parameter or a tag: MLflow's shortest limit of all its stores."""
AT_ONCE = 1000
"""Metrics that one request may carry (mlflow.utils.validation)."""
PARAMS_AT_ONCE = 100


class MlflowTracker:
    """Runs of one experiment."""

    def __init__(self, task: str, folder: Path):
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        self._metric, self._param = Metric, Param
        uri = os.environ.get(URI) or folder.resolve().as_uri()
        self._client: Any = MlflowClient(tracking_uri=uri)
        known = self._client.get_experiment_by_name(task)
        self._experiment = known.experiment_id if known else self._client.create_experiment(task)
        self._runs: dict[str, str] = {}

    def trial(self, trial: TrackedTrial) -> None:
        """Write a trial as a run; one that is there already is left as it is."""
        wanted = f"tags.`{TRIAL}` = '{trial.trial_id}' and attributes.status = 'FINISHED'"
        found = self._client.search_runs([self._experiment], wanted, max_results=1)
        if found:
            self._runs[trial.trial_id] = found[0].info.run_id
            return
        tags = {
            TRIAL: trial.trial_id,
            "harness.arm": trial.arm,
            "harness.strategy": trial.strategy,
            "harness.status": trial.status,
            "harness.error": (trial.error or "")[:LONGEST],
        }
        run = self._client.create_run(
            self._experiment, run_name=trial.name, tags={k: v for k, v in tags.items() if v}
        )
        self._runs[trial.trial_id] = run_id = run.info.run_id
        params = [self._param(key, value[:LONGEST]) for key, value in trial.params.items()]
        params.append(self._param("seed", str(trial.seed)))
        for begin in range(0, len(params), PARAMS_AT_ONCE):
            self._client.log_batch(run_id, params=params[begin : begin + PARAMS_AT_ONCE])
        points = [(name, value, 0) for name, value in trial.figures.items()]
        points += [(point.curve, point.value, point.step) for point in trial.points]
        self._log(run_id, points)
        self._client.set_terminated(run_id, "FINISHED" if trial.status == "ok" else "FAILED")

    def found(self, trial: TrackedTrial, figures: Mapping[str, float]) -> None:
        """Add what was found to a trial's run."""
        points = [(name, value, 0) for name, value in figures.items()]
        self._log(self._runs[trial.trial_id], points)

    def close(self) -> None:
        """Do nothing: each run is ended when it is written."""

    def _log(self, run_id: str, points: list[tuple[str, float, int]]) -> None:
        now = int(time.time() * 1000)
        metrics = [self._metric(name, value, now, step) for name, value, step in points]
        for begin in range(0, len(metrics), AT_ONCE):
            self._client.log_batch(run_id, metrics=metrics[begin : begin + AT_ONCE])
