"""libmpv's events in the words of `moodride.types`.

Runs on python-mpv's event thread, where waiting for libmpv would wait for ever: it only
translates and hands over.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from moodride.playback.entries import Entries
from moodride.playback.player import EventSink
from moodride.types import EndReason, OutputChanged, PlayerGone, TrackEnded, TrackStarted

__all__ = ["Translator"]

_LOG = logging.getLogger(__name__)


class Translator:
    """Gets what libmpv says, and tells the owner of the player.

    Args:
        emit: takes the events.
        entries: what stands behind libmpv's ids.

    Attributes:
        ended: set whenever a file ends, and when libmpv shuts down.
        closing: a shutdown is wanted.
    """

    def __init__(self, emit: EventSink, entries: Entries) -> None:
        self.ended = threading.Event()
        self.closing = False
        self._emit = emit
        self._entries = entries
        self._starting = 0
        self._output = ""
        self._said: set[str] = set()

    def event(self, event: Any) -> None:  # noqa: ANN401 - python-mpv has no types
        """Take an event of libmpv."""
        said = event.as_dict()
        match said["event"]:
            case b"start-file":
                self._starting = int(said["playlist_entry_id"])
            case b"file-loaded":
                self._emit(TrackStarted(path=self._entries.path(self._starting)))
            case b"end-file":
                self._end(said)
            case b"shutdown":
                self.ended.set()
                if not self.closing:
                    _LOG.error("libmpv shut down by itself")
                    self._emit(PlayerGone())

    def _end(self, said: Mapping[str, Any]) -> None:
        entry_id = int(said["playlist_entry_id"])
        reason = EndReason(said["reason"].decode())
        if reason is EndReason.EOF and entry_id == self._entries.fading:
            reason = EndReason.STOP  # a fade-out ends the stream where we want it
        detail = said.get("file_error", b"").decode(errors="replace")
        self._emit(TrackEnded(path=self._entries.path(entry_id), reason=reason, detail=detail))
        self._entries.forget((entry_id,))
        self.ended.set()

    def output(self, _name: str, value: str | None) -> None:
        """Take a change of the property ``current-ao``."""
        if value is None and self._output == "null":
            return  # the card was looked for again, and is still away
        if (value or "") != self._output:
            self._output = value or ""
            if self._output not in {"", "null"}:
                self._said.clear()
            _LOG.info("audio output: %s", self._output or "none")
            self._emit(OutputChanged(name=self._output))

    def log(self, level: str, prefix: str, text: str | bytes) -> None:
        """Take a line of libmpv's log; bytes where it names a file that is no UTF-8.

        A broken file brings many lines, and its end is an event that says why; of the
        sound card there is nothing but the log.
        """
        line = text if isinstance(text, str) else text.decode(errors="replace")
        said = f"libmpv {prefix}: {' '.join(line.split())}"
        news = prefix.partition("/")[0] == "ao" and said not in self._said
        _LOG.log(logging.WARNING if news else logging.DEBUG, "%s (%s)", said, level)
        if news:
            self._said.add(said)
