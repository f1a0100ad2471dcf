"""`Reading` to and from one line of JSON, and the datagram socket that carries it.

The socket is AF_UNIX, SOCK_DGRAM: a datagram is whole or absent, a killed sender
leaves nothing half written, and a full queue drops what is new at the sender's side
instead of blocking it. A mood is state, so the receiver keeps only the newest.
"""

from __future__ import annotations

import json
import logging
import math
import socket
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, NoReturn

from moodride.errors import WireError
from moodride.sockets import bound, identity, remove
from moodride.types import EMOTIONS, CostMs, Distribution, Face, Reading

__all__ = [
    "MAX_BYTES",
    "VERSION",
    "ReadingReceiver",
    "ReadingSender",
    "decode",
    "encode",
    "to_json",
]

log = logging.getLogger(__name__)

VERSION: Final = 1
MAX_BYTES: Final = 1024
"""A datagram longer than this is refused unread."""

_BATCH: Final = 64
"""So many datagrams are looked at in one go: a flood must not hold the reader up."""

_BURST_S: Final = 60.0
"""Garbage is said again only after this long without any."""

_LANDMARKS: Final = 5
_MAX_PIXEL: Final = 1e5
_SUM_TOLERANCE: Final = 0.02
_FACE_KEYS: Final = frozenset(
    {"box_xyxy", "score", "landmarks_xy", "quality", "faces_seen", "mouth_moves"}
)
_KEYS: Final = frozenset({"v", "seq", "t_s", "face", "emotion", "valence", "arousal", "cost_ms"})


def to_json(reading: Reading) -> str:
    """One line of JSON without a line break: the contract of ``watch --jsonl``."""
    face = reading.face
    document = {
        "v": VERSION,
        "seq": reading.seq,
        "t_s": round(reading.t_s, 3),
        "face": None
        if face is None
        else {
            "box_xyxy": [round(v, 1) for v in face.box_xyxy],
            "score": round(face.score, 3),
            "landmarks_xy": [[round(x, 1), round(y, 1)] for x, y in face.landmarks_xy],
            "quality": round(face.quality, 3),
            "faces_seen": face.faces_seen,
            "mouth_moves": _rounded(face.mouth_moves),
        },
        "emotion": None
        if reading.emotion is None
        else {name.value: round(p, 4) for name, p in zip(EMOTIONS, reading.emotion, strict=True)},
        "valence": _rounded(reading.valence),
        "arousal": _rounded(reading.arousal),
        "cost_ms": {
            "capture": round(reading.cost_ms.capture, 2),
            "detect": round(reading.cost_ms.detect, 2),
            "emotion": round(reading.cost_ms.emotion, 2),
        },
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def encode(reading: Reading) -> bytes:
    """The datagram of a reading, at most `MAX_BYTES` long.

    Raises:
        WireError: a number is not finite, or the reading does not fit.
    """
    try:
        data = to_json(reading).encode("ascii")
    except ValueError as error:
        raise WireError(f"reading cannot be sent, {error}") from error
    if len(data) > MAX_BYTES:
        raise WireError(f"reading of {len(data)} bytes is longer than {MAX_BYTES}")
    return data


def decode(data: bytes | str) -> Reading:
    """A datagram, or a line of ``watch --jsonl``, back to a reading.

    Raises:
        WireError: anything that is not a reading of this version: wrong type, size,
            key, range, a number that is not finite, probabilities that do not sum to 1.
    """
    if len(data) > MAX_BYTES:
        raise WireError(f"{len(data)} bytes are longer than {MAX_BYTES}")
    try:
        document = json.loads(data, parse_constant=_refuse_constant)
        return _reading(document)
    except WireError:
        raise
    except (ValueError, RecursionError, OverflowError) as error:
        raise WireError(f"not a reading, {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise WireError(f"{name} is not a number")


def _reading(document: object) -> Reading:
    if not isinstance(document, dict):
        raise WireError("not a JSON object")
    if document.get("v") != VERSION:
        raise WireError(f"version {str(document.get('v'))[:20]!r} is not {VERSION}")
    if set(document) != _KEYS:
        raise WireError(f"keys differ: {sorted(set(document) ^ _KEYS)!s:.80}")
    seq = document["seq"]
    if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < 2**63:
        raise WireError("seq is not a count")
    return Reading(
        seq=seq,
        t_s=_number(document["t_s"], "t_s", low=0.0, high=1e9),
        face=_face(document["face"]),
        emotion=_distribution(document["emotion"]),
        valence=_optional(document["valence"], "valence"),
        arousal=_optional(document["arousal"], "arousal"),
        cost_ms=_cost(document["cost_ms"]),
    )


def _number(value: object, name: str, *, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError(f"{name} is not a number")
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise WireError(f"{name} is outside {low:g} to {high:g}")
    return number


def _optional(value: object, name: str) -> float | None:
    return None if value is None else _number(value, name, low=-1.0, high=1.0)


def _share(value: object, name: str) -> float | None:
    return None if value is None else _number(value, name, low=0.0, high=1.0)


def _numbers(value: object, name: str, count: int) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != count:
        raise WireError(f"{name} is not a list of {count}")
    return tuple(_number(v, name, low=-_MAX_PIXEL, high=_MAX_PIXEL) for v in value)


def _object(value: object, name: str, keys: Collection[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != keys:
        raise WireError(f"{name} does not hold {', '.join(sorted(keys))}")
    return value


def _face(value: object) -> Face | None:
    if value is None:
        return None
    if isinstance(value, dict):
        value = {"mouth_moves": None, **value}  # readings recorded before there was such a key
    face = _object(value, "face", _FACE_KEYS)
    left, top, right, bottom = _numbers(face["box_xyxy"], "box_xyxy", 4)
    points = face["landmarks_xy"]
    if not isinstance(points, list) or len(points) != _LANDMARKS:
        raise WireError(f"landmarks_xy is not a list of {_LANDMARKS}")
    if right < left or bottom < top:
        raise WireError("box_xyxy is inside out")
    seen = face["faces_seen"]
    if isinstance(seen, bool) or not isinstance(seen, int) or not 1 <= seen <= 1000:  # noqa: PLR2004
        raise WireError("faces_seen is not a count")
    pairs = [_numbers(point, "landmarks_xy", 2) for point in points]
    return Face(
        box_xyxy=(left, top, right, bottom),
        score=_number(face["score"], "score", low=0.0, high=1.0),
        landmarks_xy=tuple((x, y) for x, y in pairs),
        quality=_number(face["quality"], "quality", low=0.0, high=1.0),
        faces_seen=seen,
        mouth_moves=_share(face["mouth_moves"], "mouth_moves"),
    )


def _distribution(value: object) -> Distribution | None:
    if value is None:
        return None
    emotion = _object(value, "emotion", {name.value for name in EMOTIONS})
    found = tuple(_number(emotion[e.value], e.value, low=0.0, high=1.0) for e in EMOTIONS)
    if abs(sum(found) - 1.0) > _SUM_TOLERANCE:
        raise WireError("probabilities do not sum to 1")
    return found


def _cost(value: object) -> CostMs:
    cost = _object(value, "cost_ms", {"capture", "detect", "emotion"})
    part = {name: _number(cost[name], name, low=0.0, high=1e6) for name in cost}
    return CostMs(capture=part["capture"], detect=part["detect"], emotion=part["emotion"])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


class ReadingSender:
    """Sends readings to whoever listens; never blocks and never raises.

    Args:
        path: the listener's socket. It need not exist: each send looks anew, so the
            two processes start and restart in any order.
    """

    def __init__(self, path: Path) -> None:
        """Open the socket; nothing is sent yet."""
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._heard: bool | None = None
        self.dropped = 0

    def send(self, reading: Reading) -> bool:
        """Send one reading; False if nobody took it (counted in ``dropped``)."""
        try:
            self._socket.sendto(encode(reading), self._path)
        except (OSError, WireError) as error:
            self.dropped += 1
            self._note(heard=False, why=str(error))
            return False
        self._note(heard=True, why="")
        return True

    def _note(self, *, heard: bool, why: str) -> None:
        """Log the change between heard and unheard, not every datagram."""
        if heard == self._heard:
            return
        self._heard = heard
        if heard:
            log.info("the music process listens on %s", self._path)
        else:
            log.info("nobody takes readings on %s (%s); going on", self._path, why)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class ReadingReceiver:
    """Listens for readings; the newest wins, what is not a reading is counted.

    Args:
        path: where to listen; a socket that a dead process left is replaced.

    Raises:
        ServiceError: another process listens there, or the place cannot be used.
    """

    def __init__(self, path: Path) -> None:
        """Bind the socket."""
        self._path = path
        self.refused = 0
        self.received = 0
        self._quiet_until_s = 0.0
        self._socket = bound(path, socket.SOCK_DGRAM)
        self._owned = identity(path)

    def receive(self, timeout_s: float) -> Reading | None:
        """Wait for readings and return the newest of those waiting, or None.

        Args:
            timeout_s: how long to wait for the first one.
        """
        until_s, newest = time.monotonic() + timeout_s, None
        for _ in range(_BATCH):
            wait_s = 0.0 if newest else max(0.0, until_s - time.monotonic())
            data = self._datagram(wait_s)
            if data is None:
                break
            newest = self._decoded(data) or newest
        return newest

    def _datagram(self, wait_s: float) -> bytes | None:
        self._socket.settimeout(wait_s)
        try:
            return self._socket.recv(MAX_BYTES + 1)
        except (TimeoutError, BlockingIOError):
            return None

    def _decoded(self, data: bytes) -> Reading | None:
        """The reading of a datagram; None, counted and said once a burst, for garbage."""
        try:
            reading = decode(data)
        except WireError as error:
            now, quiet_until_s = time.monotonic(), self._quiet_until_s
            self.refused += 1
            self._quiet_until_s = now + _BURST_S
            if now >= quiet_until_s:
                log.warning("refused a datagram on %s: %s", self._path, error)
            return None
        self.received += 1
        return reading

    def close(self) -> None:
        """Close the socket and take its file away."""
        self._socket.close()
        remove(self._path, self._owned)
