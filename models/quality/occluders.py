"""Things before a face, painted on aligned grey faces: what `fit.py` learns to notice.

A hand over the mouth or one eye, sunglasses, a mask, a phone at the ear, a cap drawn down
over the brows. Each is drawn twice as fine and averaged, takes its grey from the
face where it is skin, has folds, shading and a shadow, and in the end the grain and the
softness of the picture it is put in: what is learnt must not be "smoother than the rest".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["KINDS", "occluded"]

_FINE: Final = 2
"""Painted this many times finer than the face."""

_SOFT: Final = 0.35 * _FINE
"""Standard deviation of the softness of what is painted: about a third of a pixel."""


def occluded(
    kind: str, face: NDArray[np.uint8], points: NDArray[np.floating], *, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Put something before a face.

    Args:
        kind: one of `KINDS`.
        face: S x S uint8, aligned.
        points: 5 x 2, the landmarks in pixels of the aligned face.
        rng: where the chances come from.

    Returns:
        S x S uint8, a new picture.
    """
    size = face.shape[0]
    side = size * _FINE
    large = cv2.resize(face, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    # Pixel centres, as in `align`.
    fine = (np.asarray(points, np.float64) + 0.5) * _FINE - 0.5
    paint, alpha = KINDS[kind](large, fine, rng)
    shadow = cv2.GaussianBlur(alpha, (0, 0), side * 0.02)
    shade = 1 - float(rng.uniform(0.0, 0.25)) * np.roll(shadow, side // 40, axis=0)
    mixed = large * shade * (1 - alpha) + paint * alpha
    mixed = cv2.resize(mixed, (size, size), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(alpha, (size, size), interpolation=cv2.INTER_AREA)
    grain = rng.normal(0, _grain(face), face.shape) * cover
    # What is not covered stays as it is, to the pixel.
    return np.asarray(np.where(cover > 0.01, mixed + grain, face).clip(0, 255), np.uint8)


def _grain(face: NDArray[np.uint8]) -> float:
    """Estimate the noise of a picture (Immerkaer 1996), grey levels."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    found = cv2.filter2D(face.astype(np.float32), -1, kernel)
    return float(np.median(np.abs(found)) / 0.6745 / 6)


def _skin(
    face: NDArray[np.float32], points: NDArray[np.float64], rng: np.random.Generator
) -> float:
    """Return a grey near that of the cheeks."""
    cheeks = (points[:2] + points[3:]) / 2
    x, y = cheeks.T.clip(0, face.shape[0] - 1).astype(int)
    return float(np.median(face[y, x])) * float(rng.uniform(0.75, 1.2))


def _waves(side: int, rng: np.random.Generator, scale: float) -> NDArray[np.float32]:
    """Return smooth noise of standard deviation 1, its bumps `scale` of the side large."""
    cells = max(int(1 / scale), 2)
    coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth / max(float(smooth.std()), 1e-6), np.float32)


def _blank(face: NDArray[np.float32], grey: float) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.full_like(face, grey), np.zeros_like(face)


def _hand(
    face: NDArray[np.float32], centre: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lay four fingers and a palm over a place."""
    side = face.shape[0]
    grey = float(np.median(face)) * float(rng.uniform(0.75, 1.2))
    paint, alpha = _blank(face, grey)
    turn = float(rng.uniform(-0.7, 0.7)) + (0.0 if rng.random() < 0.5 else np.pi)
    along = np.array([np.cos(turn), np.sin(turn)])
    across = np.array([-along[1], along[0]])
    thick = side * float(rng.uniform(0.075, 0.11))
    for finger in range(4):
        base = centre + across * thick * (finger - 1.5) - along * side * 0.35
        tip = centre + across * thick * (finger - 1.5)
        tip = tip + along * side * (0.22 - 0.05 * abs(finger - 1.3) + rng.uniform(-0.02, 0.02))
        ends = [(round(float(x)), round(float(y))) for x, y in (base, tip)]
        cv2.line(alpha, ends[0], ends[1], 1.0, max(round(thick), 1), cv2.LINE_AA)
        # Between the fingers it is dark, the nails and knuckles are bright.
        edge = [
            (round(float(x)), round(float(y)))
            for x, y in (base + across * thick / 2, tip + across * thick / 2)
        ]
        if finger < 3:
            dark = grey * float(rng.uniform(0.45, 0.85))
            cv2.line(paint, edge[0], edge[1], dark, max(round(thick * 0.15), 1), cv2.LINE_AA)
    palm = centre - along * side * 0.42
    axes = (round(side * 0.2), round(thick * 2.2))
    cv2.ellipse(
        alpha,
        (round(palm[0]), round(palm[1])),
        axes,
        float(np.degrees(turn)),
        0,
        360,
        1.0,
        -1,
        cv2.LINE_AA,
    )
    paint += _waves(side, rng, 0.2) * grey * 0.08 + _waves(side, rng, 0.06) * grey * 0.04
    light = float(rng.uniform(-0.3, 0.3)) * (np.arange(side, dtype=np.float32) / side - 0.5)
    paint *= 1 + light[None, :]
    return cv2.GaussianBlur(paint, (0, 0), _SOFT), np.clip(
        cv2.GaussianBlur(alpha, (0, 0), _SOFT), 0, 1
    )


def _hand_on_mouth(
    face: NDArray[np.float32], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    mouth = points[3:].mean(axis=0)
    return _hand(face, mouth + rng.normal(0, 0.04 * face.shape[0], 2), rng)


def _hand_on_eye(
    face: NDArray[np.float32], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    eye = points[int(rng.integers(2))]
    return _hand(face, eye + rng.normal(0, 0.04 * face.shape[0], 2), rng)


def _sunglasses(
    face: NDArray[np.float32], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two dark glasses, at times with the sky in them."""
    side = face.shape[0]
    paint, alpha = _blank(face, float(rng.uniform(5, 60)))
    mirrored = float(rng.uniform(0, 120)) if rng.random() < 0.4 else float(rng.uniform(0, 25))
    paint += mirrored * np.linspace(1, 0, side, dtype=np.float32)[:, None] ** 3
    apart = float(np.linalg.norm(points[1] - points[0]))
    span = max(apart, 0.7 * 0.4 * side)
    high, wide = span * float(rng.uniform(0.42, 0.65)), span * float(rng.uniform(0.75, 0.95))
    square = rng.random() < 0.5
    for eye in points[:2]:
        x, y = float(eye[0]), float(eye[1]) + high * 0.1
        if square:
            ends = (
                (round(x - wide / 2), round(y - high / 2)),
                (round(x + wide / 2), round(y + high / 2)),
            )
            cv2.rectangle(alpha, ends[0], ends[1], 1.0, -1)
        else:
            cv2.ellipse(
                alpha,
                (round(x), round(y)),
                (round(wide / 2), round(high / 2)),
                0,
                0,
                360,
                1.0,
                -1,
                cv2.LINE_AA,
            )
    bridge = [(round(float(x)), round(float(y - high * 0.15))) for x, y in points[:2]]
    cv2.line(alpha, bridge[0], bridge[1], 1.0, max(round(span * 0.09), 1), cv2.LINE_AA)
    return paint, cv2.GaussianBlur(alpha, (0, 0), _SOFT) * float(rng.uniform(0.88, 1.0))


def _mask(
    face: NDArray[np.float32], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """A cloth over nose and mouth with folds."""
    side = face.shape[0]
    grey = float(rng.uniform(15, 245))
    paint, alpha = _blank(face, grey)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    down = mouth - eyes
    length = max(float(np.linalg.norm(down)), 0.3 * side)
    down = down / max(float(np.linalg.norm(down)), 1e-6) * length
    along = np.array([down[1], -down[0]])
    top = eyes + down * float(rng.uniform(0.35, 0.75)) if rng.random() < 0.85 else points[2]
    corners = [
        top,
        eyes + down * 0.62 + along * 0.85,
        eyes + down * 1.3 + along * 0.8,
        eyes + down * 1.75 + along * 0.35,
        eyes + down * 1.75 - along * 0.35,
        eyes + down * 1.3 - along * 0.8,
        eyes + down * 0.62 - along * 0.85,
    ]
    cv2.fillPoly(alpha, [np.round(corners).astype(np.int32)], 1.0, cv2.LINE_AA)
    for share in rng.uniform(0.75, 1.5, int(rng.integers(0, 4))):
        middle = eyes + down * float(share)
        bow = float(rng.uniform(0.6, 0.9))
        ends = [
            (round(float(x)), round(float(y)))
            for x, y in (middle - along * bow, middle + along * bow)
        ]
        cv2.line(
            paint,
            ends[0],
            ends[1],
            grey * float(rng.uniform(0.7, 0.95)),
            max(round(side * 0.015), 1),
            cv2.LINE_AA,
        )
    # Round it is, darker to the sides, with a lit ridge over the nose.
    x = (np.arange(side, dtype=np.float32) - float(mouth[0])) / (0.4 * side)
    paint *= (1 - float(rng.uniform(0.0, 0.35)) * x**2).clip(0.3, 1)[None, :]
    paint *= 1 + float(rng.uniform(-0.3, 0.3)) * x[None, :]
    paint += _waves(side, rng, 0.15) * (4 + 0.05 * grey)
    return cv2.GaussianBlur(paint, (0, 0), _SOFT), cv2.GaussianBlur(alpha, (0, 0), _SOFT)


def _phone(
    face: NDArray[np.float32], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """A dark phone held before the mouth or a cheek, and the fingers around it."""
    side = face.shape[0]
    paint, alpha = _blank(face, float(rng.uniform(5, 90)))
    side_of = float(rng.choice([-1.0, 1.0]))
    mouth = points[3:].mean(axis=0)
    centre = mouth + side * np.array([side_of * rng.uniform(0.08, 0.24), rng.uniform(-0.12, 0.05)])
    turn = 90 + side_of * float(rng.normal(15, 15))
    box = cv2.boxPoints(
        (
            (float(centre[0]), float(centre[1])),
            (side * float(rng.uniform(0.5, 0.7)), side * float(rng.uniform(0.2, 0.3))),
            turn,
        )
    )
    cv2.fillPoly(alpha, [np.round(box).astype(np.int32)], 1.0, cv2.LINE_AA)
    skin = _skin(face, points, rng)
    for finger in range(int(rng.integers(2, 5))):
        at = centre + side * np.array([0.0, -0.08 + 0.085 * finger])
        axes = (round(side * 0.15), round(side * 0.035))
        middle = (round(float(at[0])), round(float(at[1])))
        for plane, value in ((paint, skin * float(rng.uniform(0.85, 1.05))), (alpha, 1.0)):
            cv2.ellipse(plane, middle, axes, 0, 0, 360, value, -1, cv2.LINE_AA)
    paint += _waves(side, rng, 0.1) * 4
    return paint, cv2.GaussianBlur(alpha, (0, 0), _SOFT)


def _cap(
    face: NDArray[np.float32], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """A cap drawn down to the eyes, with the shadow of its peak on them."""
    side = face.shape[0]
    grey = float(rng.uniform(10, 200))
    paint, alpha = _blank(face, grey)
    brim = float(points[:2, 1].mean()) + side * float(rng.uniform(-0.10, 0.03))
    bow = side * float(rng.uniform(0.0, 0.12))
    x = np.arange(side)
    edge = brim + bow * ((x - side / 2) / (side / 2)) ** 2
    y = np.arange(side)[:, None]
    alpha[:] = (y < edge[None, :]).astype(np.float32)
    peak = y > edge[None, :] - side * 0.1
    paint[peak] *= float(rng.uniform(0.4, 0.9))
    paint += _waves(side, rng, 0.2) * 5
    dark = float(rng.uniform(0.0, 0.6)) * np.exp(
        -(((y - edge[None, :]) / (0.15 * side)).clip(0) ** 2)
    )
    shaded = face * (1 - dark)
    # The shadow belongs to what is painted: it is part of what hides the eyes.
    paint = np.where(alpha > 0, paint, shaded)
    cover = np.where(alpha > 0, 1.0, (dark > 0.02).astype(np.float32)).astype(np.float32)
    return cv2.GaussianBlur(paint.astype(np.float32), (0, 0), _SOFT), cover


KINDS: Final[dict[str, Callable[..., tuple[NDArray[Any], NDArray[Any]]]]] = {
    "hand on mouth": _hand_on_mouth,
    "hand on eye": _hand_on_eye,
    "sunglasses": _sunglasses,
    "mask": _mask,
    "phone": _phone,
    "cap": _cap,
}
"""What may be before a face; each returns its paint and how much it covers (0..1)."""
