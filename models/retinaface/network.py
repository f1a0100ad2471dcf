"""RetinaFace with a MobileNet-0.25 backbone, written anew in PyTorch.

The structure is that of the published network, so that its published weights
load into it: Deng et al. 2019, "RetinaFace: Single-stage Dense Face Localisation
in the Wild" (arXiv 1905.00641), the MobileNet v1 of Howard et al. 2017 at a width
of 0.25, the feature pyramid of Lin et al. 2017, and the context modules of SSH
(Najibi et al. 2017). The names of the parameters are those of the published file.

Rectifiers are plain: the published weights of this shape only find faces with a slope
of zero, not with the leaky one of later versions of the published code (measured on
pictures: mean overlap with known boxes 0.88 against 0.44).

The input is N x 3 x H x W, normalised as the model's card says. For every prior,
in the order of `moodride.vision.retinaface.make_priors`, the outputs are box offsets
(N x P x 4), two class scores (N x P x 2: background, face) and five landmarks as
offsets (N x P x 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANCHORS", "RetinaFace", "load_published"]

ANCHORS: Final = 2
"""Priors at each position of each level, as published."""

_WIDTH: Final = 64


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


class _Backbone(nn.Module):
    """MobileNet v1 at a width of 0.25; gives 64, 128 and 256 maps at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(
            _conv_act(3, 8, stride=2),
            _separable(8, 16),
            _separable(16, 32, stride=2),
            _separable(32, 32),
            _separable(32, 64, stride=2),
            _separable(64, 64),
        )
        self.stage2 = nn.Sequential(
            _separable(64, 128, stride=2), *(_separable(128, 128) for _ in range(5))
        )
        self.stage3 = nn.Sequential(_separable(128, 256, stride=2), _separable(256, 256))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.stage1(images)
        middle = self.stage2(fine)
        return fine, middle, self.stage3(middle)


class _Pyramid(nn.Module):
    """Brings the three levels to one width and adds the coarse ones to the finer ones."""

    def __init__(self) -> None:
        super().__init__()
        self.output1 = _conv_act(64, _WIDTH, kernel=1)
        self.output2 = _conv_act(128, _WIDTH, kernel=1)
        self.output3 = _conv_act(256, _WIDTH, kernel=1)
        self.merge1 = _conv_act(_WIDTH, _WIDTH)
        self.merge2 = _conv_act(_WIDTH, _WIDTH)

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

    def __init__(self) -> None:
        super().__init__()
        half, quarter = _WIDTH // 2, _WIDTH // 4
        self.conv3X3 = nn.Sequential(*_conv(_WIDTH, half))
        self.conv5X5_1 = _conv_act(_WIDTH, quarter)
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

    def __init__(self, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(_WIDTH, ANCHORS * values, 1)

    def forward(self, maps: Tensor) -> Tensor:
        rows = self.conv1x1(maps).permute(0, 2, 3, 1)
        return rows.reshape(maps.shape[0], -1, self.values)


class RetinaFace(nn.Module):
    """The detector; see the module's docstring for its inputs and outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.body = _Backbone()
        self.fpn = _Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = _Context(), _Context(), _Context()
        self.ClassHead = nn.ModuleList(_Head(2) for _ in range(3))
        self.BboxHead = nn.ModuleList(_Head(4) for _ in range(3))
        self.LandmarkHead = nn.ModuleList(_Head(10) for _ in range(3))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return box offsets, class scores before the softmax, landmark offsets."""
        fine, middle, coarse = self.fpn(self.body(images))
        maps = [self.ssh1(fine), self.ssh2(middle), self.ssh3(coarse)]

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
