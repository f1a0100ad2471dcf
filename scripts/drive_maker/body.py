"""The driver's neck and shoulders, and the hand that covers the face."""

from __future__ import annotations

import numpy as np

from drive_maker.paint import Layer, blob, blur, colour, fade, stroke

__all__ = ["body", "hand"]


def body(width: int, height: int, x: float) -> Layer:
    """Paint neck and shoulders in a plain pullover."""
    layer = Layer.empty(width, height)
    wool = fade(width, height, [(0.6, "5b9a9c"), (0.8, "41797f"), (1, "2d575e")])
    neck = [
        (x - 40, 250),
        (x + 40, 250),
        (x + 43, 310),
        (x + 62, 345),
        (x - 62, 345),
        (x - 43, 310),
    ]
    tones = [(0.55, "8a5c46"), (0.64, "a8775a"), (0.7, "d2a482"), (1, "d2a482")]
    layer.paint(blob(neck, width, height, soft=0.8), fade(width, height, tones))
    trunk = [
        (x - 58, 324), (x - 120, 346), (x - 164, 386), (x - 184, 520), (x + 184, 520),
        (x + 164, 386), (x + 120, 346), (x + 58, 324), (x + 34, 342), (x, 350), (x - 34, 342),
    ]  # fmt: skip
    layer.paint(blob(trunk, width, height, soft=0.8), wool)
    collar = [(x - 58, 324), (x - 36, 344), (x, 352), (x + 36, 344), (x + 58, 324)]
    layer.paint(stroke(collar, 9, width, height, soft=0.8), colour("74b0b0"))
    for side in (-1, 1):
        fold = [(x + side * 124, 390), (x + side * 114, 440), (x + side * 122, 500)]
        layer.shade(stroke(fold, 8, width, height, soft=5), 0.78)
    return layer


def hand() -> Layer:
    """Paint a hand with its sleeve, fingers up: 260 x 460, the palm around (130, 150)."""
    width, height = 260, 460
    layer = Layer.empty(width, height)
    skin = fade(width, height, [(0, "f0cda9"), (0.3, "dcae8a"), (0.6, "bd8a69")])
    arm = [(92, 210), (168, 210), (186, 470), (76, 470)]
    fingers = [
        ([(92, 150), (82, 90), (76, 42)], 27),
        ([(116, 140), (112, 76), (110, 20)], 29),
        ([(142, 140), (144, 78), (146, 22)], 29),
        ([(168, 150), (174, 96), (178, 50)], 25),
        ([(84, 210), (56, 176), (40, 136)], 29),
    ]
    layer.paint(blob(arm, width, height, soft=0.8), skin)
    for line, thick in fingers:
        mask = np.clip(blur(stroke(line, thick, width, height), 2.2) * 1.6 - 0.3, 0, 1)
        layer.shade(np.clip(blur(mask, 4), 0, 1), 0.8)
        layer.paint(mask, skin)
    palm = [
        (80, 140),
        (130, 124),
        (180, 140),
        (188, 190),
        (170, 236),
        (130, 244),
        (88, 236),
        (70, 190),
    ]
    layer.paint(blob(palm, width, height, soft=2), skin)
    for x in (104, 130, 156):
        layer.shade(stroke([(x, 128), (x, 150)], 3, width, height, soft=3), 0.84)
    sleeve = [(84, 262), (130, 254), (176, 262), (202, 480), (58, 480)]
    wool = fade(width, height, [(0.5, "5b9a9c"), (1, "41797f")])
    layer.paint(blob(sleeve, width, height, soft=1), wool)
    layer.shade(stroke([(86, 268), (130, 262), (174, 268)], 6, width, height, soft=3), 0.85)
    return layer
