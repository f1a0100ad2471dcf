"""A synthetic driver: readings of a face that shows one emotion."""

from __future__ import annotations

from moodride.types import EMOTIONS, Emotion, Face, Reading

__all__ = ["FakeDriver", "distribution"]


def distribution(emotion: Emotion, p: float = 0.8) -> tuple[float, ...]:
    """Probability ``p`` for the emotion, the rest spread evenly over the others."""
    rest = (1.0 - p) / (len(EMOTIONS) - 1)
    return tuple(p if name is emotion else rest for name in EMOTIONS)


class FakeDriver:
    """Turns verbs into readings, counted from 0."""

    def __init__(self) -> None:
        """A driver nobody has looked at yet."""
        self._seq = 0

    def shows(
        self, emotion: Emotion, p: float = 0.8, *, quality: float = 0.9, arousal: float = 0.0
    ) -> Reading:
        """A reading of a face with this expression."""
        face = Face(
            box_xyxy=(200.0, 100.0, 320.0, 260.0),
            score=0.99,
            landmarks_xy=((235, 165), (285, 165), (260, 195), (240, 220), (280, 220)),
            quality=quality,
            faces_seen=1,
        )
        return self._next(face=face, emotion=distribution(emotion, p), arousal=arousal)

    def leaves(self) -> Reading:
        """A reading of an empty seat."""
        return self._next()

    def _next(
        self,
        *,
        face: Face | None = None,
        emotion: tuple[float, ...] | None = None,
        arousal: float | None = None,
    ) -> Reading:
        self._seq += 1
        return Reading(
            seq=self._seq - 1,
            t_s=(self._seq - 1) * 0.2,
            face=face,
            emotion=emotion,
            valence=None if face is None else 0.0,
            arousal=arousal,
        )
