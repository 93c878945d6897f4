"""Images, data sets, and what a network is asked to do with them."""

from __future__ import annotations

from typing import Literal

Fit = Literal["crop", "pad", "squash"]
"""How an image that is no square becomes one: its middle, all of it between black bars, or all of it, distorted."""
Flips = Literal["auto", "off", "horizontal"]
"""Are images to learn from mirrored at random? auto: unless mirrored ones pass for images of another class."""
Classes = Literal["as-is", "balanced"]
"""Are images to learn from drawn as there are of each class, or every class equally often?"""
