"""Latency predictors: one file each, one contract (`base.Predictor`); any "package.module:Class" path works too."""

CATALOG = {
    "gnn": "surgenas.predictors.graph:GraphPredictor",
    "mlp": "surgenas.predictors.mlp:MlpPredictor",
    "ridge": "surgenas.predictors.linear:RidgePredictor",
    "lookup": "surgenas.predictors.linear:LookupPredictor",
    "flops": "surgenas.predictors.linear:FlopsPredictor",
}
