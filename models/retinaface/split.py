"""Which pictures no training ever sees: the held-back fifth, written down in `held-back.txt`.

The fifth was drawn by the film, person or series, never by the single picture, with a
checksum of its name. What was drawn is now a list in the repository, so that no change of
a rule can ever move a picture into the training; what stands in no list is for training.

Names do not tell everything. Some held-back pictures look like one to learn from: the sets
hold a picture twice, or frames of one film under several names. They are listed as
``twins``: they are not learnt from, and the figures that call themselves "apart" leave
them out. `twins` says how they were found.

``python models/retinaface/split.py`` counts, and ``--find`` looks for twins anew.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LIST", "Split", "chained", "group", "held_back", "parse", "split", "thumbnail", "twin"]

LIST: Final = Path(__file__).resolve().parent / "held-back.txt"
ALIKE: Final = 0.9
"""Correlation of two thumbnails from which they count as one picture, or one film.

Of 518 held-back portraits of other persons (LFW) eight reach it against 1,982, none 0.93.
"""
SIDE: Final = 24
"""Of a thumbnail, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The lists of `held-back.txt`.

    Attributes:
        groups: for each source the held-back films, persons or series.
        twins: for each source the held-back files that look like one to learn from.
    """

    groups: Mapping[str, frozenset[str]]
    twins: Mapping[str, frozenset[str]]


def parse(text: str, *, where: str = LIST.name) -> Split:
    """Read the lists: ``source: name name ...`` or ``source twins: ...`` on a line; # for notes.

    Raises:
        ValueError: a line is neither, or names a thing twice.
    """
    groups: dict[str, frozenset[str]] = {}
    twins: dict[str, frozenset[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        head, colon, rest = line.partition(":")
        source, *kind = head.split()[:3] or [""]
        if not (colon and source and kind in ([], ["twins"])):
            message = f"{where}, line {number}: want 'source: names', got {line[:60]!r}"
            raise ValueError(message)
        names, table = rest.split(), twins if kind else groups
        known = table.get(source, frozenset())
        if len(known | set(names)) < len(known) + len(names):
            message = f"{where}, line {number}: a name stands there twice"
            raise ValueError(message)
        table[source] = known | set(names)
    return Split(groups=groups, twins=twins)


@functools.lru_cache(maxsize=1)
def split() -> Split:
    """Return the lists of the repository."""
    return parse(LIST.read_text(encoding="utf-8"))


def held_back(source: str, file: str) -> bool:
    """Tell whether a picture belongs to the fifth that no training ever sees.

    The "augmented" scenes may be altered copies of others, so they never judge.
    """
    return group(source, file) in split().groups.get(source, frozenset())


def twin(source: str, file: str) -> bool:
    """Tell whether a held-back picture looks like one to learn from."""
    return file in split().twins.get(source, frozenset())


def group(source: str, file: str) -> str:
    """Return the film, person or series that a picture comes from; persons as a digest."""
    stem = file.rsplit(".", 1)[0]
    numbers = re.findall(r"\d+", stem)
    if source == "cabin":
        film = re.sub(r"[-_]?\d+_(jpg|png|jpeg)$", "", stem)
        # Frames named by a number alone come from a few films one after the other.
        return film or f"numbered-{int(numbers[0]) // 100}"
    if source == "lfw":
        # No names of people in the repository.
        person = stem.rsplit("_", 1)[0]
        return hashlib.sha256(person.encode()).hexdigest()[:8]
    if source == "none":
        return f"{stem.split('_', maxsplit=1)[0]}-{int(numbers[0]) // 20}"
    if source == "small" and stem.startswith("net"):
        # net_7876__-20_1489_0 is the picture 1489 at another angle.
        return f"net-{numbers[2] if '__' in stem else numbers[1]}"
    return re.match(r"[a-z]*\d+|.*", stem).group()  # type: ignore[union-attr]


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture (height x width x 3, BGR, or grey) as `SIDE` x `SIDE` of length 1."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), np.float32)


def chained(thumbnails: NDArray[np.float32], held: Sequence[bool]) -> list[int]:
    """Return the held-back pictures from which a chain of like pictures leads to one to learn from.

    Args:
        thumbnails: N x `SIDE` x `SIDE`, each of length 1; a mirrored picture is alike too.
        held: N, whether each is held back.

    Returns:
        Their numbers.
    """
    flat = thumbnails.reshape(len(thumbnails), -1)
    mirrored = thumbnails[:, :, ::-1].reshape(len(thumbnails), -1)
    alike = np.maximum(flat @ flat.T, flat @ mirrored.T) >= ALIKE
    reached = ~np.asarray(held, bool)
    edge = reached.copy()
    while edge.any():
        edge = alike[edge].any(axis=0) & ~reached
        reached |= edge
    return [int(at) for at in np.flatnonzero(reached & np.asarray(held, bool))]


def _find(cache: Any, source: str) -> list[str]:  # noqa: ANN401 - labels.Cache, which needs more
    """Look for twins in one source."""
    items = [item for item in cache.items if item.source == source]
    small = np.stack([thumbnail(cache.image(item)) for item in items])
    found = chained(small, [item.held_back for item in items])
    return sorted(items[at].file for at in found)


def main() -> None:
    """Count, or look for twins."""
    parser = argparse.ArgumentParser(description="Show the held-back fifth, or look for twins.")
    parser.add_argument("--find", action="store_true", help="look for twins in the cache")
    options = parser.parse_args()
    from labels import Cache  # noqa: PLC0415 - labels asks this module

    cache = Cache()
    sums = Counter((item.source, item.held_back) for item in cache.items)
    for source in dict.fromkeys(item.source for item in cache.items):
        held, rest = sums[source, True], sums[source, False]
        print(f"{source}: {held} pictures held back, {rest} to learn from")
    if options.find:
        for source in ("scenes", "cabin"):
            found = _find(cache, source)
            print(f"{source} twins: {' '.join(found)}")


if __name__ == "__main__":
    main()
