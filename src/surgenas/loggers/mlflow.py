"""MLflow (extra: mlflow), by its client: a tracking server, a database or a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from surgenas.core.errors import EnvironmentFault
from surgenas.loggers.base import Logger, Plain, Point, Status

EXPERIMENT = "surgenas"
"""The experiment of all runs, unless $MLFLOW_EXPERIMENT_NAME names another."""
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "30", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""By default MLflow tries for minutes to reach a server that is gone; the run would wait. What the user set, holds."""
ENDED = {"success": "FINISHED", "failed": "FAILED", "aborted": "KILLED"}
METRICS, PARAMS = 1000, 100
"""How many of them MLflow takes in one request."""


class MLflow(Logger):
    """A run of MLflow, named as the run folder. where: the tracking URI; empty for MLflow's own default
    ($MLFLOW_TRACKING_URI). word: its id, if it was begun before."""

    def __init__(self, folder: Path, where: str = "", word: str = "") -> None:
        try:
            import mlflow  # noqa: F401
        except ImportError as error:
            raise EnvironmentFault(f"MLflow cannot be imported ({error}): pip install 'surgenas[mlflow]'") from error
        self.folder, self.where, self.word = folder, where, word

    @cached_property
    def client(self) -> Any:
        """MLflow's client; it may ask the server already when it is made."""
        from mlflow import MlflowClient

        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        return MlflowClient(self.where or None)

    def known(self) -> Mapping[tuple[str, int], float]:
        run = self._begun() if self.word else None
        if run is None:
            self.word = self.client.create_run(self._experiment(), run_name=self.folder.resolve().name).info.run_id
            return {}
        self.client.update_run(self.word, status="RUNNING")
        history = self.client.get_metric_history
        return {(m.key, m.step): m.value for name in run.data.metrics for m in history(self.word, name)}

    def _begun(self) -> Any:
        """The run of an earlier session; None if it was deleted there, or if the default is another server now."""
        from mlflow.exceptions import MlflowException

        try:
            run = self.client.get_run(self.word)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return run if run.info.lifecycle_stage == "active" else None

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        found = self.client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self.client.create_experiment(name))

    def write(self, points: Sequence[Point]) -> None:
        from mlflow.entities import Metric

        now = round(time.time() * 1000)
        found = [Metric(point.name, point.value, now, point.step) for point in points]
        for start in range(0, len(found), METRICS):
            self.client.log_batch(self.word, metrics=found[start : start + METRICS])

    def write_settings(self, settings: Mapping[str, Plain]) -> None:
        from mlflow.entities import Param

        known = self.client.get_run(self.word).data.params  # a parameter that is there cannot be written again
        new = [Param(name, str(value)) for name, value in settings.items() if name not in known]
        for start in range(0, len(new), PARAMS):
            self.client.log_batch(self.word, params=new[start : start + PARAMS])

    def write_words(self, words: Mapping[str, str]) -> None:
        """As tags: what a step that is done again finds may be another word."""
        for name, text in words.items():
            self.client.set_tag(self.word, name, text)

    def keep(self, file: Path) -> None:
        self.client.log_artifact(self.word, str(file))

    def close(self, status: Status) -> None:
        self.client.set_terminated(self.word, ENDED[status])
