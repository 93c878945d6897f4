"""Which weights does timm publish, and how do they get here? By timm's own download, which keeps what it fetched."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.nn.named import check_name, input_shape

SECONDS = 10.0
"""How long the hub has to answer before anything is fetched."""


def download(
    name: str, *, ask: Callable[[str], object] | None = None, create: Callable[..., nn.Module] | None = None
) -> dict[str, Tensor]:
    """The weights that timm publishes for a network of this name, or for a name with a tag: fetched, or as they were
    kept.

    ask: raises an error if the hub cannot be reached, or has no repository of this name. create: what makes a network
    with its weights, as `timm.create_model` does. Raises UsageError if there are no weights, and EnvironmentFault if
    they cannot be fetched.
    """
    import timm

    check_name(name, f"{name!r} is no network of timm; expected one of `timm.list_pretrained()`")
    input_shape(name)  # refuses a tag that does not exist
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        raise UsageError(f"timm publishes no weights for {name}; give a file of weights, or begin with fresh ones")
    try:
        if config.hf_hub_id and not _is_kept(config.hf_hub_id, config.hf_hub_filename):
            (ask or _ask_hub)(config.hf_hub_id)  # the download itself would try for a minute, and say so ten times
        return (create or timm.create_model)(name, pretrained=True).state_dict()
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise EnvironmentFault(
            f"the weights of {name} cannot be fetched ({why}); get {config.hf_hub_id or config.url} where there is a "
            "network, and give its file of weights"
        ) from error


def _is_kept(repository: str, file: str | None) -> bool:
    from huggingface_hub import try_to_load_from_cache

    files = (file,) if file else ("model.safetensors", "pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(repository.partition("@")[0], file), str) for file in files)


def _ask_hub(repository: str) -> None:
    from huggingface_hub import HfApi

    HfApi().model_info(repository.partition("@")[0], timeout=SECONDS)
