"""A network given by anybody, whose channels, blocks and depthwise kernels can shrink, with weights shared by slicing
(docs/elastic.md).

    structure = checked(network, trace(network, example), example)
    sort_channels(network, structure)
    shape = structure.at(0.5)
    sliced(network, structure, shape, images)    # as the smaller network, with the large one's weights
    cut(network, structure, shape)               # the smaller network by itself
    dropped(network, structure, widths, images)  # as many smaller networks, one for each image
"""

from surgenas.nn.elastic.checked import checked
from surgenas.nn.elastic.dropout import by_image, droppable, dropped
from surgenas.nn.elastic.ordering import sort_channels
from surgenas.nn.elastic.slicing import cut, sliced
from surgenas.nn.elastic.structure import Group, Shape, Structure
from surgenas.nn.elastic.tracing import trace

__all__ = [
    "Group", "Shape", "Structure",
    "by_image", "checked", "cut", "droppable", "dropped", "sliced", "sort_channels", "trace",
]  # fmt: skip
