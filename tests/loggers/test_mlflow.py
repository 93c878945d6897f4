"""MLflow's own client is told; a stand-in for the package here, and the package itself where it is installed."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from surgenas.loggers import make_logger
from surgenas.loggers.base import Point

POINTS = [Point("search/loss", 0, 2.5), Point("search/loss", 1, 2.25)]


class Fault(Exception):
    def __init__(self, error_code):
        super().__init__(error_code)
        self.error_code = error_code


class Server:
    """Keeps runs by id. What MlflowClient promises, as far as it is used."""

    def __init__(self):
        self.runs, self.experiments, self.uris = {}, [], []

    def client(self, uri=None):
        self.uris.append(uri)
        return self

    def get_experiment_by_name(self, name):
        return SimpleNamespace(experiment_id=name) if name in self.experiments else None

    def create_experiment(self, name):
        self.experiments.append(name)
        return name

    def create_run(self, experiment, run_name):
        number = str(len(self.runs))
        info = SimpleNamespace(run_id=number, lifecycle_stage="active", status="RUNNING", run_name=run_name)
        data = SimpleNamespace(metrics={}, params={}, tags={})
        self.runs[number] = SimpleNamespace(info=info, data=data, history=[], files=[], experiment=experiment)
        return self.runs[number]

    def get_run(self, number):
        if number not in self.runs:
            raise Fault("RESOURCE_DOES_NOT_EXIST")
        return self.runs[number]

    def update_run(self, number, status):
        self.runs[number].info.status = status

    set_terminated = update_run

    def get_metric_history(self, number, name):
        return [metric for metric in self.runs[number].history if metric.key == name]

    def log_batch(self, number, metrics=(), params=()):
        assert len(metrics) <= 1000
        assert len(params) <= 100
        run = self.runs[number]
        run.history += metrics
        run.data.metrics |= {metric.key: metric.value for metric in metrics}
        for param in params:
            assert run.data.params.setdefault(param.key, param.value) == param.value
        assert all(len(param.value) <= 6000 for param in params)

    def set_tag(self, number, name, text):
        self.runs[number].data.tags[name] = text

    def log_artifact(self, number, path):
        self.runs[number].files.append(path)


@pytest.fixture
def server(monkeypatch):
    server = Server()
    package, entities, exceptions = (ModuleType(f"mlflow{part}") for part in ("", ".entities", ".exceptions"))
    package.MlflowClient = server.client
    entities.Metric = lambda *a: SimpleNamespace(**dict(zip(("key", "value", "timestamp", "step"), a, strict=True)))
    entities.Param = lambda key, value: SimpleNamespace(key=key, value=value)
    exceptions.MlflowException = Fault
    for module in (package, entities, exceptions):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.setenv(name, "")
    return server


def told(folder, word="", points=POINTS, to="mlflow"):
    logger = make_logger(to, folder, word)
    known = logger.known()
    logger.write_settings({"data.source": "digits", "seed": 3})
    logger.write(points)
    logger.write_words({"final/found/grade": "A"})
    logger.close("success")
    return logger.word, known


def test_a_run_is_named_as_its_folder_and_told_everything(server, tmp_path):
    word, known = told(tmp_path / "net", to="mlflow=there")
    run = server.runs[word]
    assert (run.info.run_name, run.info.status, run.experiment, known) == ("net", "FINISHED", "surgenas", {})
    assert run.data.params == {"data.source": "digits", "seed": "3"}
    assert run.data.tags == {"final/found/grade": "A"}
    assert [(m.key, m.step, m.value) for m in run.history] == [("search/loss", 0, 2.5), ("search/loss", 1, 2.25)]
    assert server.uris == ["there"]


def test_a_later_session_goes_on_in_the_same_run(server, tmp_path):
    word, _ = told(tmp_path)
    again, known = told(tmp_path, word, [Point("search/loss", 2, 2.0)])
    assert (again, len(server.runs)) == (word, 1)
    assert known == {("search/loss", 0): 2.5, ("search/loss", 1): 2.25}


@pytest.mark.parametrize("how", ["deleted", "gone"])
def test_a_run_that_was_deleted_there_is_begun_anew(server, tmp_path, how):
    word, _ = told(tmp_path)
    server.runs[word].info.lifecycle_stage = "deleted"
    again, known = told(tmp_path, word if how == "deleted" else "elsewhere")
    assert (again != word, known) == (True, {})


def test_a_server_that_does_not_answer_gets_no_second_run(server, tmp_path, monkeypatch):
    word, _ = told(tmp_path)

    def silent(number):
        raise Fault("INTERNAL_ERROR")

    monkeypatch.setattr(server, "get_run", silent)
    with pytest.raises(Fault):
        told(tmp_path, word)
    assert len(server.runs) == 1


def test_many_points_come_in_several_requests(server, tmp_path):
    word, _ = told(tmp_path, points=[Point("x", step, 1.0) for step in range(2500)])
    assert len(server.runs[word].history) == 2500


def test_the_experiment_of_the_environment_is_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    word, _ = told(tmp_path)
    assert server.runs[word].experiment == "mine"
    assert server.experiments == ["mine"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_package_itself_keeps_it(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    word, _ = told(tmp_path, to=f"mlflow={uri}")
    logger = make_logger(f"mlflow={uri}", tmp_path, word)
    assert logger.known() == {("search/loss", 0): 2.5, ("search/loss", 1): 2.25}
    logger.write_settings({"data.source": "digits", "seed": 3, "new": 1})
    logger.close("failed")
    run = mlflow.MlflowClient(uri).get_run(word)
    assert (run.info.status, run.data.params["seed"], run.data.tags["final/found/grade"]) == ("FAILED", "3", "A")
