"""What are the networks and the files of a run called?"""

from __future__ import annotations

FOUND, YARDSTICK = "found", "MobileNetV2"
"""Names of two networks of a run: the found one, and MobileNetV2 scaled to the found network's latency."""
ONNX, USE = "model.onnx", "model.json"
"""Files of a run: the network for everybody, and how all its model files are used."""
MISJUDGED = "misjudged.jpg"
"""The file of a run with thumbnails of the test images that the found network judges worst, side by side."""
START = "start.safetensors"
"""The whole network's weights as all networks of a run begin with them."""
SMALLER, NARROWER, NOTHING = "smaller images", "narrower", "from nothing"
"""What could be picked instead of a found smaller version of a network: the whole network on smaller images, or with
fewer channels everywhere, each of the found one's latency; and the found one without the weights of the whole."""
RANDOM, EQUAL, AS_LONG = "random", "random at equal latency", "random at equal total cost"
"""Names of random architectures: of any latency; of the found network's latency; and those again, trained for as long
as finding the found network and training it took together. A number from 1 up follows."""
SMALLER_AS_LONG = "smaller images at equal total cost"
"""The whole network on smaller images once more, fine-tuned for as long as all that took."""


def is_as_long(name: str) -> bool:
    """Whether a network of a run is trained for as long as finding and training the found one took together."""
    return name == SMALLER_AS_LONG or name.startswith(AS_LONG)
