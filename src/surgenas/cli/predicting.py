"""The command that predicts latencies: of a run's space, or of anybody's table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surgenas.cli.options import Json, app, names_of, progress, show


@app.command()
def predict(
    run: Annotated[Path | None, typer.Argument(help="A run folder with a profile; or none, and --table.")] = None,
    space: Annotated[str, typer.Option(help="The table's space; `surgenas spaces` lists them.")] = "nasbench201",
    table: Annotated[Path | None, typer.Option(help="A CSV file: column arch, and latencies in ms.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="The device to predict; may be given several times.")] = None,
    columns: Annotated[str, typer.Option(help="Several of them: A,B,..; all that end in _ms if none is named.")] = "",
    train: Annotated[list[int] | None, typer.Option(help="Samples to learn from; may be given several times.")] = None,
    seeds: Annotated[int, typer.Option(help="Draws of those samples.")] = 1,
    predictor: Annotated[list[str] | None, typer.Option(help="Only these; may be given several times.")] = None,
    pick: Annotated[str, typer.Option(help="How samples are picked: random, active; active with --pretrain.")] = "",
    pretrain: Annotated[Path | None, typer.Option(help="A table of devices that are known already.")] = None,
    pretrain_columns: Annotated[str, typer.Option(help="Those devices: A,B,..; all others by default.")] = "",
    ask: Annotated[Path | None, typer.Option(help="Architectures (column arch) whose latencies are wanted.")] = None,
    out: Annotated[Path, typer.Option(help="With --ask: the table of predicted latencies.")] = Path("predicted.csv"),
    as_json: Json = False,
) -> None:
    """Fit latency predictors on what `profile` measured, or on a table: their errors on held-out architectures, or the
    latencies of others.

    Example: surgenas predict runs/p1

    Example: surgenas predict --space fbnet --table latency.csv.gz --column pixel3_ms --train 100 --seeds 3

    Example: surgenas predict --space fbnet --table ten.csv --pretrain latency.csv.gz --ask archs.csv
    """
    from surgenas import api
    from surgenas.core.errors import UsageError
    from surgenas.report import lab_text, text

    if (run is None) == (table is None):
        raise UsageError("predict: expected a run folder, or --table FILE; surgenas predict --help has examples")
    if run is not None and ask is not None:
        raise UsageError("predict: --ask is about a --table; a run predicts its own space, in its search")
    if run is not None:
        found = api.predict(run, progress=progress())
        show(found, as_json, text.predictor_table(found))
        return
    how: dict[str, Any] = {"train": tuple(train or (100,)), "seeds": seeds, "pick": pick, "pretrain": pretrain}
    how |= {"predictors": tuple(predictor)} if predictor else {}
    wanted, known = [*(column or []), *names_of(columns)], tuple(names_of(pretrain_columns))
    assert table is not None, "else there is a run"
    if ask:
        answers = api.answer(space, table, ask, out, wanted, pretrain_columns=known, progress=progress(), **how)
        show(answers, as_json, lab_text.answers_text(answers))
        return
    standings = api.predict_table(space, str(table), wanted, pretrain_columns=known, progress=progress(), **how)
    show(standings, as_json, text.contest_table(standings))
