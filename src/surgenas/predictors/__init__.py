"""Latency predictors: one file each, one contract (`base.Predictor`); any "package.module:Class" path works too."""

CATALOG = {
    "process": "surgenas.predictors.process:GraphProcess",
    "gnn": "surgenas.predictors.graph:GraphPredictor",
    "mlp": "surgenas.predictors.mlp:MlpPredictor",
    "lpm": "surgenas.predictors.mlp:LpmPredictor",
    "boosting": "surgenas.predictors.boosting:BoostingPredictor",
    "ridge": "surgenas.predictors.linear:RidgePredictor",
    "lookup": "surgenas.predictors.linear:LookupPredictor",
    "layers": "surgenas.predictors.linear:LayerSumPredictor",
    "flops": "surgenas.predictors.linear:FlopsPredictor",
}
