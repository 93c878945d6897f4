"""Targets on which nothing runs: what a published table or a formula says that a network costs."""
