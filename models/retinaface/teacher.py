"""The published network, and how far ours is from seeing what it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from labels import PUBLISHED, SHARED
from network import RetinaFace, load_published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["Teacher", "apart"]


class Teacher:
    """Looks at pictures with the published weights.

    Args:
        mean: of the colours, which it wants taken away: blue, green, red, 0..255.
        device: where it looks, a name of PyTorch's.
    """

    def __init__(self, mean: Sequence[float], device: str = "cpu") -> None:
        network = RetinaFace().eval()
        load_published(network, torch.load(SHARED / PUBLISHED, map_location="cpu"))
        self._network = network.to(device, memory_format=torch.channels_last)
        self._mean = torch.tensor(mean, device=device)[:, None, None]

    @torch.no_grad()
    def maps(self, images: Tensor) -> list[Tensor]:
        """Return what it sees in N x height x width x 3, 0..255, as `RetinaFace.maps`."""
        flat = images.to(self._mean.device).permute(0, 3, 1, 2).float()
        return self._network.maps(flat - self._mean)


def apart(ours: list[Tensor], theirs: list[Tensor]) -> Tensor:
    """Return the mean square difference in parts of the teacher's variance, channel by channel."""
    parts = []
    for own, wanted in zip(ours, theirs, strict=True):
        spread = wanted.var(dim=(0, 2, 3), keepdim=True)
        # A channel that is always nearly silent weighs little.
        spread = spread + 0.1 * spread.mean()
        parts.append(((own - wanted).square() / spread).mean())
    return torch.stack(parts).mean()
