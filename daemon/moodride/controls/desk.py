"""Who grants what is asked at the control socket: the steering behind its protocol.

Nothing here waits. The status is what the music process published last, and what steers the
music goes on its queue, at most so often: the queue is never to grow without bound.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from moodride.controls.limits import Bucket
from moodride.controls.press import MEANINGS, Gesture
from moodride.controls.protocol import (
    AskMood,
    AskPress,
    AskQuit,
    AskReload,
    AskStatus,
    AskVolume,
    Code,
    Refusal,
    answer_line,
    read_request,
    refusal_line,
)
from moodride.types import MoodChosen, Press, PressKind, VolumeChosen

__all__ = [
    "ALL_BURST",
    "ALL_RATE_HZ",
    "BURST",
    "MAX_WAITING",
    "RATE_HZ",
    "Desk",
    "Peer",
    "Steering",
]

_LOG = logging.getLogger(__name__)

SOURCE: Final = "control socket"

RATE_HZ: Final = 10.0
"""So often a second one process may steer, in the long run: no hand is as fast for long,"""
BURST: Final = 20.0
"""and so many times at once."""
ALL_RATE_HZ: Final = 30.0
"""The same for all of them together; the button itself does not come this way."""
ALL_BURST: Final = 60.0
MAX_WAITING: Final = 64
"""While so much waits to be done, nothing is added from here: the machine is slower than that."""

_PEERS: Final = 256
"""So many processes are remembered by how often they steered."""
_AIM_S: Final = 2.0
"""So long a volume that was asked for counts, rather than the published one: the status may not
show it yet, and two steps in a row are two steps."""
_VOLUME_KEYS: Final = frozenset({PressKind.VOLUME_UP, PressKind.VOLUME_DOWN})

Steering = Press | MoodChosen | VolumeChosen


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks, by what the kernel says of the other end (SO_PEERCRED in unix(7))."""

    pid: int = 0
    uid: int = -1


@dataclass(frozen=True, slots=True)
class _Aim:
    """A volume that was asked for here.

    Attributes:
        pct: per cent.
        asked_s: when, monotonic seconds.
        path: what may be published on the way there: any other volume is somebody else's.
    """

    pct: float
    asked_s: float
    path: frozenset[float | None]


class Desk:
    """Answers requests; used by one thread, but for `reload`.

    Args:
        status: returns the last published status, to be sent as JSON; must not block.
        put: takes what steers the music; it must only enqueue.
        waiting: returns how much of what was put, by anybody, still waits to be done.
        meanings: what each gesture asks for; one left out does nothing.
        reload: reads the configuration again and says what came of it, as lists of lines
            ("changed", "restart", "wrong"). It may take its time: see `reload`.
        quit: asks the process to end; called when the answer is on its way.
        clock: monotonic seconds.
    """

    def __init__(  # noqa: PLR0913 - what can be asked, and named
        self,
        *,
        status: Callable[[], Mapping[str, object]],
        put: Callable[[Steering], None],
        waiting: Callable[[], int] = int,
        meanings: Mapping[Gesture, PressKind] = MEANINGS,
        reload: Callable[[], Mapping[str, object]] | None = None,
        quit: Callable[[], None] | None = None,  # noqa: A002 - named as what is asked
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._status = status
        self._put = put
        self._waiting = waiting
        self._meanings = meanings
        self._reload = reload
        self._quit = quit
        self._clock = clock
        now_s = clock()
        self._all = Bucket(rate=ALL_RATE_HZ, burst=ALL_BURST, now_s=now_s)
        self._each: OrderedDict[Peer, Bucket] = OrderedDict()
        self._aim: _Aim | None = None
        self._refused = 0

    def answer(self, line: bytes, peer: Peer) -> bytes | AskReload | AskQuit:
        """Grant or refuse one request.

        Returns:
            The answer, or what its caller has to see to: `AskReload` is answered by `reload`,
            `AskQuit` by a plain answer, and then `quit`.
        """
        request = read_request(line)
        if isinstance(request, Refusal):
            return refusal_line(request)
        if isinstance(request, AskReload | AskQuit):
            return self._lasting(request, peer)
        try:
            if isinstance(request, AskStatus):
                return answer_line(status=dict(self._status()))
            return self._steer(request, peer)
        except Exception:  # noqa: BLE001 - a fault in one part must not cost the button's way in
            _LOG.exception("%s could not be granted", type(request).__name__)
            return _failed("it could not be granted")

    def reload(self) -> bytes:
        """Read the configuration again, however long it takes; for a thread of its own."""
        try:
            return answer_line(reload=dict(self._reload() if self._reload else {}))
        except Exception:  # noqa: BLE001 - the same
            _LOG.exception("the configuration was not read again")
            return _failed("the configuration was not read again")

    def quit(self) -> None:
        """Have the process end."""
        if self._quit is not None:
            self._quit()

    def _lasting(self, request: AskReload | AskQuit, peer: Peer) -> bytes | AskReload | AskQuit:
        """Requests that concern the process: whoever may ask may ask them, and it is noted."""
        name, can = "reload", bool(self._reload)
        if isinstance(request, AskQuit):
            name, can = "quit", bool(self._quit)
        if not can:
            return refusal_line(Refusal(Code.UNKNOWN_ASK, f'this service knows no "{name}"'))
        _LOG.info("%s asked for by user %d, process %d", name, peer.uid, peer.pid)
        return request

    def _steer(self, request: AskPress | AskMood | AskVolume, peer: Peer) -> bytes:
        if not self._may(peer):
            why = f"too much at once, at most {RATE_HZ:g} a second are taken; wait a moment"
            return refusal_line(Refusal(Code.TOO_MANY, why))
        return self._grant(request)

    def _grant(self, request: AskPress | AskMood | AskVolume) -> bytes:
        match request:
            case AskPress(kind=kind):
                meant = self._meanings.get(kind) if isinstance(kind, Gesture) else kind
                if meant is not None:
                    self._put(Press(kind=meant, source=SOURCE))
                if meant in _VOLUME_KEYS:
                    self._aim = None
                return answer_line(means=meant or "nothing")
            case AskMood(mood=mood):
                self._put(MoodChosen(mood=mood, source=SOURCE))
                return answer_line(mood=mood.value.lower() if mood else "automatic")
            case AskVolume():
                return self._set_volume(request)

    def _set_volume(self, request: AskVolume) -> bytes:
        now_s, published_pct = self._clock(), self._published_pct()
        aim = self._aim
        if aim and (now_s - aim.asked_s >= _AIM_S or published_pct not in aim.path):
            aim = None
        base_pct = (aim.pct if aim else published_pct) if request.relative else 0.0
        if base_pct is None:
            why = "the volume is not known yet; give a number from 0 to 100"
            return refusal_line(Refusal(Code.BAD_VALUE, why))
        pct = min(100.0, max(0.0, base_pct + request.pct))
        self._put(VolumeChosen(volume_pct=pct, source=SOURCE))
        path = (aim.path if aim else frozenset()) | {published_pct, pct}
        self._aim = _Aim(pct, now_s, path)
        return answer_line(volume=round(pct, 3))

    def _published_pct(self) -> float | None:
        playback = self._status().get("playback")
        pct = playback.get("volume_pct") if isinstance(playback, Mapping) else None
        return float(pct) if isinstance(pct, int | float) else None

    def _may(self, peer: Peer) -> bool:
        """Whether this process may steer once more now."""
        now_s = self._clock()
        each = self._each.get(peer)
        if each is None:
            each = self._each[peer] = Bucket(rate=RATE_HZ, burst=BURST, now_s=now_s)
        self._each.move_to_end(peer)
        if len(self._each) > _PEERS:
            self._each.popitem(last=False)
        free = self._waiting() < MAX_WAITING
        if free and each.take(now_s) and self._all.take(now_s):
            return True
        self._refused += 1
        if self._refused & (self._refused - 1) == 0:  # 1, 2, 4, ...: a flood is few lines
            _LOG.warning(
                "%d refused: too much at once; the last one of process %d", self._refused, peer.pid
            )
        return False


def _failed(what: str) -> bytes:
    return refusal_line(Refusal(Code.FAILED, f"{what}; the log says why"))
