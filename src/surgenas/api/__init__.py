"""surgenas from Python: the functions that the commands call. Each returns a frozen value or a path."""

from surgenas.api.adapt import adapt, adapting
from surgenas.api.models import create_model, load
from surgenas.api.runs import (
    Logged,
    Profile,
    Result,
    create,
    dry_run,
    export,
    log,
    predict,
    profile,
    resume,
    search,
    write_report,
)
from surgenas.api.studies import (
    DEVICES,
    bench,
    classify,
    compare,
    improvement,
    measure,
    operators,
    quantize,
    scale,
    train,
)
from surgenas.api.tables import answer, predict_table
from surgenas.runs.foreseen import Plan

__all__ = [
    "DEVICES", "Logged", "Plan", "Profile", "Result", "adapt", "adapting", "answer", "bench", "classify", "compare",
    "create", "create_model", "dry_run", "export", "improvement", "load", "log", "measure", "operators", "predict",
    "predict_table", "profile", "quantize", "resume", "scale", "search", "train", "write_report",
]  # fmt: skip
