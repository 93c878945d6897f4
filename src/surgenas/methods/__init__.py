"""Published search methods, one file each, and the samplers and selections they share."""

CATALOG = {
    "surgenas": "surgenas.methods.surgenas:SurgeNAS",
    "single-path": "surgenas.methods.single_path:SinglePathNAS",
    "spos": "surgenas.methods.spos:SPOS",
    "hurricane": "surgenas.methods.hurricane:Hurricane",
}
BLACK_BOX = {
    "random": "surgenas.methods.random_search:RandomSearch",
    "regularized": "surgenas.methods.regularized:RegularizedEvolution",
    "evolution": "surgenas.methods.evolution:Generations",
    "local": "surgenas.methods.local_search:LocalSearch",
    "nsga2": "surgenas.methods.nsga2:NSGA2",
    "halving": "surgenas.methods.halving:SuccessiveHalving",
    "weaknas": "surgenas.methods.weaknas:WeakNAS",
    "weaknas-forest": "surgenas.methods.weaknas:Forest",
    "weaknas-boosting": "surgenas.methods.weaknas:Boosting",
    "weaknas-ei": "surgenas.methods.weaknas:ExpectedImprovement",
    "optuna-tpe": "surgenas.methods.optuna:TPE",
    "optuna-nsga2": "surgenas.methods.optuna:OptunaNSGA2",
    "nevergrad": "surgenas.methods.nevergrad:NevergradSearch",
}
"""Methods that see of an architecture its score alone; the last three are other people's."""
SAMPLERS = {
    "ods": "surgenas.methods.samplers:ordered_differentiable",
    "fair": "surgenas.methods.samplers:uniform_orderings",
    "gdas": "surgenas.methods.samplers:single_gumbel",
    "spos": "surgenas.methods.samplers:single_uniform",
    "darts": "surgenas.methods.samplers:all_paths",
}
