"""Commands that judge searches: against each other, against the optimum of a table, against random architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surgenas.cli.options import Json, LogTo, app, names_of, progress, show, with_run_options
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress

bench = typer.Typer(no_args_is_help=True, help="Are searches better than random? On tables, and in whole runs.")
app.add_typer(bench, name="bench")


@bench.command()
def search(
    table: Annotated[Path, typer.Option(help="CSV with a column arch, or JSON; every network of the space.")],
    validation: Annotated[str, typer.Option(help="The column that steers the search.")],
    test: Annotated[str, typer.Option(help="The column that is reported.")],
    space: Annotated[str, typer.Option(help="The table's space: nasbench201, macro.")] = "nasbench201",
    latency_table: Annotated[Path | None, typer.Option(help="A table with latencies in ms; may be the same.")] = None,
    latency: Annotated[str, typer.Option(help="Its column: the device.")] = "",
    limit: Annotated[str | None, typer.Option(help="A hard latency limit, for example 5ms.")] = None,
    fidelity: Annotated[
        list[str] | None, typer.Option(help="A cheaper column for halving, COLUMN=COST in queries; several times.")
    ] = None,
    methods: Annotated[str, typer.Option(help="A,B,..; `surgenas methods` lists them.")] = "regularized,local,weaknas",
    budget: Annotated[int, typer.Option(help="Queries of each search.")] = 300,
    seeds: Annotated[int, typer.Option(help="Searches of each method.")] = 20,
    out: Annotated[Path, typer.Option(help="Folder for what is found; given again, it goes on there.")] = Path("bench"),
    as_json: Json = False,
) -> None:
    """Search methods on a table whose optimum is known, random search beside them.

    Example: surgenas bench search --table accuracy.csv --validation val_12ep --test test_200ep --seeds 20
    """
    from surgenas import api
    from surgenas.core.units import parse_latency_ms
    from surgenas.report import lab_text

    found = api.bench(
        space, table, validation, test, out=out, latency_table=latency_table, latency=latency,
        limit_ms=parse_latency_ms(limit, "--limit") if limit is not None else None,
        fidelities=dict(fidelity_of(text) for text in fidelity or []), methods=tuple(names_of(methods)), budget=budget,
        seeds=seeds, progress=progress(),
    )  # fmt: skip
    show(found, as_json, lab_text.bench_table(found))


def fidelity_of(text: str) -> tuple[str, float]:
    """The column and the cost in "COLUMN=COST"; raises UsageError if the cost is no number."""
    name, _, cost = text.partition("=")
    try:
        return name, float(cost)
    except ValueError:
        raise UsageError(f"--fidelity {text!r}: expected COLUMN=COST, for example val_12ep=0.06") from None


@bench.command()
@with_run_options(
    "device", "latency_ms", "layout", "resolution", "epochs", "train_epochs", "batch", "samples", "accelerator",
    "engine",
)  # fmt: skip
def ri(
    said: dict[str, Any],
    listener: Progress,
    data: Annotated[list[str] | None, typer.Option(help="Images, as for search; may be given several times.")] = None,
    methods: Annotated[str, typer.Option(help="A,B,..; `surgenas methods` lists them.")] = "surgenas,single-path,spos",
    seeds: Annotated[int, typer.Option(help="Searches of each method on each data set.")] = 3,
    random: Annotated[int, typer.Option(help="Random architectures beside each, of equal latency and of any.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the runs; given again, it goes on there.")] = Path("ri"),
    log_to: LogTo = None,
    as_json: Json = False,
) -> None:
    """Measure relative improvement over random architectures of the same space, trained alike.

    Example: surgenas bench ri --data digits --data photos/ --methods surgenas,spos --seeds 5 --out ri/
    """
    from surgenas import api
    from surgenas.report import lab_text

    found = api.improvement(out, data or ["digits"], names_of(methods), seeds=seeds, random=random, settings=said,
                            log_to=log_to or (), progress=listener)  # fmt: skip
    show(found, as_json, lab_text.improvement_table(found))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Finished run folders, on the same images.")],
    as_json: Json = False,
) -> None:
    """Compare finished runs, and say whether their accuracies differ by more than noise.

    Example: surgenas compare runs/1 runs/2
    """
    from surgenas import api
    from surgenas.report import lab_text

    found = api.compare(runs, progress=progress())
    show(found, as_json, lab_text.comparison_table(found))
