"""The lab: searches judged against each other, against the optimum of a table, and against random architectures."""
