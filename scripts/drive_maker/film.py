"""The film: where everything is at a time, one frame of it, and its encoding."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from drive_maker import cabin as car
from drive_maker.body import body, hand
from drive_maker.driver import Head, pose
from drive_maker.outside import Outside
from drive_maker.paint import Layer, colour

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from drive_maker.faces import Composite
    from drive_maker.table import Table
    from moodride.types import Emotion

__all__ = ["Film", "encode"]

_SPEED_M_S: Final = 8.5
_SCALE: Final = 0.68
_FACE_Y: Final = 222.0
_BELOW: Final = np.array([[0, 0, 2.0], [0, 0, 15.0]])
_SUN: Final = colour("fff0d2") * 1.06
_BLINK_EVERY_S, _BLINK_S = 3.7, 0.26


class Film:
    """Draws the frames of a time table.

    Args:
        table: what happens when.
        composites: of every emotion in it.
        seed: of the landscape.
    """

    def __init__(self, table: Table, composites: dict[Emotion, Composite], *, seed: int) -> None:
        width, height = self._size = (table.width, table.height)
        self._table = table
        self._outside = Outside(width, height, np.random.default_rng(seed))
        self._cabin = car.cabin(width, height)
        self._belts = {worn: car.belt(width, height, worn=worn) for worn in (True, False)}
        self._wheel = car.wheel(width, height)
        self._beam = car.side_light(width, height)
        self._head = Head(composites)
        self._body = body(width, height, car.SEAT_X)
        self._hand = hand()
        times = np.arange(table.frames) / table.rate_hz
        speeds = [_SPEED_M_S * (1 - table.strength("stop", t, edge_s=1.6)) for t in times]
        self._driven_m = np.cumsum(speeds) / table.rate_hz

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Draw one frame: height x width x 3, BGR, uint8."""
        t_s = index / self._table.rate_hz
        tunnel = self._table.strength("tunnel", t_s, edge_s=0.8)
        in_m = self._tunnel_m(index)
        view = self._outside.draw(float(self._driven_m[index]), None)
        if in_m is not None:
            dark = self._outside.draw(float(self._driven_m[index]), in_m)
            view = view + (dark - view) * min(1.0, 3 * tunnel)
        inside = self._inside(t_s)
        light = self._light(t_s, tunnel, self._outside.lamp(in_m) if in_m is not None else 0.0)
        picture = view + (np.clip(inside.picture * light, 0, 1) - view) * inside.mask[..., None]
        return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Draw all frames."""
        return (self.frame(index) for index in range(self._table.frames))

    def _tunnel_m(self, index: int) -> float | None:
        """Say how far the car is into a tunnel, None outside."""
        t_s = index / self._table.rate_hz
        for event in self._table.events:
            if event.kind == "tunnel" and event.start_s <= t_s < event.end_s:
                first = int(event.start_s * self._table.rate_hz)
                return float(self._driven_m[index] - self._driven_m[first])
        return None

    def _light(self, t_s: float, tunnel: float, lamp: float) -> NDArray[np.float32]:
        """Return the light inside: height x width x 3, 1 is a bright grey day."""
        cloud = 1.0 + 0.05 * np.sin(t_s / 5.1) + 0.03 * np.sin(t_s / 2.3 + 1)
        base = cloud * (1 - tunnel) + (0.5 + 0.16 * lamp) * tunnel
        tone = np.array([1, 1, 1], np.float32) * (1 - tunnel) + colour("ffe2b8") * tunnel
        sun = self._table.strength("sun", t_s, edge_s=1.2) * (0.9 + 0.1 * np.sin(t_s * 1.7))
        side = _SUN * np.float32(0.22 * sun)
        shade = 0.16 * sun * base * tone
        far, near = (np.asarray(c, np.float32) for c in (base * tone - shade, shade + side))
        return far + self._beam[..., None] * near

    def _inside(self, t_s: float) -> Layer:
        """Paint the cabin with whoever sits in it."""
        width, height = self._size
        layer = Layer(self._cabin.picture.copy(), self._cabin.mask.copy())
        away = self._away(t_s)
        self._seat_driver(layer, t_s, away)
        near = self._table.strength("hand", t_s, edge_s=0.55)
        if near > 0:
            x = car.SEAT_X - 70 + 66 * near + 5 * np.sin(4.2 * t_s)
            y = _FACE_Y + 330 - 318 * near + 6 * np.sin(5.1 * t_s)
            matrix = _turned(0.12 + 0.25 * (1 - near), (130, 140), (x, y))
            moved = self._hand.moved(matrix, width, height)
            layer.paint(moved.mask, moved.picture)
        layer.paint(self._wheel.mask, self._wheel.picture)
        return layer

    def _away(self, t_s: float) -> float:
        """Say how far the driver has slid out of the picture, 0..1."""
        out, back = self._table.progress("out", t_s), self._table.progress("in", t_s)
        return min(max(sum(out) - sum(back), 0.0), 1.0)

    def _seat_driver(self, layer: Layer, t_s: float, away: float) -> None:
        """Paint body, belt and head; away 0 is in the seat, 1 out of the picture."""
        width, height = self._size
        dx = 470 * away
        sway = 4.0 * np.sin(t_s * 0.83) + 2.2 * np.sin(t_s * 1.9 + 1)
        breath = 1.2 * np.sin(t_s * 1.5)
        trunk = np.array([[1.0, 0.0, dx + 0.4 * sway], [0.0, 1.0, breath]])
        moved = self._body.moved(trunk, width, height)
        layer.paint(moved.mask, moved.picture)
        self._buckle(layer, max(0.0, 1 - 4 * away))
        if away >= 1:
            return
        nod = 3.5 * np.sin(t_s * 0.61 + 2) + _nods(t_s)
        head = self._head.draw(
            self._mixed(t_s),
            turn_px=7 * np.sin(t_s * 0.47) + 3 * np.sin(t_s * 1.13 + 0.5),
            nod_px=nod,
            blink=_blink(t_s),
        )
        matrix = pose(
            _SCALE * (1 + 0.025 * np.sin(t_s * 0.39)),
            0.045 * np.sin(t_s * 0.71 + 0.4) + 0.0006 * dx,
            car.SEAT_X + sway + dx,
            _FACE_Y + breath + 0.8 * nod,
        )
        # Throws a soft shadow on the neck, or it would float.
        dropped = cv2.warpAffine(head.mask, matrix + _BELOW, (width, height))
        soft = cv2.GaussianBlur(dropped, (0, 0), 7) * moved.mask
        layer.shade(np.asarray(soft, np.float32), 0.62)
        placed = head.moved(matrix, width, height)
        layer.paint(placed.mask, placed.picture)

    def _buckle(self, layer: Layer, worn: float) -> None:
        """Paint the belt, worn or hanging, or between the two."""
        for belt, share in ((self._belts[True], worn), (self._belts[False], 1 - worn)):
            if share > 0:
                layer.paint(belt.mask, belt.picture, share)

    def _mixed(self, t_s: float) -> dict[Emotion, float]:
        """Blend the emotions, each a little stronger and weaker as time goes."""
        weights = self._table.weights(t_s)
        calm = next(iter(weights))  # the drive starts with the face at rest
        ease = 0.03 * (1 + np.sin(t_s * 0.9))
        eased = {e: w * (1 - ease) for e, w in weights.items()}
        eased[calm] += ease
        return eased


def _nods(t_s: float) -> float:
    """Nod to the music now and then: pixels."""
    gate = max(0.0, np.sin(t_s * 0.35 - 1.2)) ** 2
    return float(5 * gate * np.sin(2 * np.pi * t_s / 1.1))


def _blink(t_s: float) -> float:
    """Close the eyes shortly every few seconds: 0 open to 1."""
    phase = (t_s + 0.9 * np.sin(t_s * 0.77)) % _BLINK_EVERY_S
    return float(np.sin(np.pi * phase / _BLINK_S)) if phase < _BLINK_S else 0.0


def _turned(
    angle_rad: float, pivot: tuple[float, float], to: tuple[float, float]
) -> NDArray[np.float64]:
    """Turn about a point, and bring that point somewhere."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    matrix[:, 2] = np.array(to) - matrix[:, :2] @ np.array(pivot)
    return matrix


def encode(frames: Iterator[NDArray[np.uint8]], table: Table, path: Path, *, crf: int) -> None:
    """Write frames as H.264 by ffmpeg; a lower crf is better and larger.

    Raises:
        RuntimeError: ffmpeg failed.
        FileNotFoundError: there is no ffmpeg.
    """
    command = [
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24",
        "-s", f"{table.width}x{table.height}", "-r", str(table.rate_hz), "-i", "-",
        "-c:v", "libx264", "-preset", "slower", "-tune", "animation", "-crf", str(crf),
        "-pix_fmt", "yuv420p", "-threads", "1", "-g", "100", "-movflags", "+faststart",
        "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", str(path),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE) as ffmpeg:
        if ffmpeg.stdin is None:
            raise RuntimeError("ffmpeg takes no input")
        for frame in frames:
            ffmpeg.stdin.write(frame.tobytes())
        ffmpeg.stdin.close()
    if ffmpeg.returncode:
        raise RuntimeError(f"ffmpeg ended with {ffmpeg.returncode}")
