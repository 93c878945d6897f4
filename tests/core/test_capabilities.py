"""What a space can do beside declaring its choices is seen by what it has, and what it lacks is said."""

from __future__ import annotations

import pytest

from surgenas.core.capabilities import Boxed, Counted, Indexed, Named, Scalable, Selectable, SharesWeights, require
from surgenas.core.errors import UsageError


class Bare:
    """It can do nothing."""

    name = "bare"


class Summed(Bare):
    def costs(self):
        return "a table"


class Chain(Bare):
    def parts(self, arch):
        return []


class Elastic(Bare):
    knobs = ("width",)

    def scaled(self, arch, knob, scale):
        return arch


EVERY = (Boxed, Counted, Indexed, Named, Scalable, Selectable, SharesWeights)


@pytest.mark.parametrize(("kind", "capability"), [(Summed, Counted), (Chain, Named), (Elastic, Scalable)])
def test_a_space_is_known_by_what_it_has_and_given_back_as_it_is(kind, capability):
    space = kind()
    assert require(space, capability) is space
    assert [other for other in EVERY if isinstance(space, other)] == [capability]


@pytest.mark.parametrize(
    ("capability", "said"),
    [
        (SharesWeights, "its architectures share no weights"),
        (Counted, "does not say what its choices cost"),
        (Named, "does not name the parts of its networks"),
        (Scalable, "no width, resolution or depth to scale"),
        (Indexed, r"no topology numbers \(use concat or mobile\)"),
        (Boxed, r"its choices are no numbers \(use concat\)"),
        (Selectable, r"no operators to select from \(use operators or shuffle\)"),
    ],
)
def test_what_a_space_lacks_is_said_with_where_to_look(capability, said):
    with pytest.raises(UsageError, match=rf"space 'bare': .*{said}.*`surgenas spaces`") as caught:
        require(Bare(), capability)
    assert "\n" not in str(caught.value)


def test_half_of_a_capability_is_none():
    class Knobless(Bare):
        def scaled(self, arch, knob, scale):
            return arch

    with pytest.raises(UsageError, match="to scale"):
        require(Knobless(), Scalable)


def test_a_capability_of_somebody_elses_is_asked_for_in_the_same_way():
    class Painted:
        """Of another package: a plain class."""

    class Red(Bare, Painted):
        pass

    assert isinstance(require(Red(), Painted), Painted)
    with pytest.raises(UsageError, match="space 'bare': it lacks Painted"):
        require(Bare(), Painted)
