"""Find the score from which a face is one, on pictures of the training alone.

The held-back ones must not choose what they judge. A card for whole frames looks at whole
pictures; one for following looks at what `moodride.vision.driver` would show it: the square
around the place where the face was a fifth of a second ago, and around as large places of
pictures without any face, where a driver who is gone would have been.

How far a face moves in 0.2 s: in the five films of `clips`, 402 steps of our own detections at
5 a second, by 0.010 of its longer side (median), at most 0.075 in 99 of 100, and its size
changes by 0.8 % (median), at most 7 %. Those people sit still; who drives does not. So it is
drawn with a deviation of 0.1 along each side, never more than half a face, which is where
`moodride.vision.seat` gives up, and of 7 % in size.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from measures import sampled
from peers import LOWEST, open_card, rows
from tally import SMALLEST, VIEW, Tally, match

from moodride.vision.driver import surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from labels import Cache, Item, Known
    from numpy.typing import NDArray
    from peers import Detector

    Box = tuple[float, float, float, float]
    Line = dict[str, float]

__all__ = ["CHOSEN", "FRAME", "ONE_IN", "choose_following", "choose_threshold", "views"]

ONE_IN: Final = (10, 20, 50, 100, 200)
CHOSEN: Final = 50
FRAME: Final = (640, 480)
"""Width and height in which the service follows a face."""
EMPTY: Final = 3
"""Places to look at in a picture without faces."""
SEED: Final = 11
_MOVED: Final = 0.1
_FARTHEST: Final = 0.5
_GROWN: Final = 0.07


def choose_threshold(
    detector: Detector, cache: Cache, *, sample: int | None = None
) -> tuple[float, list[Line]]:
    """Find the score for whole frames.

    Of the scores with at most one false face in `CHOSEN` pictures without faces the lowest:
    it has the most recall.

    Args:
        detector: asked once for every picture.
        cache: pictures and labels.
        sample: pictures of each source to look at; all for None.

    Returns:
        The score, in steps of 0.01; and for each of `ONE_IN` the score, its false faces, and
        its recall on scenes and cabins, of all faces and of those from 40 px.
    """
    find = detector.find(LOWEST)
    return _choose((item, find(cache.image(item))) for item in _learnt(cache, sample))


def choose_following(
    path: Path, cache: Cache, *, sample: int | None = None
) -> tuple[float, list[Line]]:
    """Find the score for a card that looks around a face's last place.

    The rule is that of `choose_threshold`, a view counts as a picture; see there for arguments
    and results.

    Args:
        path: of the card.
        cache: pictures and labels.
        sample: pictures of each source to look at; all for None.

    Raises:
        ModelError: card or network is missing, damaged, or they do not fit.
    """
    detector = open_card(path, LOWEST)
    return _choose(
        (item, rows(detector.detect(cache.image(item), roi_xyxy=where)))
        for item, where in views(_learnt(cache, sample))
    )


def views(items: Sequence[Item]) -> Iterator[tuple[Item, Box]]:
    """Yield what a card for following is shown of pictures, always the same.

    Args:
        items: the pictures with faces first give the sizes of the places in those without.

    Yields:
        A picture on which only the followed face, its largest, counts, or none; and the
        part to look at in its pixels, left, top, right, bottom; it may reach beyond it.
    """
    followed = [(item, face) for item in items for face in [_followed(item)] if face is not None]
    sizes = [_frame_box(item, face) for item, face in followed]
    for (item, face), box in zip(followed, sizes, strict=True):
        others = [replace(one, counts=False) for one in item.faces if one is not face]
        only = replace(item, faces=[face, *others])
        yield only, _part(item, _moved(_rng(item), box))
    for item in items:
        if item.source == "none" and sizes:
            rng = _rng(item)
            for _ in range(EMPTY):
                yield item, _part(item, _anywhere(rng, item, sizes[rng.integers(len(sizes))]))


def _learnt(cache: Cache, sample: int | None) -> list[Item]:
    """Return the pictures of the training to look at."""
    wanted = {"none", "scenes", "cabin"}
    return sampled(
        [item for item in cache.items if not item.held_back and item.source in wanted], sample
    )


def _choose(seen: Iterable[tuple[Item, NDArray[Any]]]) -> tuple[float, list[Line]]:
    """Choose by what was found in pictures."""
    empty, faces, large = Tally(), Tally(), Tally()
    for item, found in seen:
        if item.source == "none":
            empty.add(match(item, found))
        else:
            faces.add(match(item, found))
            large.add(match(item, found, smallest=40.0))
    lines = []
    for one_in in ONE_IN:
        steps = [round(step / 100, 2) for step in range(3, 100)]
        score = next((s for s in steps if empty.at(s)[1] <= empty.pictures / one_in), steps[-1])
        line = {"one_in": one_in, "score": score, "false": empty.at(score)[1]}
        lines.append(line | {"recall": faces.at(score)[0], "recall_40": large.at(score)[0]})
    return next(line["score"] for line in lines if line["one_in"] == CHOSEN), lines


def _rng(item: Item) -> np.random.Generator:
    """Return the chance that belongs to a picture."""
    return np.random.default_rng([SEED, zlib.crc32(item.file.encode())])


def _followed(item: Item) -> Known | None:
    """Return the largest face that counts, if it is large enough to be followed."""
    counting = [face for face in item.faces if face.counts]
    face = max(counting, key=lambda one: _side(one.box), default=None)
    scale = min(VIEW[0] / item.width, VIEW[1] / item.height)
    return face if face is not None and _side(face.box) * scale >= SMALLEST else None


def _side(box: Sequence[float]) -> float:
    """Return the root of the area."""
    return math.sqrt(max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0))


def _scale(item: Item) -> float:
    """Return how much larger the service's frame would show the picture."""
    return min(FRAME[0] / item.width, FRAME[1] / item.height)


def _frame_box(item: Item, face: Known) -> NDArray[np.float64]:
    """Return middle, width and height of a face in the service's frame."""
    left, top, right, bottom = np.array(face.box, np.float64) * _scale(item)
    return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])


def _moved(rng: np.random.Generator, box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a face was a fifth of a second ago."""
    off = rng.normal(0, _MOVED, 2)
    off *= min(_FARTHEST / max(float(np.hypot(*off)), 1e-9), 1.0)
    grown = np.exp(rng.normal(0, _GROWN))
    return np.concatenate([box[:2] + off * box[2:].max(), box[2:] * grown])


def _anywhere(
    rng: np.random.Generator, item: Item, box: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a place of a face's size whose middle is in the picture."""
    size = np.array([item.width, item.height]) * _scale(item)
    return np.concatenate([rng.uniform(0, size), box[2:]])


def _part(item: Item, box: NDArray[np.float64]) -> Box:
    """Return the part of the picture that the service looks at around a place."""
    middle, half = box[:2], box[2:] / 2
    corners = np.concatenate([middle - half, middle + half])
    left, top, right, bottom = (
        float(at / _scale(item)) for at in surroundings(tuple(corners.tolist()))
    )
    return left, top, right, bottom
