"""What passes behind the windows: a road between trees, seen looking back from the car.

One pinhole camera sees everything, so that what leaves the side window turns up,
smaller, behind the rear window. Distances are metres, the car drives away from
what one sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from drive_maker.paint import blur, colour, fade

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Outside"]

_FOCAL_PX: Final = 420.0
_VANISH_XY: Final = (205.0, 150.0)
_EYE_M: Final = 1.3
_NEAR_M, _FAR_M = 3.0, 160.0
_TUNNEL_M: Final = 40.0
_LAMP_EVERY_M: Final = 9.0


@dataclass(frozen=True, slots=True)
class _Tree:
    """A tree or bush beside the road."""

    x_m: float
    z_m: float
    tall_m: float
    tone: int


class Outside:
    """Draws the view for a distance driven.

    Args:
        width: of the film, pixels.
        height: of the film, pixels.
        rng: places the trees.
    """

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self._size = (width, height)
        sky = fade(width, height, [(0, "8fb8d8"), (0.2, "c5dbe6"), (0.31, "f6e3c8"), (1, "f6e3c8")])
        self._ground = self._hills(sky, rng)
        self._leaves = [colour(c) for c in ("5f8a5c", "78a066", "4d7a63", "94ad62", "b59a58")]
        self._haze = colour("dfe0d2")
        self._trees = [
            _Tree(
                float(rng.choice([-1, 1]) * rng.uniform(5.5, 17)),
                float(rng.uniform(0, _FAR_M)),
                float(rng.uniform(2.5, 7.5)),
                int(rng.integers(0, len(self._leaves))),
            )
            for _ in range(64)
        ]

    def _hills(self, sky: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Paint hills, fields and the road, which do not move."""
        width, height = self._size
        vx, vy = _VANISH_XY
        x = np.arange(width + 1)
        picture = sky.copy()
        for level, tone in ((26, "b9c7c4"), (14, "9fb79f")):
            wave = sum(np.sin(x / rng.uniform(40, 130) + rng.uniform(0, 6)) / n for n in (1, 2, 3))
            top = vy - level - 7 * np.asarray(wave)
            edge = np.stack([x, top], axis=1)
            shape = np.vstack([edge, [[width, height], [0, height]]]).round().astype(np.int32)
            cv2.fillPoly(picture, [shape], colour(tone).tolist(), cv2.LINE_AA)
        cv2.rectangle(picture, (0, round(vy)), (width, height), colour("a9bd83").tolist(), -1)
        reach = 3.4 / _EYE_M * height  # the road's half width where it leaves the picture
        road = np.array([[vx, vy], [vx + reach, vy + height], [vx - reach, vy + height]])
        cv2.fillPoly(picture, [road.astype(np.int32)], colour("8d8f93").tolist(), cv2.LINE_AA)
        return picture

    def draw(self, driven_m: float, tunnel_m: float | None) -> NDArray[np.float32]:
        """Draw the view.

        Args:
            driven_m: how far the car has come.
            tunnel_m: how far it is into a tunnel, or None outside.
        """
        picture = self._ground.copy()
        self._dashes(picture, driven_m)
        placed = [(_NEAR_M + (t.z_m + driven_m) % _FAR_M, t) for t in self._trees]
        for z_m, tree in sorted(placed, key=lambda p: -p[0]):
            self._tree(picture, tree, z_m)
        picture = blur(picture, 1.6)
        return picture if tunnel_m is None else blur(self._tunnel(picture, tunnel_m), 1.2)

    def _project(self, x_m: float, up_m: float, z_m: float) -> tuple[float, float]:
        """Pixels of a point at a height above the road."""
        vx, vy = _VANISH_XY
        return vx + _FOCAL_PX * x_m / z_m, vy + _FOCAL_PX * (_EYE_M - up_m) / z_m

    def _dashes(self, picture: NDArray[np.float32], driven_m: float) -> None:
        """Paint the line in the middle of the road."""
        for start_m in np.arange(driven_m % 8, 70, 8) + _NEAR_M:
            corners = [
                self._project(x, 0, z)
                for x, z in (
                    (1.7, start_m),
                    (1.85, start_m),
                    (1.85, start_m + 3),
                    (1.7, start_m + 3),
                )
            ]
            shape = np.round(np.asarray(corners) * 8).astype(np.int32)
            cv2.fillPoly(picture, [shape], (0.9, 0.93, 0.95), cv2.LINE_AA, 3)

    def _tree(self, picture: NDArray[np.float32], tree: _Tree, z_m: float) -> None:
        """Paint one tree, paler the farther it is."""
        pale = min(z_m / _FAR_M, 1.0) ** 0.7
        leaf = self._leaves[tree.tone] * (1 - pale) + self._haze * pale
        bark = colour("6d5a4c") * (1 - pale) + self._haze * pale
        x, foot = self._project(tree.x_m, 0, z_m)
        px_m = _FOCAL_PX / z_m
        if not -200 < x < self._size[0] + 200:
            return
        crown = foot - tree.tall_m * px_m
        cv2.line(
            picture,
            (round(x), round(foot)),
            (round(x), round(crown)),
            bark.tolist(),
            max(1, round(0.25 * px_m)),
            cv2.LINE_AA,
        )
        for dx, up, r in ((-0.22, 0.55, 0.27), (0.22, 0.58, 0.27), (0, 0.82, 0.3)):
            size = tree.tall_m * px_m
            centre = (round(x + dx * size), round(foot - up * size))
            tone = leaf * (1.06 if dx <= 0 else 0.94)
            cv2.circle(picture, centre, max(1, round(r * size)), tone.tolist(), -1, cv2.LINE_AA)

    def _tunnel(self, picture: NDArray[np.float32], in_m: float) -> NDArray[np.float32]:
        """Put dark walls around the bright mouth that the car came through."""
        width, height = self._size
        dark = fade(width, height, [(0, "2b2a30"), (0.4, "35333a"), (1, "232329")])
        left, top = self._project(-4.5, 4.2, max(in_m, 0.5))
        right, foot = self._project(4.5, 0, max(in_m, 0.5))
        mouth = np.zeros((height, width), np.float32)
        box = [round(min(max(v, -2000), 2000)) for v in (left, top, right, foot)]
        cv2.rectangle(mouth, (box[0], box[1]), (box[2], box[3]), 1.0, -1)
        for z_m in np.arange(in_m % _LAMP_EVERY_M, _TUNNEL_M, _LAMP_EVERY_M)[::-1] + 1.5:
            if z_m < in_m:
                for side in (-4.2, 4.2):
                    a = self._project(side, 2.7, float(z_m))
                    b = self._project(side, 2.7, float(z_m) + 2)
                    ends = [(round(p[0]), round(p[1])) for p in (a, b)]
                    thick = max(1, round(0.25 * _FOCAL_PX / z_m))
                    cv2.line(dark, ends[0], ends[1], colour("f3cf8d").tolist(), thick, cv2.LINE_AA)
        return dark + (picture - dark) * mouth[..., None]

    @staticmethod
    def lamp(in_m: float) -> float:
        """Say how near a lamp of the tunnel is, 0..1, for the light it throws inside."""
        return float(0.5 + 0.5 * np.cos(2 * np.pi * in_m / _LAMP_EVERY_M)) ** 2
