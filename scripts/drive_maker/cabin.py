"""The inside of the car, drawn once: windows, seats, pillars, belt, steering wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drive_maker.paint import Layer, blob, blur, colour, fade, polygon, rounded, stroke

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SEAT_X", "belt", "cabin", "side_light", "wheel"]

SEAT_X: Final = 402.0
"""The middle of the driver's seat, pixels."""

_WINDOWS: Final = (
    [(92, 86), (205, 80), (330, 86), (356, 200), (50, 200)],
    [(-20, 90), (30, 90), (58, 96), (30, 214), (-20, 220)],
    [(366, 86), (474, 80), (486, 216), (376, 206)],
    [(530, 84), (570, 66), (660, 54), (660, 312), (546, 298)],
)


def cabin(width: int, height: int) -> Layer:
    """Paint all that is behind the driver, with clear windows."""
    layer = Layer.empty(width, height)
    everywhere = np.ones((height, width), np.float32)
    layer.paint(everywhere, fade(width, height, [(0, "cfc8bd"), (0.2, "b4aca1"), (1, "5a5650")]))
    _roof(layer, width, height)
    for corners in _WINDOWS:
        window = rounded(corners, 14, width, height)
        rim = np.clip(blur(window, 4) * 2.2, 0, 1) * (1 - window)
        layer.paint(rim, colour("4a4a4e"), 0.85)
        layer.mask = layer.mask * (1 - window)
    _bench(layer, width, height)
    _passenger_seat(layer, width, height)
    _door(layer, width, height)
    _driver_seat(layer, width, height)
    return layer


def _roof(layer: Layer, width: int, height: int) -> None:
    """Paint the lining of the roof and a soft shadow where it ends."""
    roof = blob([(-60, -60), (700, -60), (700, 48), (320, 70), (-60, 58)], width, height, soft=1)
    layer.paint(roof, fade(width, height, [(0, "e4ded4"), (0.14, "cbc4b9"), (1, "cbc4b9")]))
    layer.shade(stroke([(-20, 62), (320, 76), (660, 52)], 10, width, height, soft=7), 0.82)


def _bench(layer: Layer, width: int, height: int) -> None:
    """Paint the bench in the back and its headrests."""
    shape = [(40, 222), (120, 208), (210, 206), (330, 210), (370, 226), (390, 500), (20, 500)]
    cloth = fade(width, height, [(0.4, "666b75"), (0.6, "4b4f58"), (1, "383b42")])
    layer.paint(blob(shape, width, height, soft=0.7), cloth)
    layer.shade(stroke([(190, 214), (192, 480)], 3, width, height, soft=2), 0.75)
    for x in (128, 262):
        rest = [
            (x - 30, 196),
            (x - 26, 176),
            (x + 26, 176),
            (x + 30, 196),
            (x + 26, 214),
            (x - 26, 214),
        ]
        mask = blob(rest, width, height, soft=0.6)
        layer.paint(mask, fade(width, height, [(0.35, "7b818c"), (0.46, "565b65")]))


def _passenger_seat(layer: Layer, width: int, height: int) -> None:
    """Paint the empty seat beside the driver."""
    cloth = fade(width, height, [(0.3, "858b97"), (0.6, "6a707c"), (1, "484d57")])
    for x in (48, 84):
        layer.paint(stroke([(x, 236), (x, 270)], 6, width, height), colour("8d9096"))
    back = [(-30, 268), (30, 250), (120, 252), (168, 274), (190, 350), (206, 500), (-60, 500)]
    mask = blob(back, width, height, soft=0.7)
    layer.paint(mask, cloth)
    layer.shade(stroke([(128, 262), (150, 340), (160, 490)], 5, width, height, soft=2.5), 0.8)
    layer.shade(stroke([(20, 262), (16, 340), (8, 490)], 5, width, height, soft=2.5), 0.8)
    rest = [
        (12, 196),
        (26, 166),
        (66, 158),
        (108, 166),
        (122, 196),
        (114, 234),
        (66, 244),
        (20, 234),
    ]
    layer.paint(blob(rest, width, height, soft=0.7), cloth)
    layer.shade(stroke([(24, 228), (66, 236), (112, 228)], 5, width, height, soft=4), 0.8)


def _driver_seat(layer: Layer, width: int, height: int) -> None:
    """Paint the driver's seat, which shows in full while nobody sits there."""
    x = SEAT_X
    cloth = fade(width, height, [(0.2, "8f95a1"), (0.6, "727884"), (1, "4d525c")])
    for dx in (-30, 30):
        layer.paint(stroke([(x + dx, 220), (x + dx, 275)], 8, width, height), colour("9a9da3"))
    back = [
        (x - 92, 268), (x, 254), (x + 92, 268), (x + 126, 330), (x + 146, 500), (x - 146, 500),
        (x - 126, 330),
    ]  # fmt: skip
    layer.paint(blob(back, width, height, soft=0.7), cloth)
    for side in (-1, 1):
        seam = [(x + side * 74, 268), (x + side * 84, 350), (x + side * 92, 490)]
        layer.shade(stroke(seam, 6, width, height, soft=2.5), 0.78)
    for y in (330, 400):
        layer.shade(
            stroke([(x - 78, y + 6), (x, y), (x + 78, y + 6)], 4, width, height, soft=2.5), 0.84
        )
    rest = [
        (x - 82, 168), (x - 66, 124), (x, 114), (x + 66, 124), (x + 82, 168), (x + 70, 226),
        (x, 240), (x - 70, 226),
    ]  # fmt: skip
    layer.paint(blob(rest, width, height, soft=0.7), cloth)
    layer.shade(stroke([(x - 60, 214), (x, 226), (x + 60, 214)], 6, width, height, soft=4), 0.8)


def _door(layer: Layer, width: int, height: int) -> None:
    """Paint the pillar between the side windows and the door under the near one."""
    pillar = [(486, 64), (526, 62), (540, 270), (560, 500), (500, 500), (488, 270)]
    tones = fade(width, height, [(0.74, "a39b91"), (0.8, "c9c2b7"), (0.88, "9b948a")], across=True)
    layer.paint(polygon(pillar, width, height, soft=1), tones)
    door = [(540, 300), (600, 310), (700, 318), (700, 520), (520, 520)]
    layer.paint(
        blob(door, width, height, soft=1), fade(width, height, [(0.62, "8a837a"), (1, "4f4b46")])
    )
    layer.shade(stroke([(556, 372), (600, 380), (660, 384)], 14, width, height, soft=3), 0.8)


def belt(width: int, height: int, *, worn: bool) -> Layer:
    """Paint the belt, over the driver's shoulder or hanging at the pillar."""
    layer = Layer.empty(width, height)
    x = SEAT_X
    line = (
        [(514, 196), (x + 84, 322), (x + 52, 366), (x - 50, 500)]
        if worn
        else [(514, 196), (517, 290), (520, 380), (516, 500)]
    )
    layer.paint(stroke([(513, 184), (515, 204)], 26, width, height, soft=1), colour("55585f"))
    web = stroke(line, 19, width, height, soft=0.6)
    layer.paint(web, colour("3d4149"))
    layer.paint(
        stroke([(px - 6, py) for px, py in line], 2, width, height, soft=0.8), colour("5f6570")
    )
    layer.paint(
        stroke([(px + 6, py) for px, py in line], 2, width, height, soft=0.8), colour("5f6570")
    )
    return layer


def wheel(width: int, height: int) -> Layer:
    """Paint the upper arc of the steering wheel and the edge of the dashboard."""
    layer = Layer.empty(width, height)
    turn = np.linspace(np.pi * 1.02, np.pi * 1.98, 24)
    arc = [(SEAT_X - 6 + 172 * float(np.cos(a)), 520 + 96 * float(np.sin(a))) for a in turn]
    layer.paint(stroke(arc, 22, width, height, soft=0.7), colour("2c2e34"))
    shine = [(px, py - 5) for px, py in arc[4:-4]]
    layer.paint(stroke(shine, 4, width, height, soft=2), colour("5a5e68"), 0.8)
    dash = [(-60, 470), (160, 462), (400, 474), (700, 462), (700, 560), (-60, 560)]
    layer.paint(blob(dash, width, height, soft=1.2), colour("26272c"))
    return layer


def side_light(width: int, height: int) -> NDArray[np.float32]:
    """Say where the sun from the driver's window falls: 0 in the shade to 1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    beam = 1 / (1 + np.exp(-(x - 360 + 0.25 * (y - 240)) / 60))
    return np.asarray(beam * np.clip(1.15 - np.abs(y - 250) / 420, 0, 1), np.float32)
