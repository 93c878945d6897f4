"""Blocks (timm's) and the ways in which many architectures share one set of weights."""
