"""Fit the rule that notices things before a face: ``python models/quality/fit.py``.

Negatives are FER+ training faces as they are, half-lit, blurred, noisy and dark; positives
the same faces behind painted hands, glasses, masks, phones and caps (`occluders`), half of
them degraded in the same ways. A logistic regression over all 128 numbers of
`moodride.vision.occlusion.structure` is thinned out: the term of the smallest standardised
weight goes, the rest is fitted again, until few are left. What is printed as a Python block
goes into `moodride/vision/occlusion.py`.

Then the rule is judged on FER+ validation faces, which took no part: how often a plain face
(of each expression, and degraded) is rated below a half, how often an occluded one, and how
often the emotion network is right about faces rated high and low. The last is the point:
the rating is to tell when that network guesses. With the shared scenes, faces behind real
masks are rated too. Needs the shared material; some minutes of one core.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "emotion"))

from dataset import SHARED, load_split, majority_labels
from numpy.typing import NDArray
from occluders import KINDS, occluded

from moodride.types import EMOTIONS
from moodride.vision.align import align, align_matrix, span_of
from moodride.vision.emotions import EmotionReader
from moodride.vision.occlusion import CELLS, LEAST, SIDE, structure

__all__ = ["DEGRADED", "Rule", "area_under_curve", "degraded", "fit", "logistic"]

HERE: Final = Path(__file__).resolve().parent
PLAIN: Final = "plain"
DEGRADED: Final = ("half-lit", "blurred", "noisy", "dark")
_NATURAL_PX: Final = 14.0
"""Faces of a smaller span are not judged: they have no detail to lose."""

Faces = dict[str, NDArray[np.uint8]]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """A logistic rule.

    Attributes:
        places: of its terms among the numbers of `structure`.
        weights: of the terms, last the constant.
    """

    places: NDArray[np.int64]
    weights: Numbers

    def __call__(self, numbers: NDArray[Any]) -> Numbers:
        """Weigh N x 128 numbers: N sums."""
        return np.asarray(numbers[:, self.places] @ self.weights[:-1] + self.weights[-1])


def degraded(face: NDArray[np.uint8], way: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Half-light, blur, roughen or darken a face of S x S uint8."""
    out: NDArray[Any] = face.astype(np.float32)
    if way == "half-lit":
        grid = np.linspace(-1, 1, face.shape[0], dtype=np.float32)
        angle, edge, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5), rng.uniform(2, 8)
        along = np.cos(angle) * grid[None, :] + np.sin(angle) * grid[:, None]
        out = out * (1 - rng.uniform(0.2, 0.85) / (1 + np.exp(-soft * (along - edge))))
    elif way == "blurred":
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.6, 1.5))), np.float32)
    elif way == "noisy":
        out = out + rng.normal(0, rng.uniform(3, 10), out.shape)
    elif way == "dark":
        out = out * rng.uniform(0.15, 0.6) + rng.normal(0, 2, out.shape)
    return np.asarray(out.clip(0, 255), np.uint8)


def logistic(numbers: Numbers, truth: Numbers, share: Numbers, *, ridge: float = 2.0) -> Numbers:
    """Fit a logistic regression by Newton's method.

    Args:
        numbers: N x T, standardised.
        truth: N, 0 or 1.
        share: N, how much each row counts.
        ridge: punishes large weights, not the constant.

    Returns:
        T + 1 weights, last the constant.
    """
    rows = np.c_[numbers, np.ones(len(numbers))]
    keep_small = ridge * np.r_[np.ones(numbers.shape[1]), 0]
    weights = np.zeros(rows.shape[1])
    for _ in range(9):
        chance = 1 / (1 + np.exp(-(rows @ weights).clip(-30, 30)))
        slope = rows.T @ (share * (chance - truth)) + keep_small * weights
        bend = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + np.diag(keep_small)
        weights -= np.linalg.solve(bend, slope)
    return weights


def fit(numbers: Numbers, truth: Numbers, share: Numbers, *, terms: int) -> Rule:
    """Fit a rule of all numbers and leave out the weakest quarter again and again.

    Args:
        numbers: N x 128.
        truth: N, 1 where something is before the face.
        share: N, how much each face counts.
        terms: how many may stay.
    """
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0) + 1e-9
    even = (numbers - mean) / spread
    places = np.arange(numbers.shape[1])
    weights = logistic(even, truth, share)
    while len(places) > terms:
        stay = max(terms, len(places) * 3 // 4)
        places = np.sort(places[np.argsort(-np.abs(weights[:-1]))[:stay]])
        weights = logistic(even[:, places], truth, share)
    scaled = weights[:-1] / spread[places]
    return Rule(places, np.r_[scaled, weights[-1] - scaled @ mean[places]])


def area_under_curve(plain: Numbers, covered: Numbers) -> float:
    """Return how often a covered face is rated above a plain one (ROC), 0..1."""
    ranks = np.concatenate([plain, covered]).argsort().argsort() + 1
    least = len(covered) * (len(covered) + 1) / 2
    return float((ranks[len(plain) :].sum() - least) / (len(plain) * len(covered)))


def _faces(name: str, count: int, rng: np.random.Generator) -> tuple[Faces, NDArray[np.int64]]:
    """Return FER+ faces of one split, plain, degraded and covered, and their labels."""
    split = load_split(name)
    labels = majority_labels(split.votes)
    usable = np.flatnonzero(split.found & (labels >= 0))
    chosen = np.sort(rng.permutation(usable)[:count])
    out: dict[str, list[NDArray[np.uint8]]] = {kind: [] for kind in (PLAIN, *DEGRADED, *KINDS)}
    for index in chosen:
        marks = split.landmarks[index]
        face = align(split.pictures[index], marks, size=SIDE)
        points = np.c_[marks, np.ones(5)] @ align_matrix(marks, size=SIDE).T
        out[PLAIN].append(face)
        for way in DEGRADED:
            out[way].append(degraded(face, way, rng))
        for kind in KINDS:
            out[kind].append(occluded(kind, face, points, rng=rng))
    return {kind: np.stack(faces) for kind, faces in out.items()}, labels[chosen]


def _measured(faces: NDArray[np.uint8]) -> Numbers:
    return np.stack([structure(face) for face in faces]).astype(np.float64)


def _train(faces: Faces, labels: NDArray[Any], *, terms: int, rng: np.random.Generator) -> Rule:
    """Fit a rule; plain faces count twice as much as each way of degrading them.

    A face that is not covered counts the more the rarer its expression, up to three times:
    closed eyes and hanging mouths are less common than laughing ones, and no hands.
    """
    common = np.bincount(labels, minlength=len(EMOTIONS)) / len(labels)
    rarity = np.minimum(1 / (len(EMOTIONS) * common[labels]), 3.0)
    blocks, truth, share = [], [], []
    for kind, pictures in faces.items():
        covered = kind in KINDS
        rough = [
            degraded(face, str(rng.choice(DEGRADED)), rng)
            if covered and rng.random() < 0.5
            else face
            for face in pictures
        ]
        blocks.append(_measured(np.stack(rough)))
        weight = np.full(len(pictures), 1 / len(KINDS))
        if not covered:
            weight = rarity / rarity.mean() * (2.0 if kind == PLAIN else 1.0) / 6
        truth.append(np.full(len(pictures), float(covered)))
        share.append(weight)
    return fit(np.concatenate(blocks), np.concatenate(truth), np.concatenate(share), terms=terms)


def _print_rule(rule: Rule, ramp: tuple[float, float]) -> None:
    """Print what goes into the source."""
    print("TERMS: Final[tuple[Term, ...]] = (")
    half = CELLS // 2
    for place, weight in zip(rule.places, rule.weights, strict=False):
        kind, rest = divmod(int(place), 2 * CELLS * half)
        way, rest = divmod(rest, CELLS * half)
        row, column = divmod(rest, half)
        names = ("mean", "less")[kind], ("upright", "level")[way]
        print(f'    ("{names[0]}", "{names[1]}", {row}, {column}, {weight:.2f}),')
    print(f")\nBIAS: Final = {rule.weights[-1]:.2f}")
    print(f"CLEAR: Final = ({ramp[0]:.2f}, {ramp[1]:.2f})")


def _ramp(plain: Numbers) -> tuple[float, float]:
    """Choose where a rating falls: 1 for nine of ten plain faces, below a half for 20 in 1000."""
    one, half = np.quantile(plain, [0.90, 0.98])
    share = (0.5 - LEAST) / (1 - LEAST)
    return float((half - share * one) / (1 - share)), float(one)


def _rated(sums: Numbers, ramp: tuple[float, float]) -> Numbers:
    """Rate faces as `clear_score` does."""
    return LEAST + (1 - LEAST) * np.clip((sums - ramp[0]) / (ramp[1] - ramp[0]), 0, 1)


def _natural() -> dict[str, NDArray[np.uint8]]:
    """Align faces of the shared photographs: some behind real or pasted-on masks."""
    detector = cv2.FaceDetectorYN.create(
        str(SHARED / "peers" / "yunet_n_320_320.onnx"), "", (320, 320), 0.6, 0.3, 50
    )
    found: dict[str, list[NDArray[np.uint8]]] = {}
    for name in ("faces-scenes", "faces-lfw", "faces-cabin"):
        with zipfile.ZipFile(SHARED / "datasets" / f"{name}.zip") as archive:
            members = sorted(n for n in archive.namelist() if n.endswith((".jpg", ".png")))
            for member in members[:: max(len(members) // 120, 1)]:
                data = np.frombuffer(archive.read(member), np.uint8)
                image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
                masked = "_Mask" in member and "Mask_Chin" not in member
                kind = f"{name}, masks" if masked else name
                found.setdefault(kind, []).extend(_aligned(detector, image))
    return {kind: np.stack(faces) for kind, faces in found.items() if faces}


def _aligned(detector: cv2.FaceDetectorYN, image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the faces of a picture that are large enough, aligned."""
    scale = 320 / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    detector.setInputSize(small.shape[1::-1])
    rows = detector.detect(small)[1]
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    points = [] if rows is None else [row[4:14].reshape(5, 2) / scale for row in rows]
    return [align(grey, p, size=SIDE) for p in points if span_of(p) >= _NATURAL_PX]


def _judge(rule: Rule, ramp: tuple[float, float], faces: Faces, labels: NDArray[Any]) -> None:
    """Print how faces are rated, and how right the emotion network is about them."""
    reader = EmotionReader.load(HERE.parent / "emotion" / "card.toml")
    sums = {kind: rule(_measured(pictures)) for kind, pictures in faces.items()}
    low_of = {kind: _rated(value, ramp) < 0.5 for kind, value in sums.items()}
    heads = ("AUC", "below 0.5", "right: all", "rated high", "rated low")
    print(f"\n{'':<14}{''.join(f'{head:>11}' for head in heads)}")
    chances = {
        kind: np.array([reader.read_aligned(face)[0] for face in pictures])
        for kind, pictures in faces.items()
    }
    right_of = {kind: chance.argmax(axis=1) == labels for kind, chance in chances.items()}
    for kind, right in right_of.items():
        low = low_of[kind]
        area = area_under_curve(sums[PLAIN], sums[kind])
        print(f"{kind:<14}" + _columns(area, low.mean(), *_split(right, low)))
    _judge_mix(
        right_of,
        low_of,
        {kind: chance.max(axis=1) for kind, chance in chances.items()},
        {kind: _rated(value, ramp) for kind, value in sums.items()},
    )
    shares = {str(e): low_of[PLAIN][labels == n] for n, e in enumerate(EMOTIONS)}
    print(
        "plain faces below 0.5:",
        {k: round(float(v.mean()), 3) for k, v in shares.items() if v.size},
    )


def _judge_mix(
    right_of: dict[str, NDArray[np.bool_]],
    low_of: dict[str, NDArray[np.bool_]],
    sure_of: dict[str, Numbers],
    rated_of: dict[str, Numbers],
) -> None:
    """Print the same for a drive in which each face is covered half of the time.

    A reading counts by its certainty; the rating helps where right answers then stand
    above wrong ones more often, and where the share of the weight that is right grows.
    """
    kinds = [PLAIN] * len(KINDS) + list(KINDS)
    right, low, sure, rated = (
        np.concatenate([part[kind] for kind in kinds])
        for part in (right_of, low_of, sure_of, rated_of)
    )
    print(f"{'mix':<14}" + _columns(np.nan, low.mean(), *_split(right, low)))
    for name, weight in (("certainty", sure), ("certainty x rating", sure * rated)):
        area = area_under_curve(weight[~right], weight[right])
        share = float((weight * right).sum() / weight.sum())
        print(f"{name:<18} right above wrong {area:.3f}, right share of the weight {share:.3f}")


def _split(right: NDArray[np.bool_], low: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return how often the network is right: of all, of those rated high, of those rated low."""
    parts = (right, right[~low], right[low])
    return tuple(float(part.mean()) if part.size else math.nan for part in parts)  # type: ignore[return-value]


def _columns(*values: float) -> str:
    return "".join(f"{value:11.3f}" for value in values)


def main() -> None:
    """Fit, print the rule, judge it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=1800, help="of each split")
    parser.add_argument("--terms", type=int, default=20, help="that the rule may have")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(options.seed)
    began = time.process_time()
    training, labels = _faces("train", options.faces, rng)
    rule = _train(training, labels, terms=options.terms, rng=rng)
    ramp = _ramp(rule(_measured(training[PLAIN])))
    _print_rule(rule, ramp)
    _judge(rule, ramp, *_faces("valid", options.faces, rng))
    for kind, pictures in _natural().items():
        low = (_rated(rule(_measured(pictures)), ramp) < 0.5).mean()
        print(f"{kind:<22} {len(pictures):4} faces, below 0.5: {low:.3f}")
    print(f"{time.process_time() - began:.0f} s of CPU time")


if __name__ == "__main__":
    main()
