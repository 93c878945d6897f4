"""Published search methods, one file each, and the samplers and selections they share."""

CATALOG = {
    "surgenas": "surgenas.methods.surgenas:SurgeNAS",
    "single-path": "surgenas.methods.single_path:SinglePathNAS",
    "spos": "surgenas.methods.spos:SPOS",
    "hurricane": "surgenas.methods.hurricane:Hurricane",
}
SAMPLERS = {
    "ods": "surgenas.methods.samplers:ordered_differentiable",
    "fair": "surgenas.methods.samplers:uniform_orderings",
    "gdas": "surgenas.methods.samplers:single_gumbel",
    "spos": "surgenas.methods.samplers:single_uniform",
    "darts": "surgenas.methods.samplers:all_paths",
}
