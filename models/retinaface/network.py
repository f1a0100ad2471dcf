"""RetinaFace with one of several backbones, written anew in PyTorch.

The structure is that of the published networks, so that their published weights
load into it: Deng et al. 2019, "RetinaFace: Single-stage Dense Face Localisation
in the Wild" (arXiv 1905.00641), the MobileNet v1 of Howard et al. 2017 or the
ResNet-50 of He et al. 2015 (stride in the 3x3 convolution, as torchvision has it), the
feature pyramid of Lin et al. 2017, and the context modules of SSH (Najibi et al. 2017).
The names of the parameters are those of the published files.

`BACKBONES` says how wide each one is. Those of MobileNet-0.25 and ResNet-50 are
biubug6/Pytorch_Retinaface's, those of MobileNet-0.5 and 1.0 yakhyo/retinaface-pytorch's.

Rectifiers are plain: the published weights of MobileNet-0.25 only find faces with a slope
of zero, not with the leaky one of later versions of the published code (measured on
pictures: mean overlap with known boxes 0.88 against 0.44).

The input is N x 3 x H x W, normalised as the model's card says. For every prior,
in the order of `moodride.vision.decoding.make_priors`, the outputs are box offsets
(N x P x 4), two class scores (N x P x 2: background, face) and five landmarks as
offsets (N x P x 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANCHORS", "BACKBONES", "Backbone", "RetinaFace", "load_published"]

ANCHORS: Final = 2
"""Priors at each position of each level, as published."""


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """What a network is made of.

    Attributes:
        base: maps after the first convolution; all others are multiples of it.
        width: maps of each level of the pyramid, and of the context modules.
        residual: a ResNet-50; otherwise a MobileNet v1.
    """

    base: int
    width: int
    residual: bool = False

    @property
    def levels(self) -> tuple[int, int, int]:
        """Maps at strides 8, 16 and 32."""
        return self.base * 8, self.base * 16, self.base * 32

    def make(self) -> nn.Module:
        """Return the backbone with random weights."""
        return _ResNet(self.base) if self.residual else _MobileNet(self.base)


BACKBONES: Final[Mapping[str, Backbone]] = {
    "mobilenet0.25": Backbone(base=8, width=64),
    "mobilenet0.5": Backbone(base=16, width=128),
    "mobilenet1.0": Backbone(base=32, width=128),
    "resnet50": Backbone(base=64, width=256, residual=True),
}


def _conv(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """Return a convolution without bias and its batch norm."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def _conv_act(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return a convolution, its batch norm and a rectifier."""
    layers = _conv(inputs, outputs, kernel=kernel, stride=stride)
    return nn.Sequential(*layers, nn.ReLU(inplace=True))


def _separable(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """Return a depthwise 3x3 and a pointwise 1x1 convolution, each normalised and rectified."""
    depthwise = nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False)
    return nn.Sequential(
        depthwise,
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        *_conv(inputs, outputs, kernel=1),
        nn.ReLU(inplace=True),
    )


class _MobileNet(nn.Module):
    """MobileNet v1; gives 8, 16 and 32 times ``base`` maps at strides 8, 16 and 32."""

    def __init__(self, base: int) -> None:
        super().__init__()
        two, four, eight, sixteen, most = (base * times for times in (2, 4, 8, 16, 32))
        self.stage1 = nn.Sequential(
            _conv_act(3, base, stride=2),
            _separable(base, two),
            _separable(two, four, stride=2),
            _separable(four, four),
            _separable(four, eight, stride=2),
            _separable(eight, eight),
        )
        self.stage2 = nn.Sequential(
            _separable(eight, sixteen, stride=2),
            *(_separable(sixteen, sixteen) for _ in range(5)),
        )
        self.stage3 = nn.Sequential(_separable(sixteen, most, stride=2), _separable(most, most))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.stage1(images)
        middle = self.stage2(fine)
        return fine, middle, self.stage3(middle)


class _Bottleneck(nn.Module):
    """A residual block: 1x1 to a quarter of the maps, 3x3, 1x1 back, and the way around."""

    def __init__(self, inputs: int, width: int, *, stride: int, project: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(inputs, width, kernel=1)
        self.conv2, self.bn2 = _conv(width, width, stride=stride)
        self.conv3, self.bn3 = _conv(width, width * 4, kernel=1)
        self.downsample = (
            nn.Sequential(*_conv(inputs, width * 4, kernel=1, stride=stride)) if project else None
        )

    def forward(self, maps: Tensor) -> Tensor:
        around = maps if self.downsample is None else self.downsample(maps)
        maps = functional.relu(self.bn1(self.conv1(maps)))
        maps = functional.relu(self.bn2(self.conv2(maps)))
        return functional.relu(self.bn3(self.conv3(maps)) + around)


def _bottlenecks(inputs: int, width: int, *, blocks: int, stride: int) -> nn.Sequential:
    """Return a layer of blocks; the first one changes the size."""
    first = _Bottleneck(inputs, width, stride=stride, project=True)
    rest = (_Bottleneck(width * 4, width, stride=1, project=False) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)


class _ResNet(nn.Module):
    """ResNet-50; gives 8, 16 and 32 times ``base`` maps at strides 8, 16 and 32."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, base, kernel=7, stride=2)
        self.layer1 = _bottlenecks(base, base, blocks=3, stride=1)
        self.layer2 = _bottlenecks(base * 4, base * 2, blocks=4, stride=2)
        self.layer3 = _bottlenecks(base * 8, base * 4, blocks=6, stride=2)
        self.layer4 = _bottlenecks(base * 16, base * 8, blocks=3, stride=2)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = functional.relu(self.bn1(self.conv1(images)))
        fine = self.layer2(self.layer1(functional.max_pool2d(maps, 3, stride=2, padding=1)))
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)


class _Pyramid(nn.Module):
    """Brings the three levels to one width and adds the coarse ones to the finer ones."""

    def __init__(self, levels: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.output1 = _conv_act(levels[0], width, kernel=1)
        self.output2 = _conv_act(levels[1], width, kernel=1)
        self.output3 = _conv_act(levels[2], width, kernel=1)
        self.merge1 = _conv_act(width, width)
        self.merge2 = _conv_act(width, width)

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.output1(levels[0])
        middle = self.output2(levels[1])
        coarse = self.output3(levels[2])
        middle = self.merge2(middle + _enlarge(coarse, like=middle))
        return self.merge1(fine + _enlarge(middle, like=fine)), middle, coarse


def _enlarge(maps: Tensor, *, like: Tensor) -> Tensor:
    """Repeat pixels until the maps have the size of ``like`` (which may be odd)."""
    return functional.interpolate(maps, size=(like.shape[2], like.shape[3]), mode="nearest")


class _Context(nn.Module):
    """The context module of SSH: 3x3, 5x5 and 7x7 fields side by side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.conv3X3 = nn.Sequential(*_conv(width, half))
        self.conv5X5_1 = _conv_act(width, quarter)
        self.conv5X5_2 = nn.Sequential(*_conv(quarter, quarter))
        self.conv7X7_2 = _conv_act(quarter, quarter)
        self.conv7x7_3 = nn.Sequential(*_conv(quarter, quarter))

    def forward(self, maps: Tensor) -> Tensor:
        near = self.conv3X3(maps)
        shared = self.conv5X5_1(maps)
        middle = self.conv5X5_2(shared)
        far = self.conv7x7_3(self.conv7X7_2(shared))
        return functional.relu(torch.cat([near, middle, far], dim=1))


class _Head(nn.Module):
    """A 1x1 convolution whose channels become rows of priors."""

    def __init__(self, width: int, priors: int, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(width, priors * values, 1)

    def forward(self, maps: Tensor) -> Tensor:
        rows = self.conv1x1(maps).permute(0, 2, 3, 1)
        return rows.reshape(maps.shape[0], -1, self.values)


class RetinaFace(nn.Module):
    """The detector; see the module's docstring for its inputs and outputs.

    Args:
        backbone: a name of `BACKBONES`.
        priors_per_place: at each position of each level.

    Raises:
        KeyError: there is no backbone of that name.
    """

    def __init__(self, backbone: str = "mobilenet0.25", *, priors_per_place: int = ANCHORS) -> None:
        super().__init__()
        shape = BACKBONES[backbone]
        width = shape.width

        def heads(values: int) -> nn.ModuleList:
            return nn.ModuleList(_Head(width, priors_per_place, values) for _ in range(3))

        self.body = shape.make()
        self.fpn = _Pyramid(shape.levels, width)
        self.ssh1, self.ssh2, self.ssh3 = _Context(width), _Context(width), _Context(width)
        self.ClassHead, self.BboxHead, self.LandmarkHead = heads(2), heads(4), heads(10)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return box offsets, class scores before the softmax, landmark offsets."""
        return self.answers(self.maps(images)[3:])

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the backbone's three levels, then the three that the heads look at."""
        levels = self.body(images)
        fine, middle, coarse = self.fpn(levels)
        return [*levels, self.ssh1(fine), self.ssh2(middle), self.ssh3(coarse)]

    def answers(self, maps: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Read box offsets, class scores and landmark offsets from the last three maps."""

        def rows(heads: nn.ModuleList) -> Tensor:
            return torch.cat([head(level) for head, level in zip(heads, maps, strict=True)], dim=1)

        return rows(self.BboxHead), rows(self.ClassHead), rows(self.LandmarkHead)


def load_published(network: RetinaFace, weights: Mapping[str, Tensor]) -> None:
    """Load weights in the names of the published file.

    Files saved from several devices at once put ``module.`` before every name.

    Raises:
        RuntimeError: a name or a shape differs from the network's.
    """
    network.load_state_dict(
        {name.removeprefix("module."): value for name, value in weights.items()}
    )
