"""Worse copies of labelled pictures, to judge a network by and never to train it with.

Each copy does to the published picture what a cabin does to a face between lamp and file:
before alignment, the landmarks where they were (but for `turned`, whose landmarks turn along,
as those of a detector would). `augment`, which training uses, practises some of the same
troubles (little light, light from a side, noise, blur, things in front), but by other code
with other constants on purpose.

The same picture always gets the same copy: the chances come from the copy's name, a seed
and the picture's own pixels, not from its place in a list, so that a sample of the pictures
is judged as it would be among all.

All lengths are in pixels of a picture 48 wide, which the face fills: its width, some 40
pixels, is 15 cm, so that a pixel is about 4 mm. Grey levels are 0..255 as a camera writes
them, that is about the power 1/2.2 of the light (IEC 61966-2-1): a tenth of the light is
0.35 of the level.

For other tools::

    for name, copy in COPIES.items():
        faces = degraded(split, name).aligned(48)  # the same labels hold
        print(name, copy.title)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from dataset import FerSplit
from numpy.typing import NDArray

__all__ = ["COPIES", "Copy", "copied", "degraded"]

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]
Change = Callable[[Picture, Points, np.random.Generator], tuple[Picture, Points]]

GAMMA: Final = 2.2
"""Level = light ** (1 / GAMMA), about."""

DARK_LEVEL: Final = (0.15, 0.25)
"""Of the level by day: 1.5 to 5 % of the light, a cabin at dusk, the exposure at its longest."""

DARK_READ, DARK_SHOT = 2.0, 0.08
"""Noise of a small sensor at high gain: its variance is READ ** 2 + SHOT * level (Foi et al. 2008,
"Practical Poissonian-Gaussian noise modeling and fitting"). Over the dark copies' mean level of
about 25 that is a deviation of 2.4 levels, a tenth of the signal."""

NOISY_READ, NOISY_SHOT = 12.0, 0.6
"""A deviation of about 15 levels at mid grey: the second of five severities of the noise of
CIFAR-10-C (Hendrycks & Dietterich 2019, 0.06 of the range), made for pictures of 32 pixels."""

DEFOCUS_RADIUS: Final = 1.5
"""Of the disc that a point becomes, 6 mm on the face: the fifth severity of CIFAR-10-C. A camera
set to the far end of the seat's rail, the driver at the near one."""

MOTION_LENGTH: Final = 5.0
"""2 cm within one exposure: 0.6 m/s at 33 ms, a head on a bad road in the dusk."""

SIDE_LIGHT: Final = (0.05, 0.10)
"""Of the light that the other side gets: low sun through one window, the far cheek lit by the
cabin alone. In levels that is 0.26 to 0.35."""

SIDE_GLARE: Final = 1.25
"""Of the level on the lit side, clipped at white: exposure follows the whole, darker picture."""

SIDE_EDGE: Final = (1.5, 4.0)
"""Half the width of the shadow's edge: noses and cheeks are round, but the sun is a point."""

FEW_PIXELS: Final = 24
"""The side of what is left of a face far from a small camera."""

NIGHT_CONTRAST, NIGHT_LIFT = 0.55, 0.30
"""Skin is brighter and more even in near infra-red than by day: less contrast on a higher level."""

NIGHT_FALL: Final = 0.6
"""Of the level lost towards the corners, by the square of the distance: one small lamp near by."""

NIGHT_BLUR: Final = 0.6
"""Deviation of the blur: a lens focused for visible light is a little off at 850 nm."""

NIGHT_READ, NIGHT_SHOT = 4.0, 0.08
"""Noise by night, the lamp being weak: a deviation of 5 levels at mid grey."""

TURN_DEG: Final = 15.0
"""A head laid to the side, as far as one sees often."""

HAND: Final = (0.55, 0.75)
"""Half width and half height of the hand on a cheek, in parts of the distance between the eyes:
7 x 9 cm, a palm."""

LANDMARK_NOISE: Final = 0.12
"""Deviation of every landmark in x and in y, in parts of the distance between the eyes: what a
small detector is off by on a bad frame."""

JPEG_QUALITY: Final = 25
JPEG_ENLARGED: Final = 2
"""A face of 96 pixels in the stream of a USB camera that squeezes it hard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One way to make a picture worse.

    Attributes:
        title: for people, a few words.
        change: makes the copy of a picture and its landmarks.
    """

    title: str
    change: Change


def copied(
    picture: Picture, landmarks: Points, name: str, *, seed: int = 0
) -> tuple[Picture, Points]:
    """Make one copy of one picture.

    Args:
        picture: H x W uint8, grey; it stays as it is.
        landmarks: 5 x 2 pixels, the order of `moodride.vision.align`.
        name: one of `COPIES`.
        seed: another one makes other copies.

    Returns:
        The copy, H x W uint8, and its landmarks, 5 x 2.

    Raises:
        KeyError: there is no copy of that name.
    """
    change = COPIES[name].change
    chances = (seed, zlib.crc32(name.encode()), zlib.crc32(picture.tobytes()))
    return change(picture, landmarks, np.random.default_rng(chances))


def degraded(split: FerSplit, name: str, *, seed: int = 0) -> FerSplit:
    """Make one copy of every picture of a part of FER+, as `copied` does.

    Raises:
        KeyError: there is no copy of that name.
    """
    pairs = zip(split.pictures, split.landmarks, strict=True)
    made = [copied(picture, points, name, seed=seed) for picture, points in pairs]
    return replace(
        split,
        pictures=np.stack([picture for picture, _ in made]),
        landmarks=np.stack([points for _, points in made]),
    )


def _exposed(
    levels: NDArray[np.floating], rng: np.random.Generator, *, read: float, shot: float
) -> Picture:
    """Take the picture with a sensor: noise that grows with the light, then 8 bits."""
    deviation = np.sqrt(read**2 + shot * np.maximum(levels, 0))
    noisy = levels + deviation * rng.standard_normal(levels.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), dtype=np.uint8)


def _dark(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Leave little light, which the sensor's noise and the 8 bits then share."""
    levels = picture * rng.uniform(*DARK_LEVEL)
    return _exposed(levels, rng, read=DARK_READ, shot=DARK_SHOT), points


def _noisy(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Turn the sensor's gain up until the level is right again."""
    levels = picture.astype(np.float64)
    return _exposed(levels, rng, read=NOISY_READ, shot=NOISY_SHOT), points


def _filtered(picture: Picture, kernel: NDArray[np.floating]) -> Picture:
    """Blur by a kernel; what lies outside the picture repeats its edge."""
    sharing = (kernel / kernel.sum()).astype(np.float32)
    blurred = cv2.filter2D(picture, -1, sharing, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, dtype=np.uint8)


def _defocused(
    picture: Picture, points: Points, _rng: np.random.Generator
) -> tuple[Picture, Points]:
    """Make every point a disc, its edge in fractions of a pixel."""
    fine, reach = 16, int(np.ceil(DEFOCUS_RADIUS))
    side = 2 * reach + 1
    at = (np.arange(side * fine) + 0.5) / fine - side / 2
    disc = (np.hypot(at[:, None], at[None]) <= DEFOCUS_RADIUS).astype(np.float64)
    kernel = disc.reshape(side, fine, side, fine).mean(axis=(1, 3))
    return _filtered(picture, kernel), points


def _shaken(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Make every point a line of one direction: the head moves, or the car does."""
    reach = int(np.ceil(MOTION_LENGTH / 2)) + 1
    side, angle = 2 * reach + 1, rng.uniform(0, np.pi)
    way = np.linspace(-MOTION_LENGTH / 2, MOTION_LENGTH / 2, 101)
    x, y = reach + way * np.cos(angle), reach + way * np.sin(angle)
    # A point between pixels is shared among the four around it.
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    across, down = x - left, y - top
    kernel = np.zeros((side, side))
    for row, share_y in ((top, 1 - down), (top + 1, down)):
        for column, share_x in ((left, 1 - across), (left + 1, across)):
            np.add.at(kernel, (row, column), share_y * share_x)
    return _filtered(picture, kernel), points


def _half_lit(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Put one half of the face, divided at the nose, into the shade."""
    shade = rng.uniform(*SIDE_LIGHT) ** (1 / GAMMA)
    middle, soft = float(points[:3, 0].mean()), rng.uniform(*SIDE_EDGE)
    away = (np.arange(picture.shape[1]) - middle - rng.normal(0, 1.5)) / soft
    lit = 1 / (1 + np.exp(-2 * away * rng.choice((-1, 1))))
    levels = picture * (shade + (SIDE_GLARE - shade) * lit)
    return _exposed(levels, rng, read=1.0, shot=0.02), points


def _few_pixels(
    picture: Picture, points: Points, _rng: np.random.Generator
) -> tuple[Picture, Points]:
    """Average the face down to few pixels and up again, as a small face is enlarged."""
    high, wide = picture.shape
    small = cv2.resize(picture, (FEW_PIXELS, FEW_PIXELS), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.uint8), points


def _night(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Look as under an infra-red lamp, so far as a grey picture can: even skin, a bright spot."""
    high, wide = picture.shape
    soft = cv2.GaussianBlur(picture.astype(np.float64), (0, 0), NIGHT_BLUR)
    levels = 255 * (NIGHT_LIFT + NIGHT_CONTRAST * soft / 255)
    x, y = points.mean(axis=0) + rng.normal(0, 3.0, 2)
    far = np.hypot(np.arange(wide)[None] - x, np.arange(high)[:, None] - y)
    levels *= 1 - NIGHT_FALL * np.minimum(far / np.hypot(high / 2, wide / 2), 1) ** 2
    return _exposed(levels, rng, read=NIGHT_READ, shot=NIGHT_SHOT), points


def _rotation(picture: Picture, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a turn to one side or the other about the picture's middle: 2 x 3."""
    middle = ((picture.shape[1] - 1) / 2, (picture.shape[0] - 1) / 2)
    angle = TURN_DEG * float(rng.choice((-1, 1)))
    return np.asarray(cv2.getRotationMatrix2D(middle, angle, 1.0), dtype=np.float64)


def _askew(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Turn the head while the landmarks stay: an alignment that missed the turn."""
    return _warped(picture, _rotation(picture, rng)), points


def _turned(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Turn the head and the landmarks with it, for the alignment to put upright again."""
    matrix = _rotation(picture, rng)
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return _warped(picture, matrix), moved.astype(np.float32)


def _warped(picture: Picture, matrix: NDArray[np.float64]) -> Picture:
    """Move a picture; what comes in from outside repeats its edge."""
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.uint8)


def _cheek(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Lay a hand on one cheek, over the corner of the mouth, an eye left free."""
    side = int(rng.integers(2))
    eye, corner, nose = points[side], points[3 + side], points[2]
    apart = max(float(np.linalg.norm(points[1] - points[0])), 4.0)
    outward = np.sign(eye[0] - points[:2, 0].mean()) or 1.0
    x = float((nose[0] + corner[0]) / 2 + outward * 0.55 * apart)
    y = float(corner[1] + 0.05 * apart)
    fine = 8
    centre = (round((x + 0.5) * fine - 0.5), round((y + 0.5) * fine - 0.5))
    half = (round(HAND[0] * apart * fine), round(HAND[1] * apart * fine))
    high, wide = picture.shape
    shape = np.zeros((high * fine, wide * fine), np.uint8)
    cv2.ellipse(shape, centre, half, float(outward) * 15.0, 0, 360, 255, -1)
    share = cv2.resize(shape, (wide, high), interpolation=cv2.INTER_AREA) / 255
    level = float(np.median(picture)) * rng.uniform(0.8, 1.2)
    slope = (np.arange(high)[:, None] - y) / high * rng.uniform(-60, 60)
    levels = picture * (1 - share) + (level + slope) * share
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8), points


def _missed(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Leave the picture and move every landmark by itself."""
    apart = max(float(np.linalg.norm(points[1] - points[0])), 4.0)
    moved = points + rng.normal(0, LANDMARK_NOISE * apart, points.shape)
    return picture, moved.astype(np.float32)


def _squeezed(
    picture: Picture, points: Points, _rng: np.random.Generator
) -> tuple[Picture, Points]:
    """Send the picture as JPEG of low quality, at the size it would have in a frame."""
    high, wide = picture.shape
    size = (wide * JPEG_ENLARGED, high * JPEG_ENLARGED)
    large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    coded = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    read = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    small = cv2.resize(np.asarray(read), (wide, high), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), points


COPIES: Final[Mapping[str, Copy]] = MappingProxyType(
    {
        "dark": Copy(title="dark: 15-25 % of the level, sensor noise", change=_dark),
        "noisy": Copy(title="noisy: deviation of 15 levels", change=_noisy),
        "defocused": Copy(title="blurred: out of focus, radius 1.5 px", change=_defocused),
        "shaken": Copy(title="blurred: in motion, 5 px", change=_shaken),
        "half_lit": Copy(title="half-lit: one side at 5-10 % of the light", change=_half_lit),
        "px24": Copy(title="24 px and up again", change=_few_pixels),
        "infrared": Copy(title="look of an infra-red lamp", change=_night),
        "turned": Copy(title="turned by 15°, landmarks too", change=_turned),
        "askew": Copy(title="turned by 15°, landmarks not", change=_askew),
        "cheek": Copy(title="a hand on one cheek", change=_cheek),
        "noisy_landmarks": Copy(title="landmarks off by 12 % of the eye distance", change=_missed),
        "jpeg": Copy(title="JPEG of quality 25 at 96 px", change=_squeezed),
    }
)
"""Every copy by its name, in the order of the tables."""
