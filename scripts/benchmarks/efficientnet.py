"""A network of EfficientNet-B0's shape with random weights, to compare speeds with.

Widths, depths, kernels and strides are those of Tan and Le 2019 (arXiv:1905.11946, table 1);
eight outputs, as an emotion network has.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["EfficientNetB0"]

# expansion, output channels, repeats, stride, kernel
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


def _conv(inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class _Squeeze(nn.Module):
    """Squeeze and excitation with a quarter of the block's input width."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Weigh the channels by what the whole map holds."""
        mean = maps.mean((2, 3), keepdim=True)
        weights: Tensor = torch.sigmoid(self.up(nn.functional.silu(self.down(mean))))
        return maps * weights


class _Block(nn.Module):
    """Inverted bottleneck (MBConv)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inputs * expansion
        parts: list[nn.Module] = []
        if expansion > 1:
            parts += [_conv(inputs, wide, 1), nn.SiLU()]
        parts += [_conv(wide, wide, kernel, stride=stride, groups=wide), nn.SiLU()]
        parts += [_Squeeze(wide, max(1, inputs // 4)), _conv(wide, outputs, 1)]
        self.parts = nn.Sequential(*parts)
        self.same = stride == 1 and inputs == outputs

    def forward(self, maps: Tensor) -> Tensor:
        """Expand, filter, weigh, project."""
        out: Tensor = self.parts(maps)
        return maps + out if self.same else out


class EfficientNetB0(nn.Module):
    """1 x 3 x 224 x 224 to eight logits; 4.0 M parameters, 0.39 G multiply-adds."""

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = [_conv(3, 32, 3, stride=2), nn.SiLU()]
        width = 32
        for expansion, outputs, repeats, stride, kernel in STAGES:
            for i in range(repeats):
                parts.append(_Block(width, outputs, expansion, stride if i == 0 else 1, kernel))
                width = outputs
        parts += [_conv(width, 1280, 1), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.net = nn.Sequential(*parts, nn.Linear(1280, 8))

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the eight emotions."""
        logits: Tensor = self.net(image)
        return logits
