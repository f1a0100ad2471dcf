"""MobileViT, second version: convolutions, and attention whose cost is linear in the places."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from .blocks import Bottleneck, conv, pool_and_head, silu

__all__ = ["MobileViT2"]


class _LinearAttention(nn.Module):
    """Separable self-attention (arXiv:2206.02680, section 3.2) on N x D x pixels x patches."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.into, self.out = nn.Conv2d(dim, 1 + 2 * dim, 1), nn.Conv2d(dim, dim, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix all patches by one weighted mean; the cost grows with their number only."""
        query, key, value = self.into(tokens).split([1, self.dim, self.dim], dim=1)
        context = (key * torch.softmax(query, dim=-1)).sum(dim=-1, keepdim=True)
        mixed: Tensor = self.out(torch.relu(value) * context)
        return mixed


class _Transformer(nn.Module):
    """Attention and a feed-forward net of twice the width, each with a way around it."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.attend = nn.Sequential(nn.GroupNorm(1, dim), _LinearAttention(dim))
        self.feed = nn.Sequential(
            *(nn.GroupNorm(1, dim), nn.Conv2d(dim, 2 * dim, 1), nn.SiLU()),
            nn.Conv2d(2 * dim, dim, 1),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Keep the shape N x D x pixels x patches."""
        tokens = tokens + self.attend(tokens)
        return tokens + self.feed(tokens)


class _MobileViTBlock(nn.Module):
    """A MobileViT block: filter, unfold into patches of 2 x 2, attend, fold back.

    Args:
        channels: in and out.
        depth: transformers in it.
        side: of the map; an odd one is stretched by a pixel, since patches are of two.
    """

    def __init__(self, channels: int, depth: int, side: int) -> None:
        super().__init__()
        self.dim = channels // 2
        self.side, self.patches = side, (side + 1) // 2
        self.near = nn.Sequential(
            conv(channels, channels, 3, groups=channels, act=silu),
            nn.Conv2d(channels, self.dim, 1, bias=False),
        )
        self.far = nn.Sequential(
            *(_Transformer(self.dim) for _ in range(depth)), nn.GroupNorm(1, self.dim)
        )
        self.back = conv(self.dim, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """N x C x side x side to N x C x even side x even side."""
        n, even = self.patches, 2 * self.patches
        if even != self.side:
            size = (even, even)
            maps = nn.functional.interpolate(maps, size, mode="bilinear", align_corners=True)
        tokens = self.near(maps).reshape(-1, self.dim, n, 2, n, 2).permute(0, 1, 3, 5, 2, 4)
        tokens = self.far(tokens.reshape(-1, self.dim, 4, n * n))
        tokens = tokens.reshape(-1, self.dim, 2, 2, n, n).permute(0, 1, 4, 2, 5, 3)
        out: Tensor = self.back(tokens.reshape(-1, self.dim, even, even))
        return out


class MobileViT2(nn.Sequential):
    """MobileViT, second version (Mehta and Rastegari 2022, arXiv:2206.02680).

    Args:
        outputs: length of the answer.
        width: of the channels.
        side: of the input, pixels; the patches' places are fixed by it.
    """

    STAGES: Final = (
        # channels, bottlenecks, stride, transformers
        (64, 1, 1, 0),
        (128, 2, 2, 0),
        (256, 1, 2, 2),
        (384, 1, 2, 4),
        (512, 1, 2, 3),
    )

    def __init__(self, outputs: int, *, width: float = 1.0, side: int = 256) -> None:
        """N x 3 x side x side to N x outputs."""
        before, places = int(32 * width), (side + 1) // 2
        parts: list[nn.Module] = [conv(3, before, 3, stride=2, act=silu)]
        for channels, repeats, stride, depth in self.STAGES:
            after = int(channels * width)
            places = (places + stride - 1) // stride
            for i in range(repeats):
                step, wide = (1 if i else stride), 2 * before
                parts.append(Bottleneck(before, after, wide, nn.SiLU(), stride=step, act=silu))
                before = after
            if depth:
                parts.append(_MobileViTBlock(after, depth, places))
                places += places % 2
        super().__init__(*parts, *pool_and_head(before, outputs))
