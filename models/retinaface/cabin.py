"""What a car does to a picture: things before faces, and light, colour, focus and noise.

Every function changes a training picture by chance, the chance coming from the generator
it is given. Faces are rows of 15: box, five landmarks (eyes, nose, mouth corners; NaN
where unknown) and whether the face counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["alter", "occlude"]

OCCLUDED: Final = 0.3
"""How many faces get something before them."""
_GREY: Final = np.array([0.114, 0.587, 0.299], np.float32)


def occlude(
    rng: np.random.Generator, canvas: NDArray[np.uint8], known: NDArray[np.float32]
) -> None:
    """Put a patch, a hand, a phone, sunglasses, a cap or a mask on some of the faces."""
    for row in known:
        if rng.random() > OCCLUDED:
            continue
        if np.isnan(row[4:14]).any():
            ways: tuple[Callable[..., None], ...] = (_patch, _hand, _phone)
        else:
            ways = (_patch, _hand, _phone, _sunglasses, _cap, _mask)
        ways[int(rng.integers(len(ways)))](rng, canvas, row)


def _colour_at(canvas: NDArray[np.uint8], x: float, y: float) -> list[int]:
    """Return the colour of the canvas there, or at its nearest edge."""
    height, width = canvas.shape[:2]
    found = canvas[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))]
    return [int(value) for value in found]


def _skin(canvas: NDArray[np.uint8], row: NDArray[np.float32]) -> list[int]:
    """Return the colour of the face's middle."""
    return _colour_at(canvas, (row[0] + row[2]) / 2, (row[1] + row[3]) / 2)


def _any_colour(rng: np.random.Generator) -> list[int]:
    return [int(value) for value in rng.integers(0, 256, 3)]


def _fill(canvas: NDArray[np.uint8], corners: NDArray[Any], colour: list[int]) -> None:
    """Fill a polygon of N x 2 corners."""
    cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], colour, cv2.LINE_AA)


def _box(centre: NDArray[Any], size: NDArray[Any], angle: float) -> NDArray[Any]:
    """Return the corners of a turned rectangle; the angle in radians."""
    along = np.array([np.cos(angle), np.sin(angle)]) * size[0] / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * size[1] / 2
    turns = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return np.stack([centre + x * along + y * across for x, y in turns])


def _patch(rng: np.random.Generator, canvas: NDArray[np.uint8], row: NDArray[np.float32]) -> None:
    """Put an ellipse or a box of any colour before at most about a third of the face."""
    size = row[2:4] - row[:2]
    centre = row[:2] + size * rng.uniform(0, 1, 2)
    axes = np.maximum(size * rng.uniform(0.12, 0.36, 2), 1)
    colour = _skin(canvas, row) if rng.random() < 0.5 else _any_colour(rng)
    if rng.random() < 0.5:
        turn = float(rng.uniform(0, 180))
        middle, radii = (int(centre[0]), int(centre[1])), (int(axes[0]), int(axes[1]))
        cv2.ellipse(canvas, middle, radii, turn, 0, 360, colour, -1)
    else:
        _fill(canvas, _box(centre, axes * 2, 0.0), colour)


def _hand(rng: np.random.Generator, canvas: NDArray[np.uint8], row: NDArray[np.float32]) -> None:
    """Put a palm and fingers of the face's own colour over its lower or outer part."""
    size = float(np.sqrt(np.prod(row[2:4] - row[:2])))
    centre = (row[:2] + row[2:4]) / 2 + size * np.array(
        [rng.choice([-1, 1]) * rng.uniform(0.2, 0.6), rng.uniform(0.1, 0.6)]
    )
    shade = float(rng.uniform(0.75, 1.2))
    skin = [int(min(value * shade, 255)) for value in _skin(canvas, row)]
    angle = float(rng.uniform(0, 2 * np.pi))
    palm = size * rng.uniform(0.14, 0.24)
    cv2.circle(canvas, (int(centre[0]), int(centre[1])), max(int(palm), 1), skin, -1, cv2.LINE_AA)
    thick = max(int(palm * 0.45), 1)
    for finger in range(4):
        turn = angle + (finger - 1.5) * 0.28
        tip = centre + palm * rng.uniform(1.8, 2.6) * np.array([np.cos(turn), np.sin(turn)])
        line = [int(value * (0.9 + 0.05 * finger)) for value in skin]
        ends = (int(centre[0]), int(centre[1])), (int(tip[0]), int(tip[1]))
        cv2.line(canvas, *ends, line, thick, cv2.LINE_AA)


def _phone(rng: np.random.Generator, canvas: NDArray[np.uint8], row: NDArray[np.float32]) -> None:
    """Hold a dark phone and the fingers around it to one ear."""
    size = row[2:4] - row[:2]
    side = float(rng.choice([-1, 1]))
    centre = (row[:2] + row[2:4]) / 2 + size * [side * rng.uniform(0.35, 0.55), 0.1]
    colour = [int(value) for value in np.full(3, rng.integers(5, 70))]
    angle = float(rng.normal(np.pi / 2, 0.3))
    _fill(canvas, _box(centre, size * [rng.uniform(0.5, 0.75), 0.22], angle), colour)
    skin = _skin(canvas, row)
    for finger in range(3):
        at = centre + size * [side * 0.02, 0.1 + 0.1 * finger]
        radii = (max(int(size[0] * 0.16), 1), max(int(size[1] * 0.04), 1))
        cv2.ellipse(canvas, (int(at[0]), int(at[1])), radii, 0, 0, 360, skin, -1, cv2.LINE_AA)


def _frame(row: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the middle of the eyes, the way from eye to eye, and the way to the mouth."""
    points = row[4:14].reshape(5, 2).astype(float)
    eyes, mouth = (points[0] + points[1]) / 2, (points[3] + points[4]) / 2
    return eyes, points[1] - points[0], mouth - eyes


def _sunglasses(
    rng: np.random.Generator, canvas: NDArray[np.uint8], row: NDArray[np.float32]
) -> None:
    """Put two dark or coloured glasses with a bridge before the eyes."""
    points = row[4:14].reshape(5, 2).astype(float)
    _, across, down = _frame(row)
    span = max(float(np.linalg.norm(across)), 0.25 * float(np.linalg.norm(down)), 1.0)
    angle = float(np.arctan2(across[1], across[0]))
    colour = _any_colour(rng) if rng.random() < 0.2 else [int(rng.integers(0, 60))] * 3
    size = span * np.array([rng.uniform(0.7, 0.95), rng.uniform(0.45, 0.7)])
    for eye in points[:2]:
        at = eye + 0.05 * down
        if rng.random() < 0.5:
            _fill(canvas, _box(at, size, angle), colour)
        else:
            radii = (max(int(size[0] / 2), 1), max(int(size[1] / 2), 1))
            middle = (int(at[0]), int(at[1]))
            turn = float(np.degrees(angle))
            cv2.ellipse(canvas, middle, radii, turn, 0, 360, colour, -1, cv2.LINE_AA)
    ends = [(int(x), int(y)) for x, y in points[:2]]
    cv2.line(canvas, ends[0], ends[1], colour, max(int(span * 0.08), 1), cv2.LINE_AA)


def _cap(rng: np.random.Generator, canvas: NDArray[np.uint8], row: NDArray[np.float32]) -> None:
    """Cover the forehead by a cap, its peak just above the eyes."""
    eyes, across, down = _frame(row)
    if np.linalg.norm(across) < 0.3 * np.linalg.norm(down):
        return  # seen from the side: a cap would need another shape
    colour = _any_colour(rng)
    brim = eyes - down * rng.uniform(0.3, 0.55)
    top = eyes - down * rng.uniform(1.3, 1.7)
    wide = across * rng.uniform(1.0, 1.25)
    _fill(
        canvas,
        np.stack([brim - wide, top - wide * 0.75, top + wide * 0.75, brim + wide]),
        colour,
    )
    dark = [value // 2 for value in colour]
    low = brim + down * 0.15
    _fill(canvas, np.stack([brim - wide, brim + wide, low + wide * 0.7, low - wide * 0.7]), dark)


def _mask(rng: np.random.Generator, canvas: NDArray[np.uint8], row: NDArray[np.float32]) -> None:
    """Cover mouth and nose by a mask, sometimes worn below the nose."""
    points = row[4:14].reshape(5, 2).astype(float)
    eyes, across, down = _frame(row)
    if np.linalg.norm(across) < 0.3 * np.linalg.norm(down):
        return
    plain = ([235, 235, 235], [200, 170, 130], [30, 30, 30], [220, 200, 160])
    colour = plain[int(rng.integers(len(plain)))] if rng.random() < 0.7 else _any_colour(rng)
    over = points[2] if rng.random() < 0.2 else eyes + (points[2] - eyes) * rng.uniform(0.4, 0.9)
    chin = eyes + down * rng.uniform(1.6, 1.85)
    wide = across * rng.uniform(0.8, 1.0)
    edge = eyes + down * 0.7
    _fill(
        canvas,
        np.stack([over, edge + wide, chin + wide * 0.5, chin - wide * 0.5, edge - wide]),
        colour,
    )
    fold = [int(value * 0.8) for value in colour]
    for share in (0.85, 1.1):
        middle = eyes + down * share
        ends = [(int(x), int(y)) for x, y in (middle - wide * 0.7, middle + wide * 0.7)]
        cv2.line(canvas, ends[0], ends[1], fold, 1, cv2.LINE_AA)


def alter(
    rng: np.random.Generator, image: NDArray[np.uint8], *, sun: float = 0.25
) -> NDArray[np.uint8]:
    """Change light, colour, sharpness and noise of a picture of height x width x 3.

    Args:
        rng: where the chances come from.
        image: the picture.
        sun: how many pictures are lit from one side, 0..1.
    """
    out = image.astype(np.float32)
    if rng.random() < 0.18:
        return _noised(rng, _night(rng, out), most=24)
    if rng.random() < 0.2:
        out = np.repeat((out @ _GREY)[..., None], 3, axis=2)
    elif rng.random() < 0.5:
        out *= rng.uniform(0.75, 1.25, 3).astype(np.float32)
    if rng.random() < sun:
        out *= _side_light(rng, *out.shape[:2])[..., None]
    gain = float(np.exp(rng.normal(0, 0.35)))
    mean = float(out.mean())
    out = (out - mean) * float(rng.uniform(0.6, 1.4)) + mean * gain + float(rng.normal(0, 12))
    return _noised(rng, _unfocused(rng, out), most=18)


def _night(rng: np.random.Generator, out: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make it grey, of low contrast, and lit from the camera, as infra-red lamps do."""
    height, width = out.shape[:2]
    weights = rng.dirichlet((2, 2, 2)).astype(np.float32)
    grey = (out @ weights) / 255
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    middle = (width * rng.uniform(0.3, 0.7), height * rng.uniform(0.3, 0.7))
    far = ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (0.5 * width) ** 2
    lamp = np.exp(-far * np.float32(rng.uniform(0.2, 1.2)))
    grey = grey ** np.float32(rng.uniform(0.7, 1.5)) * lamp * np.float32(rng.uniform(60, 230))
    grey = grey + np.float32(rng.uniform(0, 40))
    return np.repeat(_unfocused(rng, grey)[..., None], 3, axis=2)


def _side_light(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """Return factors that leave one side dark or burn it out, softly or along an edge."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    along = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
    edge = np.float32(rng.uniform(1, 12)) * (along - np.float32(rng.uniform(-0.7, 0.7)))
    lit = 1 / (1 + np.exp(-edge))
    dark, bright = np.float32(rng.uniform(0.15, 0.9)), np.float32(rng.uniform(0.8, 1.7))
    return np.asarray(dark + (bright - dark) * lit, np.float32)


def _unfocused(rng: np.random.Generator, out: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur some pictures: out of focus, or moved while the shutter was open."""
    chance = rng.random()
    if chance < 0.15:
        return np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.6))), np.float32)
    if chance < 0.25:
        long = int(rng.integers(3, 10))
        kernel = np.zeros((long, long), np.float32)
        half, angle = (long - 1) / 2, rng.uniform(0, np.pi)
        way = half * np.array([np.cos(angle), np.sin(angle)])
        ends = [(round(half - way[0]), round(half - way[1])), (round(half + way[0]),)]
        cv2.line(kernel, ends[0], (ends[1][0], round(half + way[1])), 1.0)  # type: ignore[arg-type]
        return np.asarray(cv2.filter2D(out, -1, kernel / kernel.sum()), np.float32)
    return out


def _noised(
    rng: np.random.Generator, out: NDArray[np.float32], *, most: float
) -> NDArray[np.uint8]:
    """Add noise, grey or coloured, to a third of the pictures and round."""
    if rng.random() < 0.35:
        coloured = rng.random() < 0.3
        shape = out.shape if coloured else (*out.shape[:2], 1)
        out = out + rng.standard_normal(shape, np.float32) * np.float32(rng.uniform(2, most))
    return np.asarray(out.clip(0, 255), np.uint8)
