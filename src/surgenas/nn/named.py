"""Which networks have a name? timm's, made for images of any size that timm can make them for, without weights."""

from __future__ import annotations

from difflib import get_close_matches

from torch import nn

from surgenas.core.errors import UsageError
from surgenas.core.look import Look
from surgenas.core.units import show_sides

Shape = tuple[int, int, int]
"""(C, H, W) in pixels."""


def make_network(name: str, classes: int, side: int) -> nn.Module:
    """timm's network of this name for so many classes and images of side x side pixels, freshly initialised.

    A tag of weights after the name (`resnet18.a1_in1k`) decides only what `look_of` says of it. Raises UsageError for
    an unknown name, and for a size at which timm cannot make the network.
    """
    check_name(name, f"{name!r} is no network of timm; expected one of `timm.list_models()`")
    return build_named(name, input_shape(name, (side, side)), classes)


def check_name(name: str, refusal: str) -> None:
    """Raise UsageError with these words, and names like it, if timm knows no network of this name."""
    import timm

    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), cutoff=0.5) or timm.list_models("mobilenet*")[:3]
        raise UsageError(f"{refusal}, or for example {', '.join(near)}")


def input_shape(name: str, size: tuple[int, int] = (0, 0)) -> Shape:
    """What goes into a network that timm knows. size: (H, W); 0 for the network's own.

    Raises UsageError for a tag of weights that do not exist.
    """
    import timm

    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        raise UsageError(f"timm has no {name!r} ({error}); without the tag it is {name.partition('.')[0]}") from error
    C, H, W = config.input_size if config else (3, 224, 224)
    return C, size[0] or H, size[1] or W


def build_named(name: str, shape: Shape, classes: int | None = None) -> nn.Module:
    """The network that timm knows by this name, for inputs of this shape. classes: None for as many as it was published
    with.

    Raises UsageError for whatever timm raises.
    """
    import timm

    settings: dict[str, object] = {} if classes is None else {"num_classes": classes}
    if has_fixed_size(name):
        settings["img_size"] = shape[1:]
    try:
        return timm.create_model(name, pretrained=False, **settings)
    except Exception as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"timm cannot make {name} for images of {show_sides(*shape[1:])} px ({why}); another --resolution may do"
        ) from error


def has_fixed_size(name: str) -> bool:
    """Whether timm makes the network for images of one size, as ViT and Swin."""
    import timm

    config = timm.get_pretrained_cfg(name)
    return bool(config and config.fixed_input_size)


def look_of(network: nn.Module) -> Look:
    """How a network made by name expects its images: what timm says of the weights that its name stands for."""
    from timm.data import resolve_model_data_config

    said = resolve_model_data_config(network)
    return Look.from_json({field: said[field] for field in ("mean", "std", "interpolation")})
