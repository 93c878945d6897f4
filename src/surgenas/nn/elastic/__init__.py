"""A network given by anybody, whose channels, blocks and depthwise kernels can shrink, with weights shared by slicing
(docs/elastic.md).

    structure = checked(network, trace(network, example), example)
    sort_channels(network, structure)
    shape = structure.at(0.5)
    sliced(network, structure, shape, images)    # as the smaller network, with the large one's weights
    cut(network, structure, shape)               # the smaller network by itself
"""

from surgenas.nn.elastic.checked import checked
from surgenas.nn.elastic.ordering import sort_channels
from surgenas.nn.elastic.slicing import cut, sliced
from surgenas.nn.elastic.structure import Group, Shape, Structure
from surgenas.nn.elastic.tracing import trace

__all__ = ["Group", "Shape", "Structure", "checked", "cut", "sliced", "sort_channels", "trace"]
