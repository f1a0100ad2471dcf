"""The shapes of networks that published emotion models use, with random weights.

Any published model plugs in by its card; these stand in for them in tests of that path and
in comparisons of speed, because the weights may not be shipped and do not change the time.
Each is written after its paper's table; `SHAPES` says which figures it has to agree with.
The last layer gives one vector: the classes, then valence and arousal where a model has them.

One difference to the published files: padding is symmetric, where weights that were converted
from TensorFlow pad one side more than the other. It changes neither count.
"""

from __future__ import annotations

from .mobilevit import MobileViT2
from .networks import EfficientNet, MobileFaceNet, MobileNet, ReXNet
from .table import (
    SHAPES,
    Published,
    Shape,
    count_macs,
    count_params,
    efficientnet_b0,
    efficientnet_b2,
    make,
    mobilefacenet,
    mobilefacenet_wide,
    mobilenet,
    mobilevit2,
    rexnet,
)

__all__ = [
    "SHAPES",
    "EfficientNet",
    "MobileFaceNet",
    "MobileNet",
    "MobileViT2",
    "Published",
    "ReXNet",
    "Shape",
    "count_macs",
    "count_params",
    "efficientnet_b0",
    "efficientnet_b2",
    "make",
    "mobilefacenet",
    "mobilefacenet_wide",
    "mobilenet",
    "mobilevit2",
    "rexnet",
]
