"""The convolutional networks: EfficientNet, MobileNet, ReXNet, MobileFaceNet."""

from __future__ import annotations

import math
from typing import Final

from torch import nn

from .blocks import Bottleneck, Squeeze, conv, pool_and_head, relu, silu

__all__ = ["EfficientNet", "MobileFaceNet", "MobileNet", "ReXNet"]


class EfficientNet(nn.Sequential):
    """EfficientNet (Tan and Le 2019, arXiv:1905.11946, table 1), scaled by width and depth.

    Args:
        outputs: length of the answer.
        width: of the channels, which are then rounded to eights.
        depth: of the repeats, which are then rounded up.
    """

    STAGES: Final = (
        # expansion, channels, repeats, stride, kernel
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    )

    def __init__(self, outputs: int, *, width: float = 1.0, depth: float = 1.0) -> None:
        """N x 3 x S x S to N x outputs."""
        first, last = _eights(32 * width), _eights(1280 * width)
        parts: list[nn.Module] = [conv(3, first, 3, stride=2, act=silu)]
        before = first
        for expansion, channels, repeats, stride, kernel in self.STAGES:
            after = _eights(channels * width)
            for i in range(math.ceil(repeats * depth)):
                wide = before * expansion
                squeeze = Squeeze(wide, before // 4, nn.SiLU())
                block = Bottleneck(
                    before,
                    after,
                    wide,
                    nn.SiLU(),
                    squeeze,
                    kernel=kernel,
                    stride=1 if i else stride,
                    act=silu if expansion > 1 else None,
                )
                parts.append(block)
                before = after
        super().__init__(*parts, conv(before, last, act=silu), *pool_and_head(last, outputs))


def _eights(width: float) -> int:
    """Round to a multiple of eight, never down by more than a tenth."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * width else rounded + 8


class MobileNet(nn.Sequential):
    """MobileNet of width 1.0 (Howard et al. 2017, arXiv:1704.04861, table 1)."""

    BLOCKS: Final = (
        # channels, stride
        *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
        *((512, 1),) * 5,
        *((1024, 2), (1024, 1)),
    )

    def __init__(self, outputs: int) -> None:
        """N x 3 x S x S to N x outputs."""
        parts: list[nn.Module] = [conv(3, 32, 3, stride=2, act=relu)]
        before = 32
        for after, stride in self.BLOCKS:
            parts.append(conv(before, before, 3, stride=stride, groups=before, act=relu))
            parts.append(conv(before, after, act=relu))
            before = after
        super().__init__(*parts, *pool_and_head(before, outputs))


class ReXNet(nn.Sequential):
    """ReXNet (Han et al. 2021, arXiv:2007.00992): channels grow in a straight line.

    Args:
        outputs: length of the answer.
        width: of the channels, 1.0 or more.
    """

    STRIDES: Final = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
    FIRST, GROWN, SQUEEZED_FROM, SQUEEZE = 16, 180, 3, 12

    def __init__(self, outputs: int, *, width: float = 1.0) -> None:
        """N x 3 x S x S to N x outputs."""
        before, last = round(32 * width), int(1280 * width)
        parts: list[nn.Module] = [conv(3, before, 3, stride=2, act=silu)]
        for i, stride in enumerate(self.STRIDES):
            after = round((self.FIRST + self.GROWN * i / len(self.STRIDES)) * width)
            parts.append(self._block(i, before, after, stride))
            before = after
        super().__init__(*parts, conv(before, last, act=silu), *pool_and_head(last, outputs))

    def _block(self, i: int, before: int, after: int, stride: int) -> Bottleneck:
        """Make the block of index i; the first does not widen, the first three not squeeze."""
        wide = before * 6 if i else before
        between: list[nn.Module] = [nn.ReLU6()]
        if i >= self.SQUEEZED_FROM:
            inner = wide // self.SQUEEZE
            between.insert(0, Squeeze(wide, inner, nn.BatchNorm2d(inner), nn.ReLU()))
        act = silu if i else None
        return Bottleneck(before, after, wide, *between, stride=stride, act=act, partial=True)


class MobileFaceNet(nn.Sequential):
    """MobileFaceNet (Chen et al. 2018, arXiv:1804.07573, table 1); faces of 112 x 112 only.

    Args:
        outputs: length of the answer; 0 leaves the last layer out and gives the embedding.
        scale: of the channels; the channels in the middle of the blocks are not scaled.
        embedding: length of the face's description.
    """

    BLOCKS: Final = (
        # channels in the middle, channels, repeats, stride
        (128, 64, 5, 2),
        (256, 128, 1, 2),
        (256, 128, 6, 1),
        (512, 128, 1, 2),
        (256, 128, 2, 1),
    )

    def __init__(self, outputs: int, *, scale: int = 1, embedding: int = 128) -> None:
        """N x 3 x 112 x 112 to N x outputs."""
        before = 64 * scale
        parts: list[nn.Module] = [
            conv(3, before, 3, stride=2, act=nn.PReLU),
            conv(before, before, 3, groups=64, act=nn.PReLU),
        ]
        for wide, channels, repeats, stride in self.BLOCKS:
            after = channels * scale
            for i in range(repeats):
                step = 1 if i else stride
                block = Bottleneck(before, after, wide, nn.PReLU(wide), stride=step, act=nn.PReLU)
                parts.append(block)
                before = after
        parts += [
            conv(before, 512, act=nn.PReLU),
            *(nn.Conv2d(512, 512, 7, groups=512, bias=False), nn.BatchNorm2d(512), nn.Flatten()),
            *(nn.Linear(512, embedding, bias=False), nn.BatchNorm1d(embedding)),
        ]
        super().__init__(*parts, *([nn.Linear(embedding, outputs)] if outputs else []))
