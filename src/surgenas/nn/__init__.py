"""Blocks (timm's) and the ways in which many architectures share one set of weights."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]
"""In which numbers are the costly layers of a training computed? auto: in bfloat16 on a GPU that has it."""
