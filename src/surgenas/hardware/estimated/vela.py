"""What does Arm's compiler for Ethos-U, Vela, say of an int8 .tflite file? It runs by itself; its tables are read."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from configparser import ConfigParser, ParsingError
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from surgenas.core.errors import DataError, EnvironmentFault, UsageError
from surgenas.hardware.runtimes import distribution_version

DISTRIBUTION, EXTRA = "ethos-u-vela", "ethos-u"
LONGEST_S = 600
KIB = 1024
QUOTES = "'\""


@dataclass(frozen=True)
class Compiled:
    """cycles: of one image. sram, flash, dram: bytes that have to be there. by_operator: cycles by the name of what an
    operator computes, in the order in which they run. on_cpu: those that the NPU cannot run, of which no time counts.
    """

    cycles: float
    clock_hz: float
    sram: float
    flash: float
    dram: float
    by_operator: tuple[tuple[str, float], ...]
    on_cpu: tuple[str, ...]


def version() -> str:
    """The installed version of the compiler; raises EnvironmentFault if there is none."""
    return distribution_version(DISTRIBUTION, EXTRA)


def check_sections(config: Path | None, names: Sequence[str]) -> None:
    """Raise UsageError for a section that a file of systems, the compiler's own by default, does not have. Nothing is
    checked where the compiler is not installed."""
    spec = find_spec("ethosu")
    if spec is None or not spec.submodule_search_locations:
        return
    path = config or Path(next(iter(spec.submodule_search_locations))) / "config_files" / "Arm" / "vela.ini"
    file = ConfigParser(interpolation=None)
    try:
        file.read_string(path.read_text())
    except (OSError, ValueError, ParsingError) as error:
        raise UsageError(f"{path}: no file of systems ({str(error).splitlines()[0]})") from error
    for name in names:
        if name not in file:
            kind, _, asked = name.partition(".")
            known = [section.partition(".")[2] for section in file.sections() if section.startswith(f"{kind}.")]
            raise UsageError(f"{path.name} has no {kind} {asked!r}; one of {', '.join(known)}")


def compile_for(model: bytes, options: Sequence[str]) -> Compiled:
    """Compile a file with the compiler's own options. Raises DataError in its words if it refuses."""
    version()
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "network.tflite"
        file.write_bytes(model)
        command = [sys.executable, "-m", "ethosu.vela", str(file), "--output-dir", name, "--verbose-performance"]
        try:
            done = subprocess.run(
                [*command, *options], capture_output=True, text=True, timeout=LONGEST_S, cwd=name, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise EnvironmentFault(f"Vela took longer than {LONGEST_S} s for one network") from error
        if done.returncode:
            said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            why = next((line for line in reversed(said) if "Error: " in line), [*said, "it does not say why"][-1])
            raise DataError(f"Vela cannot compile it ({why.rpartition('Error: ')[2].rstrip(QUOTES)})")
        try:
            return _read(Path(name))
        except (LookupError, StopIteration, ValueError) as error:
            raise EnvironmentFault(f"Vela {version()} wrote tables that are not understood; 5.2 is known") from error


def _read(folder: Path) -> Compiled:
    """The compiler's tables. Its standard output says the same, rounded."""
    (summary,) = _rows(next(folder.glob("*_summary_*.csv")))
    rows = _rows(next(folder.glob("*_per-layer.csv")))
    cycles: dict[str, float] = {}
    for row in rows:
        cycles[row["Name"]] = cycles.get(row["Name"], 0.0) + float(row["Op Cycles"] or 0)

    def stored(*kinds: str) -> float:
        return KIB * sum(float(summary[f"{kind}_memory_used"]) for kind in kinds)

    return Compiled(
        cycles=float(summary["cycles_total"]),
        clock_hz=float(summary["core_clock"]),
        sram=stored("sram"),
        flash=stored("on_chip_flash", "off_chip_flash"),
        dram=stored("dram"),
        by_operator=tuple(cycles.items()),
        on_cpu=tuple(f"{row['Original Operator']} ({row['Name']})" for row in rows if row["Target"] != "NPU"),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))
