"""In which numbers are the costly layers of a training computed?"""

from __future__ import annotations

import torch

from surgenas.nn import Precision


def in_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """Inside the block, convolutions and matrix products are computed in bfloat16 where the precision says so, as
    torch's autocast does it: weights, statistics and losses stay in float32."""
    half = precision == "bf16" or (
        precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def in_float32(device: torch.device) -> torch.autocast:
    """Inside the block, everything is computed in the numbers that it is given, whatever is around it."""
    return torch.autocast(device.type, enabled=False)
