"""Composite faces: what many people share in one expression, and nobody's face.

One composite is the mean of at least a hundred different FER+ training pictures on
whose emotion the voters agree. Each is brought upright by `moodride.vision.align`,
the alignment that training and the service use, brought to one brightness and
contrast, and then bent a little, by a smooth optical flow of at most a few pixels,
onto the mean of all, so that eyelids and lips fall on each other and the mean is
not blurred. The mean is made symmetrical at the end. Which pictures take part
follows from votes, pose and likeness to the mean alone, never from a network.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from moodride.types import EMOTIONS, Emotion
from moodride.vision.align import align, align_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "COUNT_MIN",
    "RECIPES",
    "SIDE",
    "Composite",
    "Recipe",
    "load_training_faces",
    "make_composite",
]

SIDE: Final = 256
"""Side of a composite in pixels; eyes and mouth lie where `align` puts them."""

COUNT_MIN: Final = 100
"""No composite is made of fewer people than this."""

_INNER: Final = (slice(int(0.28 * SIDE), int(0.88 * SIDE)), slice(int(0.2 * SIDE), int(0.8 * SIDE)))
"""Rows and columns from brows to chin and cheek to cheek, where all pictures show skin."""

_MOUTH: Final = (
    slice(int(0.66 * SIDE), int(0.92 * SIDE)),
    slice(int(0.24 * SIDE), int(0.76 * SIDE)),
)

_YAW_MAX: Final = 0.10
_ROLL_MAX: Final = 0.35
_FLOW_SIGMAS: Final = (8.0, 6.0, 5.0, 4.0)
_FLOW_MAX_PX: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which faces of an emotion are taken.

    Attributes:
        agreement: least share of the ten votes, so that some hundreds are left.
        count: how many of these are taken, the best by the three weights.
        own: weight of likeness to the mean of all faces of the emotion.
        like: weight of likeness to the neutral composite, so that the driver
            seems to stay one person.
        mouth: weight of a mouth like the neutral one: who frowns need not shout.
        emphasis: how far the composite goes from the neutral one, 1 for as far as
            the mean does. A mean of many expressions is milder than each of them.
    """

    agreement: float
    count: int
    own: float = 1.0
    like: float = 0.0
    mouth: float = 0.0
    emphasis: float = 1.0


RECIPES: Final = {
    Emotion.NEUTRAL: Recipe(agreement=0.9, count=160),
    Emotion.HAPPINESS: Recipe(agreement=0.99, count=160, own=0.5, like=0.5),
    Emotion.SADNESS: Recipe(agreement=0.8, count=130, own=0.0, like=0.3, mouth=1.0, emphasis=1.6),
    Emotion.ANGER: Recipe(agreement=0.7, count=110, own=0.7, mouth=0.7, emphasis=1.45),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """The mean face of one emotion.

    Attributes:
        emotion: what all of its faces show.
        picture: SIDE x SIDE float32, mean 0 and deviation 1 over the face.
        landmarks_xy: 5 x 2 float32, pixels of the picture.
        count: how many different pictures are in it.
        agreement: least share of votes for the emotion among them, 0..1.
    """

    emotion: Emotion
    picture: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]
    count: int
    agreement: float


def load_training_faces(root: Path, shared: Path) -> Any:  # noqa: ANN401 - a class of models/
    """Load the training part of FER+ with landmarks, by the trainer's own reader."""
    path = root / "models" / "emotion" / "dataset.py"
    spec = importlib.util.spec_from_file_location("emotion_dataset", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.load_split("train", shared=shared)


def make_composite(
    split: Any,  # noqa: ANN401 - a class of models/
    emotion: Emotion,
    *,
    neutral: Composite | None = None,
) -> Composite:
    """Choose faces of one emotion and average them.

    Args:
        split: pictures, votes, landmarks, found, as `dataset.FerSplit`.
        emotion: one of those in `RECIPES`.
        neutral: the neutral composite, which the recipes of the others need.

    Raises:
        ValueError: fewer than `COUNT_MIN` faces are left.
    """
    recipe = RECIPES[emotion]
    candidates = _candidates(split, emotion, recipe.agreement)
    faces = np.stack([_standardised(split.pictures[i], split.landmarks[i]) for i in candidates])
    best = np.argsort(-_fitness(faces, recipe, neutral), kind="stable")[: recipe.count]
    if len(best) < COUNT_MIN:
        raise ValueError(f"{emotion}: {len(best)} faces are too few for a composite")
    chosen, faces = candidates[best], faces[best]
    points = np.stack([_move(split.landmarks[i]) for i in chosen])
    shares = split.votes[chosen, EMOTIONS.index(emotion)] / split.votes[chosen].sum(axis=1)
    picture = _normal(_sharpened(faces, _symmetrical(faces.mean(axis=0))))
    if neutral is not None:
        picture = neutral.picture + recipe.emphasis * (picture - neutral.picture)
    return Composite(
        emotion=emotion,
        picture=picture.astype(np.float32),
        landmarks_xy=_symmetrical_points(points.mean(axis=0)),
        count=len(chosen),
        agreement=float(shares.min()),
    )


def _fitness(
    faces: NDArray[np.float32], recipe: Recipe, neutral: Composite | None
) -> NDArray[np.float32]:
    """Weigh how well each face suits the recipe: N values, more is better."""
    mean = _symmetrical(faces.mean(axis=0))
    if neutral is None:  # the ones that look most like the mean, then most like the mean of these
        for _ in range(2):
            closest = np.argsort(-_likeness(faces, mean), kind="stable")[: recipe.count]
            mean = _symmetrical(faces[closest].mean(axis=0))
        return _likeness(faces, mean)
    mouths = faces[(slice(None), *_MOUTH)] - neutral.picture[_MOUTH]
    fitness: NDArray[np.float32] = (
        recipe.own * _likeness(faces, mean)
        + recipe.like * _likeness(faces, neutral.picture)
        - recipe.mouth * mouths.var(axis=(1, 2))
    )
    return fitness


def _candidates(
    split: Any,  # noqa: ANN401 - a class of models/
    emotion: Emotion,
    agreement: float,
) -> NDArray[np.int64]:
    """Index different, frontal pictures with clear votes, the clearest first."""
    shares = split.votes[:, EMOTIONS.index(emotion)] / np.maximum(split.votes.sum(axis=1), 1)
    clear = np.flatnonzero(split.found & (shares >= agreement))
    clear = clear[np.argsort(-shares[clear], kind="stable")]
    seen: set[bytes] = set()
    chosen = []
    for index in clear:
        # FER2013 repeats pictures, some brightened or rescaled: a coarse sign pattern tells.
        small = cv2.resize(split.pictures[index], (12, 12), interpolation=cv2.INTER_AREA)
        key = np.packbits(small > np.median(small)).tobytes()
        if key not in seen and _is_frontal(split.landmarks[index]):
            seen.add(key)
            chosen.append(index)
    return np.asarray(chosen, dtype=np.int64)


def _is_frontal(points: NDArray[np.float32]) -> bool:
    """Tell whether the nose lies midway between the eyes, and the head is upright."""
    along = points[1] - points[0]
    eye_px = float(np.hypot(*along))
    yaw = float((points[2] - points[0]) @ along) / eye_px**2 - 0.5
    return abs(yaw) < _YAW_MAX and abs(float(np.arctan2(along[1], along[0]))) < _ROLL_MAX


def _standardised(picture: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Align one face and bring it to mean 0 and deviation 1."""
    return _normal(align(picture, points, size=SIDE).astype(np.float32))


def _move(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Bring landmarks to where `align` puts them: 5 x 2."""
    matrix = align_matrix(points, size=SIDE)
    moved: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def _normal(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring the inner face to mean 0 and deviation 1."""
    inner = picture[_INNER]
    scaled: NDArray[np.float32] = (picture - inner.mean()) / max(float(inner.std()), 1e-3)
    return scaled


def _likeness(faces: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Correlate the inner face of each with the mean's: N values."""
    inner = _normal(mean)[_INNER]
    likeness: NDArray[np.float32] = np.mean(faces[(slice(None), *_INNER)] * inner, axis=(1, 2))
    return likeness


def _symmetrical(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average a picture with its mirror image."""
    halves: NDArray[np.float32] = (picture + picture[:, ::-1]) / np.float32(2)
    return halves


def _symmetrical_points(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Average landmarks with their mirror image."""
    mirrored = points[[1, 0, 2, 4, 3]] * [-1, 1] + [SIDE - 1, 0]
    return np.asarray((points + mirrored) / 2, dtype=np.float32)


def _sharpened(faces: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bend each face a little onto the mean, and average again, a few times.

    The mean flow is taken off, so that the shape stays the mean of all shapes.
    """
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    for sigma in _FLOW_SIGMAS:
        target = _grey(mean)
        flows = [_smooth_flow(finder, target, face, sigma) for face in faces]
        middle = np.mean(flows, axis=0)
        bent = [
            cv2.remap(face, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
            for face, flow in zip(faces, (f - middle for f in flows), strict=True)
        ]
        mean = _symmetrical(np.asarray(np.mean(bent, axis=0, dtype=np.float32), np.float32))
    return mean


def _smooth_flow(
    finder: cv2.DISOpticalFlow,
    target: NDArray[np.uint8],
    face: NDArray[np.float32],
    sigma: float,
) -> NDArray[np.float32]:
    """Find where the target's pixels lie in a face, coarsely: SIDE x SIDE x 2."""
    blurred = cv2.GaussianBlur(_grey(face), (0, 0), 1.5)
    flow = np.asarray(finder.calc(target, blurred, None), dtype=np.float32)  # type: ignore[call-overload]
    limited = np.clip(cv2.GaussianBlur(flow, (0, 0), sigma), -_FLOW_MAX_PX, _FLOW_MAX_PX)
    return np.asarray(limited, dtype=np.float32)


def _grey(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Bring a standardised picture to 0..255 for the flow."""
    return np.clip(picture * 45 + 128, 0, 255).astype(np.uint8)
