"""FER+ for training: pictures, votes and landmarks, all read from `ferplus.zip`.

FER2013 has 35,887 grey faces of 48 x 48 pixels; FER+ (Barsoum et al. 2016,
"Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label
Distribution", arXiv:1608.01041) gave each ten votes: eight emotions, "unknown"
and "not a face". Here are the training and the validation part.

Landmarks come from the published YuNet detector (trained, like the published
RetinaFace, on the WIDER FACE landmarks), which looks at each picture enlarged and
padded; a picture in which it finds no face gets the mean landmarks of the others.
They are kept in `cache/` beside this file, which git ignores.

For other tools::

    train = load_split("train")
    train.pictures       # N x 48 x 48 uint8, as published
    train.landmarks      # N x 5 x 2 float32, pixels of the picture
    train.found          # N bool: False where the landmarks are only the mean ones
    train.aligned(48)    # N x 48 x 48 uint8, by moodride.vision.align
    majority_labels(train.votes)  # N int, -1 where the voters did not agree

Run as a program it fills the cache.
"""

from __future__ import annotations

import argparse
import csv
import io
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from moodride.vision.align import align

__all__ = [
    "CACHE",
    "ENLARGED",
    "SHARED",
    "FerSplit",
    "load_pictures",
    "load_split",
    "majority_labels",
    "off_canvas",
    "on_canvas",
    "picture_repeats",
    "vote_distributions",
]

SHARED: Final = Path(__file__).resolve().parents[3] / "shared"
CACHE: Final = Path(__file__).resolve().parent / "cache"

ENLARGED: Final = (200, 128)
"""Sides at which a detector looks at a picture, the second where it saw nothing at the first."""

_SIDE: Final = 48
_GRID: Final = 20
_EMOTIONS: Final = 8
_CANVAS: Final = 320
_SCORE_MIN: Final = 0.3
_NMS_IOU: Final = 0.3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FerSplit:
    """One part of FER+, in the order of the archive.

    Attributes:
        pictures: N x 48 x 48 uint8, grey.
        votes: N x 10 int64: eight emotions in FER+ order, unknown, not a face.
        landmarks: N x 5 x 2 float32 in pixels of the picture, the order of `align`.
        found: N bool, whether the detector found the face.
    """

    pictures: NDArray[np.uint8]
    votes: NDArray[np.int64]
    landmarks: NDArray[np.float32]
    found: NDArray[np.bool_]

    def aligned(self, size: int) -> NDArray[np.uint8]:
        """Align every picture as the service does: N x size x size uint8."""
        pairs = zip(self.pictures, self.landmarks, strict=True)
        return np.stack([align(picture, points, size=size) for picture, points in pairs])


def load_split(name: str, *, shared: Path = SHARED, cache: Path = CACHE) -> FerSplit:
    """Read one part of FER+, finding the landmarks the first time.

    Args:
        name: "train" or "valid".
        shared: the folder that holds `datasets/` and `peers/`.
        cache: where found landmarks are kept.

    Raises:
        FileNotFoundError: the archive or the detector is not there.
        ValueError: mosaics and votes do not fit together.
    """
    pictures, votes = load_pictures(name, shared=shared)
    kept = cache / f"landmarks_{name}.npz"
    if not kept.exists():
        detector = shared / "peers" / "yunet_n_320_320.onnx"
        landmarks, found = _find_landmarks(pictures, detector)
        cache.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part.npz")
        np.savez_compressed(part, landmarks=landmarks, found=found)
        part.replace(kept)
    with np.load(kept) as data:
        landmarks, found = data["landmarks"], data["found"]
    if len(landmarks) != len(votes):
        msg = f"{kept}: {len(landmarks)} landmarks for {len(votes)} pictures; delete the file"
        raise ValueError(msg)
    return FerSplit(pictures=pictures, votes=votes, landmarks=landmarks, found=found)


def load_pictures(
    name: str, *, shared: Path = SHARED
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read one part of FER+ as published, without landmarks: N x 48 x 48 and N x 10 votes.

    Raises:
        FileNotFoundError: the archive is not there.
        ValueError: mosaics and votes do not fit together.
    """
    with zipfile.ZipFile(shared / "datasets" / "ferplus.zip") as archive:
        votes = _read_votes(archive, name)
        return _read_pictures(archive, name, len(votes)), votes


def majority_labels(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Label by the majority rule of Barsoum et al. 2016, as in their published code.

    Of the ten counts, those of a single vote are set to 0 as outliers. The largest
    count must be more than half of what is left ("unknown" and "not a face" count
    in that sum), so a tie never gives a label. A picture whose largest count is
    below that, or is "unknown" or "not a face", has no label and is left out of
    accuracy, in training and validation alike.

    Args:
        votes: N x 10 counts.

    Returns:
        N labels, 0..7 in FER+ order, -1 for no label.
    """
    kept = np.where(votes > 1, votes, 0)
    label = kept.argmax(axis=1)
    agreed = (2 * kept.max(axis=1) > kept.sum(axis=1)) & (label < _EMOTIONS)
    return np.where(agreed, label, -1)


def vote_distributions(votes: NDArray[np.integer]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Turn the votes into training targets.

    Single votes are outliers, as in `majority_labels`. The rest of the eight
    emotions is scaled to sum 1. A picture is usable where the emotions hold more
    than half of what is left, that is where "unknown" and "not a face" do not win.
    Unlike the majority rule this keeps faces on which the voters disagreed.

    Args:
        votes: N x 10 counts.

    Returns:
        N x 8 float32 distributions (zeros where unusable), and N bool usable.
    """
    kept = np.where(votes > 1, votes, 0)
    emotions = kept[:, :_EMOTIONS]
    usable = 2 * emotions.sum(axis=1) > kept.sum(axis=1)
    total = np.maximum(emotions.sum(axis=1, keepdims=True), 1)
    return np.where(usable[:, None], emotions / total, 0).astype(np.float32), usable


def picture_repeats(pictures: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which pictures are pixel-equal to one of the others (FER2013 repeats some)."""
    known = {other.tobytes() for other in others}
    return np.array([picture.tobytes() in known for picture in pictures])


def _read_votes(archive: zipfile.ZipFile, name: str) -> NDArray[np.int64]:
    """Read `NAME_votes.csv`: N x 10."""
    with archive.open(f"{name}_votes.csv") as raw:
        rows = list(csv.reader(io.TextIOWrapper(raw, encoding="utf-8")))
    return np.array(rows[1:], dtype=np.int64)


def _read_pictures(archive: zipfile.ZipFile, name: str, count: int) -> NDArray[np.uint8]:
    """Cut the mosaics of 20 x 20 pictures apart: N x 48 x 48."""
    parts = []
    members = sorted(m for m in archive.namelist() if m.startswith(f"{name}_") and ".webp" in m)
    for member in members:
        data = np.frombuffer(archive.read(member), np.uint8)
        mosaic = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
        tiles = mosaic.reshape(_GRID, _SIDE, _GRID, _SIDE).swapaxes(1, 2)
        parts.append(tiles.reshape(-1, _SIDE, _SIDE))
    pictures = np.concatenate(parts)
    if not count <= len(pictures) < count + _GRID * _GRID:
        msg = f"{name}: {len(pictures)} tiles do not fit {count} rows of votes"
        raise ValueError(msg)
    return pictures[:count]


def _find_landmarks(
    pictures: NDArray[np.uint8], model: Path
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Find five landmarks in every picture, the mean ones where there is no face."""
    if not model.exists():
        raise FileNotFoundError(model)
    detector = cv2.FaceDetectorYN.create(
        str(model), "", (_CANVAS, _CANVAS), _SCORE_MIN, _NMS_IOU, 50
    )
    landmarks = np.full((len(pictures), 5, 2), np.nan, np.float32)
    for index, picture in enumerate(pictures):
        for side in ENLARGED:
            points = _detect(detector, picture, side)
            if points is not None:
                landmarks[index] = points
                break
        if index % 2000 == 0:
            log.info("landmarks: %d of %d pictures", index, len(pictures))
    found = np.isfinite(landmarks).all(axis=(1, 2))
    landmarks[~found] = landmarks[found].mean(axis=0)
    log.info("landmarks: no face in %d of %d pictures", (~found).sum(), len(found))
    return landmarks, found


def _detect(
    detector: cv2.FaceDetectorYN, picture: NDArray[np.uint8], side: int
) -> NDArray[np.float32] | None:
    """Look at one picture enlarged to `side` on a canvas of its mean grey."""
    canvas = on_canvas(picture, side)
    faces = detector.detect(cv2.cvtColor(canvas, cv2.COLOR_GRAY2BGR))[1]
    if faces is None:
        return None
    best = faces[faces[:, 14].argmax()]
    return off_canvas(best[4:14].reshape(5, 2), side)


def on_canvas(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Enlarge a picture to `side` in the middle of its mean grey, 320 x 320, for a detector."""
    edge = (_CANVAS - side) // 2
    large = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    canvas = cv2.copyMakeBorder(
        large, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=[float(picture.mean())]
    )
    return np.asarray(canvas, dtype=np.uint8)


def off_canvas(points: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Bring points of `on_canvas`, N x 2, back to pixels of the picture."""
    edge = (_CANVAS - side) // 2
    # Pixel centres: x of the canvas is (x' + 0.5) * side / 48 - 0.5 + edge.
    moved: NDArray[np.float32] = (points - edge + 0.5) * _SIDE / side - 0.5
    return moved


def main() -> None:
    """Fill the cache."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the material")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    for name in ("valid", "train"):
        split = load_split(name, shared=parser.parse_args().shared)
        labels = majority_labels(split.votes)
        log.info("%s: %d pictures, %d with a majority", name, len(labels), (labels >= 0).sum())


if __name__ == "__main__":
    main()
