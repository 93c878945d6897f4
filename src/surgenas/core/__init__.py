"""Values and laws: what an architecture is, and what can be done with one."""
