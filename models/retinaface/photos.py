"""Photographs that stay where they are: WIDER FACE in the shape of `labels.Cache`.

The big sets do not fit into one array in memory or on a small disk. Here a picture is read
from its file each time it is drawn, and nothing is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from labels import Item, Known
from wider import load

from moodride.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from wider import Picture

__all__ = ["Beside", "Photo", "Photos", "Pictures"]


class Pictures(Protocol):
    """What a sampler draws from; `labels.Cache` is one too.

    Attributes:
        items: one for each picture.
    """

    items: list[Item]

    def image(self, item: Item) -> NDArray[np.uint8]:
        """Return the picture as height x width x 3, BGR."""


class Photo(Item):
    """A picture in a file of its own, of a set that has its own pictures to judge by."""

    @property
    def held_back(self) -> bool:
        """Never: the train part is for learning, the val part is another list."""
        return False


class Photos:
    """The pictures of a part of WIDER FACE on which there is a face to learn.

    Pictures that list no face, or only such as are invalid, are left out: nobody says that
    there is none on them.

    Attributes:
        items: one for each picture; they count as scenes.
    """

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self.items: list[Item] = [_photo(one) for one in pictures if (~one.ignored).any()]
        self._paths: dict[str, Path] = {str(one.path): one.path for one in pictures}

    def image(self, item: Item) -> NDArray[np.uint8]:
        """Return the picture as height x width x 3, BGR.

        Raises:
            SourceError: the file is missing, broken, or of another size than before.
        """
        image = load(self._paths[item.file])
        if image.shape[:2] != (item.height, item.width):
            raise SourceError(
                f"has {image.shape[1]} x {image.shape[0]} pixels, its head said "
                f"{item.width} x {item.height}",
                where=item.file,
                remedy="unpack the published archives anew",
            )
        return image


class Beside:
    """Photographs beside the shared sets.

    Attributes:
        items: of both.
    """

    def __init__(self, shared: Pictures, photos: Photos) -> None:
        self._shared, self._photos = shared, photos
        self.items = [*shared.items, *photos.items]

    def image(self, item: Item) -> NDArray[np.uint8]:
        """Return the picture as height x width x 3, BGR."""
        return (self._photos if isinstance(item, Photo) else self._shared).image(item)


def _photo(picture: Picture) -> Photo:
    faces = [
        Known(box=box.tolist(), points=points.tolist(), counts=not ignored)
        for box, points, ignored in zip(
            picture.boxes, picture.landmarks, picture.ignored, strict=True
        )
    ]
    return Photo("scenes", str(picture.path), 0, picture.height, picture.width, faces)
