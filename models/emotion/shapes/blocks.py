"""What the published networks are made of: convolutions, squeezing, inverted bottlenecks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["Activation", "Bottleneck", "Squeeze", "conv", "pool_and_head", "relu", "silu"]

Activation = Callable[[int], nn.Module]
"""Makes the layer for a number of channels."""


def relu(_channels: int) -> nn.Module:
    """Activation of MobileNet."""
    return nn.ReLU()


def silu(_channels: int) -> nn.Module:
    """Activation of EfficientNet, ReXNet and MobileViT, also called swish."""
    return nn.SiLU()


def conv(
    inputs: int,
    outputs: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    groups: int = 1,
    act: Activation | None = None,
) -> nn.Sequential:
    """Convolution without bias, batch normalisation and, where given, an activation."""
    parts = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*parts, *([act(outputs)] if act else []))


def pool_and_head(width: int, outputs: int) -> list[nn.Module]:
    """Average the map, N x width x H x W, and give N x outputs."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs)]


class Squeeze(nn.Module):
    """Squeeze and excitation (arXiv:1709.01507): weigh the channels by the whole map."""

    def __init__(self, channels: int, inner: int, *middle: nn.Module) -> None:
        super().__init__()
        down, up = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)
        self.weigh = nn.Sequential(down, *middle, up, nn.Sigmoid())

    def forward(self, maps: Tensor) -> Tensor:
        """Keep the shape N x C x H x W."""
        return maps * self.weigh(maps.mean((2, 3), keepdim=True))


class Bottleneck(nn.Module):
    """Inverted bottleneck (arXiv:1801.04381): widen, filter each channel, narrow.

    Args:
        inputs, outputs: channels.
        wide: channels in the middle.
        act: after widening; None leaves the widening out.
        between: layers between the filter and the narrowing.
        partial: add the input to as many outputs as it has, not only to equal ones.
    """

    def __init__(  # noqa: PLR0913 - the block of four papers
        self,
        inputs: int,
        outputs: int,
        wide: int,
        *between: nn.Module,
        kernel: int = 3,
        stride: int = 1,
        act: Activation | None = None,
        partial: bool = False,
    ) -> None:
        super().__init__()
        widen = [conv(inputs, wide, act=act)] if act else []
        filters = conv(wide, wide, kernel, stride=stride, groups=wide)
        self.parts = nn.Sequential(*widen, filters, *between, conv(wide, outputs))
        self.added = 0
        if stride == 1 and (inputs == outputs or (partial and inputs < outputs)):
            self.added = inputs

    def forward(self, maps: Tensor) -> Tensor:
        """N x inputs x H x W to N x outputs x H/stride x W/stride."""
        out: Tensor = self.parts(maps)
        if not self.added:
            return out
        if self.added == out.shape[1]:
            return out + maps
        return torch.cat([out[:, : self.added] + maps, out[:, self.added :]], dim=1)
