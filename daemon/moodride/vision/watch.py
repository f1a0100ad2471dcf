"""``moodride watch``: puts the vision process together and runs it.

Importing this costs nothing: OpenCV, numpy and onnxruntime are loaded by `run_watch`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from moodride.errors import ModelError, StorageError
from moodride.wire import ReadingSender, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moodride.types import Reading
    from moodride.vision.analysis import Analyser
    from moodride.vision.card import Card

__all__ = [
    "TRACK_CARD",
    "Flag",
    "JsonLines",
    "WatchSettings",
    "build_analyser",
    "run_watch",
    "track_card_of",
]

log = logging.getLogger(__name__)

TRACK_CARD: Final = "card-track.toml"
"""Beside a face detector's card: the smaller one that follows a face once it is found."""

_TRACK_CARDS: Final = "card-track*.toml"
"""Where there are several, of weights in floats and in integers, say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """What the vision process needs to know.

    Attributes:
        source: a camera's number or path, a video file, an image, a folder of images.
        face_card: the face detector's card.
        emotion_card: the emotion network's card.
        track_card: the card of a smaller detector that follows a face once it is found,
            or None: the one beside the face detector's card (`track_card_of`), and where
            there is none, the face detector does it all.
        rate_hz: analyses a second (of media time for a file), above 0.
        width: asked of a camera, pixels.
        height: asked of a camera, pixels.
        fast: a file is analysed as fast as it goes instead of in real time.
        loop: a file begins again at its end.
        wait: a camera that is not there is waited for instead of being an error.
        jsonl: a line of JSON on standard output for each reading.
        socket_path: where readings are sent, or None.
        seat: side of the picture on which the driver sits.
    """

    source: str
    face_card: Path
    emotion_card: Path
    track_card: Path | None = None
    rate_hz: float = 5.0
    width: int = 640
    height: int = 480
    fast: bool = False
    loop: bool = False
    wait: bool = True
    jsonl: bool = False
    socket_path: Path | None = None
    seat: Literal["auto", "left", "right"] = "auto"


class Flag:
    """Something that can be raised once, from a signal handler too."""

    def __init__(self) -> None:
        self._up = False

    def raise_(self) -> None:
        """Raise it."""
        self._up = True

    def __call__(self) -> bool:
        """Whether it is up."""
        return self._up


class JsonLines:
    """Writes one line for each reading, at once; a reader that left ends it quietly.

    Args:
        stream: where to.
        gone: raised when nobody reads any more.
    """

    def __init__(self, stream: TextIO, gone: Flag) -> None:
        self._stream, self._gone = stream, gone

    def __call__(self, reading: Reading) -> None:
        """Write and flush one reading.

        Raises:
            StorageError: it cannot be written, for another reason than a reader who left.
        """
        if self._gone():
            return
        try:
            self._stream.write(to_json(reading) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._gone.raise_()
            _point_to_nothing(self._stream)
        except OSError as error:
            _point_to_nothing(self._stream)
            raise StorageError(
                f"cannot be written, {error.strerror or error}",
                where="standard output",
                remedy="make room, or write elsewhere",
            ) from error


def run_watch(
    settings: WatchSettings, *, build: Callable[[WatchSettings], Analyser] | None = None
) -> int:
    """Run the vision process until its source ends or SIGTERM or SIGINT come.

    Args:
        settings: what to watch and whom to tell.
        build: loads the models; by default `build_analyser`.

    Returns:
        The exit status: 0.

    Raises:
        SourceError: the source gives no pictures.
        ModelError: a model or its card cannot be used.
        StorageError: standard output cannot be written.
    """
    from moodride.notify import Notifier  # noqa: PLC0415
    from moodride.vision.camera import SourceOptions, open_source  # noqa: PLC0415 - loads numpy
    from moodride.vision.service import Watcher  # noqa: PLC0415
    from moodride.vision.source import load_opencv  # noqa: PLC0415

    stop = Flag()
    with _signals(stop):
        load_opencv()  # before any other module does, with the settings it reads only then
        options = SourceOptions(
            rate_hz=settings.rate_hz,
            width=settings.width,
            height=settings.height,
            fast=settings.fast,
            loop=settings.loop,
            wait=settings.wait,
        )
        source = open_source(settings.source, options)
        sender = None if settings.socket_path is None else ReadingSender(settings.socket_path)
        try:
            Watcher(
                source=source,
                analyser=(build or build_analyser)(settings),
                listeners=_listeners(settings, sender, stop),
                notifier=Notifier(),
                stopped=stop,
            ).run()
        finally:
            source.close()
            if sender is not None:
                sender.close()
    return 0


def build_analyser(settings: WatchSettings) -> Analyser:
    """Load the models.

    Raises:
        ModelError: a model or its card cannot be used.
    """
    from moodride.vision.analysis import Analyser, TwoDetectors  # noqa: PLC0415 - loads OpenCV
    from moodride.vision.card import load_card  # noqa: PLC0415
    from moodride.vision.driver import DriverTracker  # noqa: PLC0415
    from moodride.vision.emotions import EmotionReader  # noqa: PLC0415
    from moodride.vision.retinaface import FaceDetector  # noqa: PLC0415

    card = load_card(settings.face_card)
    whole = FaceDetector(card)
    track_card = settings.track_card or track_card_of(card)
    near = FaceDetector(load_card(track_card)) if track_card else whole
    return Analyser(
        detector=TwoDetectors(whole=whole, near=near),
        emotion=EmotionReader.load(settings.emotion_card),
        tracker=DriverTracker(seat=settings.seat),
    )


def track_card_of(card: Card) -> Path | None:
    """Return the card of the detector that follows what a face detector found, or None.

    It lies beside the face detector's card and is that of the same weights, so that who
    chooses eight-bit integers has them for both; where none is, it is `TRACK_CARD`. Any
    other that cannot be read is passed over: it may belong to a detector that nobody asked for.

    Raises:
        ModelError: `TRACK_CARD` is there and cannot be read.
    """
    beside = sorted(card.source.parent.glob(_TRACK_CARDS), key=lambda path: len(path.name))
    same = (path for path in beside if _weights_of(path) == card.model_path)
    plain = card.source.with_name(TRACK_CARD)
    return next(same, plain if plain in beside else None)


def _weights_of(path: Path) -> Path | None:
    """The weights that a card to follow with names, or None: it cannot be read.

    Raises:
        ModelError: it is `TRACK_CARD`.
    """
    from moodride.vision.card import load_card  # noqa: PLC0415 - loads pydantic

    try:
        return load_card(path).model_path
    except ModelError as error:
        if path.name == TRACK_CARD:
            raise
        log.warning("passed over: %s", error)
        return None


def _listeners(
    settings: WatchSettings, sender: ReadingSender | None, gone: Flag
) -> list[Callable[[Reading], Any]]:
    """Who gets the readings."""
    listeners: list[Callable[[Reading], Any]] = [] if sender is None else [sender.send]
    if settings.jsonl:
        listeners.append(JsonLines(sys.stdout, gone))
    return listeners


@contextmanager
def _signals(stop: Flag) -> Iterator[None]:
    """SIGTERM and SIGINT raise the flag; a second one ends the process at once."""

    def handle(number: int, _frame: object) -> None:
        stop.raise_()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _point_to_nothing(stream: TextIO) -> None:
    """Keep the interpreter from writing the rest, and complaining, at its exit."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
