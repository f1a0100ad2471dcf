"""Which shape published emotion models have, what it has to agree with, and how to make it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn

from .mobilevit import MobileViT2
from .networks import EfficientNet, MobileFaceNet, MobileNet, ReXNet

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "SHAPES",
    "Published",
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

IMAGENET_MEAN: Final = (123.675, 116.28, 103.53)
IMAGENET_STD: Final = (58.395, 57.12, 57.375)
"""Of ImageNet's pictures in RGB order, levels of 0..255: 0.485 and so on times 255."""

_TIMM: Final = "timm, results/benchmark-infer-fp32-nchw-pt240-cpu-i7_12700h-dynamo.csv"


def efficientnet_b0(outputs: int = 8) -> EfficientNet:
    """EfficientNet-B0, for 224 x 224."""
    return EfficientNet(outputs)


def efficientnet_b2(outputs: int = 8) -> EfficientNet:
    """EfficientNet-B2, for 260 x 260 (arXiv:1905.11946: width 1.1, depth 1.2)."""
    return EfficientNet(outputs, width=1.1, depth=1.2)


def mobilenet(outputs: int = 8) -> MobileNet:
    """MobileNet of width 1.0, for 224 x 224."""
    return MobileNet(outputs)


def rexnet(outputs: int = 8, *, width: float = 1.5) -> ReXNet:
    """ReXNet, for 224 x 224; 1.5 is the width of the published emotion model."""
    return ReXNet(outputs, width=width)


def mobilefacenet(outputs: int = 8) -> MobileFaceNet:
    """MobileFaceNet as in its paper, for 112 x 112."""
    return MobileFaceNet(outputs)


def mobilefacenet_wide(outputs: int = 8) -> MobileFaceNet:
    """InsightFace's `mbf`, for 112 x 112: channels doubled, blocks' middles not, 512 values."""
    return MobileFaceNet(outputs, scale=2, embedding=512)


def mobilevit2(outputs: int = 8, *, side: int = 224) -> MobileViT2:
    """MobileViT, second version, of width 1.5."""
    return MobileViT2(outputs, width=1.5, side=side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What others counted.

    Attributes:
        params: trained values.
        macs: multiplications of one input in convolutions and linear layers.
        outputs: length of the answer when it was counted: the 1000 classes of ImageNet, or 0
            where the network was counted without its last layer.
        side: of the input when it was counted, pixels.
        source: who says so.
    """

    params: float
    macs: float
    outputs: int
    side: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A network's shape, and how published emotion models use it.

    Attributes:
        build: makes it for a length of the answer.
        side: of the input, pixels.
        published: what it must agree with.
        models: published emotion models of this shape, with the length of their answer and
            the values in their ONNX file, where somebody counted them.
        mean: of the input in RGB order, levels of 0..255.
        std: likewise.
    """

    build: Callable[[int], nn.Module]
    side: int
    published: Published
    models: Mapping[str, tuple[int, int | None]]
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "efficientnet-b0": Shape(
            build=efficientnet_b0,
            side=224,
            published=Published(
                params=5.29e6,
                macs=0.39e9,
                outputs=1000,
                side=224,
                source=f"{_TIMM}; multiplications: arXiv:1905.11946, table 2",
            ),
            models={
                "enet_b0_8_best_vgaf": (8, 3_996_789),
                "enet_b0_8_best_afew": (8, 3_996_789),
                "enet_b0_8_va_mtl": (10, 3_999_351),
            },
        ),
        "efficientnet-b2": Shape(
            build=efficientnet_b2,
            side=260,
            published=Published(
                params=9.11e6,
                macs=1.0e9,
                outputs=1000,
                side=260,
                source=f"{_TIMM}; multiplications: arXiv:1905.11946, table 2",
            ),
            models={"enet_b2_7": (7, 7_677_074), "enet_b2_8": (8, 7_678_483)},
        ),
        "mobilenet": Shape(
            build=mobilenet,
            side=224,
            published=Published(
                params=4.23e6,
                macs=569e6,
                outputs=1000,
                side=224,
                source=f"{_TIMM}; multiplications: arXiv:1704.04861, table 4",
            ),
            models={"mobilenet_7": (7, None)},
        ),
        "rexnet-1.5": Shape(
            build=rexnet,
            side=224,
            published=Published(
                params=9.73e6,
                macs=0.88e9,
                outputs=1000,
                side=224,
                source=f"{_TIMM}; multiplications: clovaai/rexnet, README",
            ),
            models={"affectnet_7_vggface2_rexnet150": (7, None)},
        ),
        "mobilefacenet": Shape(
            build=mobilefacenet,
            side=112,
            published=Published(
                params=0.993e6,
                macs=221e6,
                outputs=0,
                side=112,
                source="Open Model Zoo, face-recognition-mobilefacenet-arcface; "
                "multiplications: arXiv:1908.09124, abstract",
            ),
            models={},
            mean=(127.5,) * 3,
            std=(127.5,) * 3,
        ),
        "mobilefacenet-wide": Shape(
            build=mobilefacenet_wide,
            side=112,
            published=Published(
                params=2_054_282 - 10 * 513,
                macs=0.45e9,
                outputs=0,
                side=112,
                source="mbf_va_mtl.onnx less its last layer; "
                "multiplications: insightface, arcface_torch, 'mobilefacenet-0.45G'",
            ),
            models={"mbf_va_mtl": (10, 2_054_282)},
            mean=(127.5,) * 3,
            std=(127.5,) * 3,
        ),
        "mobilevit2-1.5": Shape(
            build=mobilevit2,
            side=224,
            published=Published(
                params=10.59e6,
                macs=4.09e9,
                outputs=1000,
                side=256,
                source=_TIMM,
            ),
            models={"mobilevit_va_mtl": (10, 9_821_779)},
        ),
    }
)
"""By name. The lengths of answers, the sides, means and deviations are those of EmotiEffLib.

Its MobileViT is the second version at width 1.5: 768 features, and the count of values that
only this one has."""


def make(shape: Shape, *, outputs: int = 8, seed: int = 0) -> nn.Module:
    """Build a network in evaluation mode whose answers depend on its input.

    Weights as PyTorch draws them let the signal die away over fifty layers, and every answer
    is the last layer's bias. So the normalisations take over the statistics of a few pictures
    of noise. Their own values, and those of PReLU, are drawn too: equal ones would be merged
    when exporting, and the file would be smaller than a trained one.

    Args:
        shape: of `SHAPES`.
        outputs: length of the answer.
        seed: of weights and pictures; torch's own random state stays as it is.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        net = shape.build(outputs)
        for layer in net.modules():
            _draw(layer)
        net.train()
        net(_noise(shape.side))
    return net.eval()


def _draw(layer: nn.Module) -> None:
    """Draw what PyTorch sets to the same value everywhere; let one pass set the statistics."""
    if isinstance(layer, nn.PReLU):
        nn.init.uniform_(layer.weight, 0.1, 0.4)
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm):
        nn.init.uniform_(layer.weight, 0.8, 1.2)
        nn.init.normal_(layer.bias, 0.0, 0.1)
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        layer.momentum = 1.0


def _noise(side: int) -> Tensor:
    """Draw four pictures of several levels, with coarse and fine parts: 4 x 3 x side x side."""
    level, fine = torch.randn(4, 3, 1, 1), torch.randn(4, 3, side, side)
    coarse = torch.randn(4, 3, side // 8, side // 8)
    coarse = nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return level + coarse + 0.3 * fine


def count_params(net: nn.Module) -> int:
    """Count the values that training would change."""
    return sum(p.numel() for p in net.parameters())


def count_macs(net: nn.Module, side: int) -> int:
    """Count the multiplications of one face in convolutions and linear layers.

    Args:
        net: takes N x 3 x side x side; is left in evaluation mode.
        side: pixels.
    """
    total = 0

    def count(layer: nn.Module, _inputs: Iterable[Tensor], output: Tensor) -> None:
        nonlocal total
        total += layer.weight.numel() * (output.shape[2:].numel() if output.ndim > 2 else 1)  # type: ignore[union-attr, operator]

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return total
