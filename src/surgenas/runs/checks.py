"""What of a run would fail after time was spent on it? It is refused before."""

from __future__ import annotations

from surgenas.core import moves
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.seeds import generator
from surgenas.methods.base import check_held
from surgenas.methods.shared_weights import check_even, make_shared
from surgenas.nn.cost import output_shape
from surgenas.runs.measured import LEAST, usable_predictors
from surgenas.runs.resources import check_resources
from surgenas.runs.run import Run
from surgenas.runs.sampled import wanted_samples
from surgenas.runs.searching import Searching
from surgenas.runs.slowdown import check_percentile
from surgenas.runs.training import recipe
from surgenas.runs.whole import read_whole
from surgenas.spaces import CATALOG
from surgenas.training.regularize import regularize

LEAST_IMAGES = 2
"""Statistics of a batch need so many."""
SOME = 64
"""So many networks are drawn to see whether there is more than one."""


def check_names(run: Run) -> None:
    """Raise UsageError for what would fail after time was spent: a method, one of its settings or a predictor
    that does not exist, too few samples, shared weights that the method cannot train, weights of another
    network, networks that do not tell the classes apart."""
    searching = Searching(run)
    if searching.needs.shares:
        make_shared(run.space, searching.needs, run.config.method.name, run.asked_method.default_space)
    check_held(run.config.method.name, searching.needs, len(run.images.aside or ()))
    if searching.needs.together:
        check_even(run.space, run.config.method.name)
    assert searching.method is not None, "made from its settings, which may be refused"
    assert searching.rungs or not searching.needs.searches, "made from the epochs, which may be too few"
    check_percentile(run)
    check_resources(run)
    if run.config.training.start == "inherit" and not searching.needs.shares:
        name = run.config.method.name
        raise UsageError(f"--start inherit: {name} trains no weights that networks share, there is nothing to inherit")
    if run.config.training.weights:
        read_whole(run)
    _check_networks(run)
    _check_choice(run)
    _check_recipe(run)
    usable_predictors(run)
    if (size := moves.size(run.space)) < LEAST:
        raise UsageError(
            f"space {run.space.name!r} has {size} networks, and a search learns latency from {LEAST} or more; measure "
            "and train each: surgenas measure, surgenas train"
        )
    if (asked := wanted_samples(run)) < LEAST:
        raise UsageError(f"--samples {asked}: a search learns latency from {LEAST} networks or more")


def _check_recipe(run: Run) -> None:
    """Raise UsageError if the networks lack what the recipe asks for, it leaves nothing of the images, or there are too
    few of them."""
    asked = recipe(run)
    if (count := len(run.images.search.train)) < LEAST_IMAGES:
        raise UsageError(
            f"a search has {count} image to train on, and statistics of a batch need {LEAST_IMAGES}; give it more data"
        )
    run.workforce.team.check_batch(min(asked.batch, count))
    if asked.cutout >= run.resolution:
        raise UsageError(f"--cutout {asked.cutout}: of {run.resolution} px nothing would be left; ask for less")
    if asked.drop_path or asked.auxiliary:
        network = run.space.build(moves.sample(run.space, generator(run.config.seed, "check")))
        regularize(network, drop_path=asked.drop_path, auxiliary=asked.auxiliary)


def _check_choice(run: Run) -> None:
    """Raise UsageError if the space has a single network."""
    rng = generator(run.config.seed, "check")
    if len({moves.canonical_key(run.space, moves.sample(run.space, rng)) for _ in range(SOME)}) < 2:
        raise UsageError(
            f"space {run.space.name!r} has a single network, so that nothing can be searched; train it: surgenas train"
        )


def _check_networks(run: Run) -> None:
    """Raise UsageError if a network of a space from outside cannot be built, or has another number of classes than the
    images."""
    name, classes = run.space.name, len(run.data.classes)
    if name in CATALOG:
        return
    try:
        network = run.space.build(run.space.architecture(tuple(choice.options[0] for choice in run.space.choices)))
        shape = output_shape(network, run.space.input_shape)
    except SurgenasError:
        raise
    except Exception as error:
        raise UsageError(f"space {name!r} cannot build a network: {type(error).__name__}: {error}") from error
    if shape != (classes,):
        raise UsageError(
            f"space {name!r} gives (N, {', '.join(map(str, shape))}) for (N, {classes}), the images' classes; let its "
            "constructor take `classes`"
        )
