"""The emotion network: a small residual CNN on an aligned grey face of 48 x 48.

Plain 3 x 3 convolutions, because on a CPU they run near its peak (25 GMAC/s a
core in training, channels last) where depthwise ones reach a sixth of that: per
minute of training, and per millisecond in the car, plain ones see more.

Two outputs. `logits` are eight emotions in FER+ order; softmax of them, divided by
the temperature that the card names, is the calibrated distribution.
`valence_arousal` is a fixed head: the mean of `moodride.vision.emotions.CIRCUMPLEX`
under it. FER+ has no labels of valence and arousal, so nothing is learnt there and
nothing more than a reading of the eight is claimed. A network trained on a set that has
them (AffectNet) may carry a head of its own, which then takes that place.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from moodride.types import EMOTIONS
from moodride.vision.emotions import CIRCUMPLEX

__all__ = ["INPUT_SIDE", "Deployed", "EmotionNet", "count_macs"]

INPUT_SIDE: Final = 48

_EPSILON: Final = 1e-2


class _Conv(nn.Sequential):
    """Convolution 3 x 3, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class _Residual(nn.Module):
    """Two convolutions and a way around them; the second starts out as nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _Conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape N x C x H x W."""
        return torch.relu(x + self.norm(self.second(self.first(x))))


class EmotionNet(nn.Module):
    """Grey faces, N x 1 x 48 x 48, to uncalibrated logits, N x 8.

    Args:
        widths: channels at 48, 24, 12 and 6 pixels.
        dropout: share of the pooled features dropped in training.
        places: whether to have a second head, for valence and arousal.
    """

    def __init__(
        self,
        *,
        widths: tuple[int, int, int, int] = (16, 32, 56, 112),
        dropout: float = 0.1,
        places: bool = False,
    ) -> None:
        """Build the layers; seed torch before for weights that repeat."""
        super().__init__()
        a, b, c, d = widths
        self.features = nn.Sequential(
            _Conv(1, a),
            _Conv(a, b, stride=2),
            _Residual(b),
            _Conv(b, c, stride=2),
            _Residual(c),
            _Residual(c),
            _Conv(c, d, stride=2),
            _Residual(d),
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(d, len(EMOTIONS)))
        self.place = nn.Linear(d, 2) if places else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits alone."""
        return self.both(x)[0]

    def both(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Take any affine change of the grey levels away first, then read the face.

        Returns:
            Logits N x 8; valence and arousal N x 2, each -1..1, or None without that head.
        """
        mean = x.mean(dim=(2, 3), keepdim=True)
        centred = x - mean
        spread = centred.square().mean(dim=(2, 3), keepdim=True)
        features = self.features(centred / torch.sqrt(spread + _EPSILON**2)).mean(dim=(2, 3))
        return self.head(features), None if self.place is None else torch.tanh(self.place(features))


class Deployed(nn.Module):
    """What is exported: logits, and valence and arousal.

    The latter come from the head that was trained for them, or, where the network has none,
    from the calibrated distribution on the circumplex.

    Args:
        net: the trained network.
        temperature: what the logits are divided by before softmax.
    """

    circumplex: Tensor

    def __init__(self, net: EmotionNet, *, temperature: float) -> None:
        """Take the network as it is; call `eval` before exporting."""
        super().__init__()
        self.net = net
        self.temperature = temperature
        self.register_buffer(
            "circumplex", torch.tensor([CIRCUMPLEX[emotion] for emotion in EMOTIONS])
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """N x 1 x 48 x 48 to logits N x 8 and valence, arousal N x 2."""
        logits, place = self.net.both(x)
        if place is None:
            place = torch.softmax(logits / self.temperature, dim=1) @ self.circumplex
        return logits, place


def count_macs(net: nn.Module) -> int:
    """Count the multiplications of one face in convolutions and linear layers."""
    total = 0

    def count(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        places = output.shape[2] * output.shape[3] if output.ndim > 2 else 1
        total += layer.weight.numel() * places  # type: ignore[union-attr, operator]

    hooks = [
        layer.register_forward_hook(count)
        for layer in net.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 1, INPUT_SIDE, INPUT_SIDE))
    for hook in hooks:
        hook.remove()
    return total
