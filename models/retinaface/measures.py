"""What is measured of a detector, on which pictures, and what to know about it."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from degraded import WAYS
from split import twin
from tally import SMALLEST, Tally, match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from labels import Item
    from numpy.typing import NDArray
    from peers import Detector

__all__ = ["GROUPS", "NOTES", "SIZES", "Sums", "cpu_ms", "sampled"]

GROUPS: Final[Mapping[str, Callable[[Item], bool]]] = {
    "all": lambda item: True,  # noqa: ARG005
    "scenes+cabin": lambda item: item.source in {"scenes", "cabin"},
    "apart": lambda item: item.source in {"scenes", "cabin"} and not twin(item.source, item.file),
    "scenes": lambda item: item.source == "scenes",
    "cabin": lambda item: item.source == "cabin",
    "lfw": lambda item: item.source == "lfw",
    "small": lambda item: item.source == "small",
    "none": lambda item: item.source == "none",
}
SIZES: Final[Mapping[str, Mapping[str, Any]]] = {
    "12 px": {"smallest": SMALLEST},
    "40 px": {"smallest": 40.0},
    "40 px of the source": {"smallest": 40.0, "in_view": False},
}
"""From which size on a face counts: at 320 x 240, or in the picture as it is."""
LADDER: Final = (0.5, 0.6, 0.7, 0.8, 0.9)
WARM_UP: Final = 5
NOTES: Final = (
    (
        "Sizes are the root of a box's area at 320 x 240 unless said otherwise. From 12 px a "
        "face counts."
    ),
    (
        "Labels: boxes of scenes that people labelled are those of the published RetinaFace and "
        "YuNet where these agree with the people; those of cabins and LFW are YuNet's, in cabins "
        "what the two see where they confirm it. So these two have an advantage in overlap, and "
        "a face that neither they nor people saw is missing. A face that only one network saw is "
        "neither right nor wrong. Landmarks are judged on those of people (MTFL) that lie near "
        "the published RetinaFace's (others are of another crop), at scores from 0.5: the "
        "median, in parts of the distance of the eyes."
    ),
    (
        "Ours learnt from other pictures of the same sets, and from the published RetinaFace as "
        "a teacher; the others learnt on WIDER FACE. So ours is at home here."
    ),
    (
        '"apart" is scenes+cabin without the pictures that look like one of the training: the '
        "sets hold some twice, and frames of one film under several names."
    ),
    (
        "Own scores: ours by its card; RetinaFace 0.6, YuNet 0.9 (0.6 is opencv_zoo's), "
        "Ultra-Light 0.7, as their makers use them."
    ),
    (
        "CPU ms: time of the thread, median over frames of 640 x 480, with all scaling and "
        "decoding, at the own score; all detectors in turns in one process, one thread each."
    ),
)


def sampled(items: Sequence[Item], most: int | None) -> list[Item]:
    """Return at most so many pictures of each source, evenly spread; all for None."""
    if most is None:
        return list(items)
    by: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by[item.source].append(item)
    chosen = []
    for some in by.values():
        places = np.rint(np.linspace(0, len(some) - 1, most)).astype(int)
        chosen += [some[at] for at in np.unique(places)]
    return chosen


class Sums:
    """One detector's tallies.

    Attributes:
        groups: by group.
        sizes: of scenes and cabins, by size.
        altered: of altered cabin pictures, by the way.
    """

    def __init__(self) -> None:
        self.groups: dict[str, Tally] = defaultdict(Tally)
        self.sizes = {size: Tally() for size in SIZES}
        self.altered = {way: Tally() for way in WAYS}

    def add(self, way: str | None, item: Item, rows: NDArray[Any]) -> None:
        """Take in what was found in a picture, or in an altered one."""
        found = match(item, rows)
        if way is not None:
            self.altered[way].add(found)
            return
        for group, holds in GROUPS.items():
            if holds(item):
                self.groups[group].add(found)
        if item.source in {"scenes", "cabin"}:
            for size, rule in SIZES.items():
                self.sizes[size].add(match(item, rows, **rule))

    def figures(self, scores: Sequence[float]) -> dict[str, Any]:
        """Return everything, with recall and false faces at some scores; the first is its own."""
        none = self.groups["none"]
        altered = {way: _at(sums, scores) for way, sums in self.altered.items() if sums.pictures}
        return {
            "groups": {
                group: {
                    "pictures": sums.pictures,
                    "faces": sums.faces,
                    "ap50": round(sums.ap50(), 4),
                    "recall_at_1_false_in_10": round(sums.recall_with(), 4),
                }
                for group, sums in self.groups.items()
                if sums.faces
            },
            "sizes": {
                size: {
                    "faces": sums.faces,
                    "recall_at_1_false_in_10": round(sums.recall_with(), 4),
                    "at": _at(sums, scores),
                }
                for size, sums in self.sizes.items()
            },
            "no_faces": {
                "pictures": none.pictures,
                "at": {f"{score:g}": none.at(score)[1] for score in scores},
                "ladder": {f"{score:g}": none.at(score)[1] for score in LADDER},
            },
            "landmark_error": _rounded(self.groups["all"].landmark_error()),
        } | ({"degraded": altered} if altered else {})


def _at(sums: Tally, scores: Sequence[float]) -> dict[str, dict[str, float]]:
    """Return recall and false faces from each score on."""
    points = {f"{score:g}": sums.at(score) for score in scores}
    return {
        at: {"recall": round(recall, 4), "false": false} for at, (recall, false) in points.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def cpu_ms(detectors: Sequence[Detector], frames: Sequence[NDArray[np.uint8]]) -> dict[str, float]:
    """Return the median CPU milliseconds of the thread for a frame, the detectors in turns."""
    finders = {one.name: one.find(one.own) for one in detectors}
    times: dict[str, list[float]] = {name: [] for name in finders}
    for frame in [*frames[:WARM_UP], *frames]:
        for name, find in finders.items():
            began = time.thread_time()
            find(frame)
            times[name].append((time.thread_time() - began) * 1000)
    return {name: round(float(np.median(some[WARM_UP:])), 2) for name, some in times.items()}
