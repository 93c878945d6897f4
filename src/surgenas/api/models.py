"""The trained network of a run as a PyTorch module: as it is, or with other classes to go on training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from surgenas.core.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from surgenas.runs.model_use import ModelUse

CROPS = {"crop": "center", "pad": "border", "squash": "squash"}
"""What timm calls the ways in which an image is made to fit."""


def load(run: str | Path) -> nn.Module:
    """The trained network of a run, in eval mode: `model = surgenas.load("runs/1")`.

    Raises UsageError or CorruptError if the folder has no trained network.
    """
    return create_model(run).eval()


def create_model(run: str | Path, *, pretrained: bool = True, num_classes: int | None = None) -> nn.Module:
    """The network of a run in training mode, as timm's function of this name gives one.

    pretrained: with the weights of the run, else with fresh ones. num_classes: of a fresh last layer; 0 for none, so
    that (N, 3, H, W) becomes features (N, F); None for the layer that the run has trained. The module's
    `pretrained_cfg` is what `timm.data.resolve_model_data_config` makes the run's preprocessing from, once the run has
    exported its network. Raises UsageError or CorruptError if the folder has no (trained) network.
    """
    from surgenas.nn.head import replace_classifier
    from surgenas.nn.weights import load_weights
    from surgenas.runs.found import read_with_space
    from surgenas.runs.model_use import read_use
    from surgenas.runs.names import USE

    if num_classes is not None and num_classes < 0:
        raise UsageError(f"num_classes={num_classes}: give 0 for features, else how many classes there are")
    arch, space = read_with_space(run)
    network = space.build(arch)
    if pretrained:
        load_weights(Path(run) / "model.safetensors", network)
    if num_classes is not None:
        replace_classifier(network, num_classes)
    if (Path(run) / USE).is_file():
        network.pretrained_cfg = _as_timm_says(read_use(Path(run)), num_classes)  # type: ignore[assignment]
    return network


def _as_timm_says(use: ModelUse, num_classes: int | None) -> dict[str, Any]:
    return {
        "input_size": (3, use.height, use.width),
        "num_classes": len(use.classes) if num_classes is None else num_classes,
        "mean": use.mean,
        "std": use.std,
        "interpolation": use.interpolation,
        "crop_pct": 1.0,
        "crop_mode": CROPS[use.fit],
    }
