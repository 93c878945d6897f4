"""Accuracy predictors: one file each, one contract (`base.AccuracyPredictor`); any "package.module:Class" path works
too."""

CATALOG = {
    "degree": "surgenas.accuracy.analytical:Degree",
    "mass": "surgenas.accuracy.analytical:Mass",
    "macs": "surgenas.accuracy.analytical:Macs",
    "params": "surgenas.accuracy.analytical:Params",
    "depth": "surgenas.accuracy.analytical:Depth",
    "ridge": "surgenas.accuracy.codes:Ridge",
    "process": "surgenas.accuracy.codes:Process",
    "svr": "surgenas.accuracy.codes:SupportVectors",
    "kernel": "surgenas.accuracy.kernel:Kernel",
}
USUAL = tuple(name for name in CATALOG if name != "kernel")
"""Those that build no network, so that they predict thousands in a second."""
