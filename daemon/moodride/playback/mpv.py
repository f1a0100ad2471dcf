"""The real player: libmpv through python-mpv. The only importer of ``mpv``.

libmpv's own playlist is the queue: it skips broken files and goes on while Python is busy.
We keep no second list; what waits is read back from libmpv. Nothing here polls or has a
thread of its own: python-mpv's event thread calls us, and we only translate and hand over.

Checked on libmpv 0.35 (Debian 12) and 0.40 (Debian 13).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import locale
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from moodride.errors import PlaybackError
from moodride.playback.entries import Entries, Entry
from moodride.playback.fade import fade_in, fade_out
from moodride.playback.loudness import level
from moodride.playback.options import OPTIONAL, PACE, MpvSettings, options
from moodride.playback.player import EventSink, PlayerSnapshot
from moodride.playback.translate import Translator
from moodride.types import Track

__all__ = ["MpvPlayer"]

_LOG = logging.getLogger(__name__)

_SONAME: Final = "libmpv.so.2"

_FADE_IN_S: Final = 0.15
"""After a fade-out the next track comes up this fast: no click, and no late beginning."""

_DRAIN_S: Final = 1.5
"""What `MpvPlayer.close` waits for besides the fade: the sound that is on its way already."""

# What python-mpv raises when libmpv refuses; it has no base class of its own.
_REFUSALS: Final = (AttributeError, MemoryError, RuntimeError, SystemError, TypeError, ValueError)


class MpvPlayer:
    """Plays through libmpv; see `moodride.playback.player.Player` for the verbs.

    A verb takes one turn of libmpv's loop (a millisecond or so) and never waits for sound
    or files. If libmpv itself hangs in a driver, so does the verb, and the watchdog of the
    service is the way out.

    Args:
        on_event: takes the events, on libmpv's event thread.
        settings: where to and how to play.

    Raises:
        PlaybackError: libmpv or python-mpv is missing, or refuses an option.
    """

    def __init__(self, on_event: EventSink, *, settings: MpvSettings | None = None) -> None:
        self._settings = settings or MpvSettings()
        self._entries = Entries()
        self._translator = Translator(on_event, self._entries)
        module = _load()
        # python-mpv sets it at import, but who imports us may have changed it since.
        locale.setlocale(locale.LC_NUMERIC, "C")
        names = {k.replace("-", "_"): v for k, v in _accepted(module, self._settings).items()}
        self._mpv: Any = module.MPV(log_handler=self._translator.log, loglevel="error", **names)
        self._mpv.register_event_callback(self._translator.event)
        self._mpv.observe_property("current-ao", self._translator.output)
        _LOG.info("%s, FFmpeg %s", self._read("mpv-version"), self._read("ffmpeg-version"))

    # The verbs.

    def start(
        self, tracks: Sequence[Track], *, start_s: float = 0.0, fade_in_s: float = 0.0
    ) -> None:
        """Drop everything and play these, the first from ``start_s`` seconds."""
        first, *rest = _some(tracks)
        rise = fade_in(start_s, fade_in_s) if fade_in_s > 0.0 else ""
        self._entries.fading = 0
        _, dropped = self._standing()
        self._load(Entry(first, rise), "replace", start_s=start_s)
        self._entries.forget(dropped)
        self.append(rest)

    def append(self, tracks: Sequence[Track]) -> None:
        """Add to the end of the queue; an idle player begins to play."""
        self._forget_played()
        for track in tracks:
            self._load(Entry(track), "append-play")

    def replan(self, tail: Sequence[Track]) -> None:
        """Replace all that waits; the current track goes on without a sound of it."""
        current = self._clear()
        self._fill(tail, rise=current != 0 and current == self._entries.fading)

    def switch(self, tracks: Sequence[Track], *, fade_s: float) -> None:
        """Fade the current track out, then play these."""
        tracks = _some(tracks)
        current = self._clear()
        self._fill(tracks, rise=fade_s > 0.0)
        if current and (current != self._entries.fading or not self._sounds()):
            self._leave(current, fade_s)

    def skip(self, *, fade_s: float) -> None:
        """Fade to the next track of the queue."""
        leaving, waiting = self._standing()
        fading = leaving != 0 and leaving == self._entries.fading
        current = self._clear()
        moved = current != leaving  # the file ended just now, and what waited first plays
        drop = list(waiting).index(current) + 1 if current in waiting else int(fading)
        self._fill([entry.track for entry in [*waiting.values()][drop:]], rise=fade_s > 0.0)
        if current and (moved == fading or not (moved or self._sounds())):
            self._leave(current, fade_s)

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Stand still, or go on."""
        self._command("set", "pause", "yes" if paused else "no")

    def set_volume_pct(self, volume_pct: float) -> None:
        """Set the driver's volume, 0..100."""
        self._command("set", "volume", f"{min(max(volume_pct, 0.0), 100.0):.2f}")

    def try_output(self) -> None:
        """Look for the sound card again, if the output is "null" but was not asked to be."""
        asked = self._settings.ao == "null" or self._settings.pcm_path
        if not asked and self._read("current-ao") == "null":
            self._command("ao-reload")

    def snapshot(self) -> PlayerSnapshot:
        """Say what the player does."""
        current, waiting = self._standing()
        position = self._read("time-pos")
        entry = self._entries.get(current)
        length = self._read("duration") or (entry.track.length_s if entry else 0.0)
        return PlayerSnapshot(
            path=entry.track.path if entry else "",
            # Between gapless files libmpv counts up from below zero: the last one is heard still.
            position_s=None if entry is None or position is None else max(float(position), 0.0),
            duration_s=float(length),
            queue=tuple(waits.track.path for waits in waiting.values()),
            output=self._read("current-ao") or "",
            paused=bool(self._read("pause")),
            volume_pct=float(self._read("volume")),
            idle=bool(self._read("idle-active")),
        )

    def close(self, *, fade_s: float = 0.0) -> None:
        """Fade out, stop and free everything; waits for the fade."""
        if self._translator.closing:
            return
        try:
            current = self._clear()
            if fade_s > 0.0 and current and self._sounds():
                self._translator.ended.clear()
                if current != self._entries.fading:
                    self._leave(current, fade_s)
                self._translator.ended.wait(fade_s + _DRAIN_S)
        except PlaybackError as error:
            _LOG.warning("no fade at the end: %s", error)
        self._translator.closing = True
        handle, self._mpv = self._mpv, None
        handle.terminate()

    # The playlist.

    def _load(self, entry: Entry, flags: str, *, start_s: float = 0.0) -> None:
        """Hand one file to libmpv. Named arguments: 0.38 moved the positions."""
        wanted = {"af": self._filters(entry)}
        if start_s > 0.0:
            wanted["start"] = f"{start_s:.3f}"
        # %length% before a value keeps its commas and quotes.
        pairs = ",".join(f"{k}=%{len(v.encode())}%{v}" for k, v in wanted.items() if v)
        named = {"name": "loadfile", "url": entry.track.path, "flags": flags, "options": pairs}
        self._entries.add(entry, lambda: int(self._command(**named)["playlist_entry_id"]))

    def _filters(self, entry: Entry, fall: str = "") -> str:
        """The filters of a file; a list of its own takes the place of the common one."""
        graphs = [g for g in (level(entry.track.loudness_db), entry.rise, fall) if g]
        return ",".join([*graphs, PACE] if graphs and self._settings.pcm_path else graphs)

    def _clear(self) -> int:
        """Drop all that waits; returns the id of the current entry, 0 for none."""
        _, dropped = self._standing()
        self._command("playlist-clear")
        current, _ = self._standing()
        self._entries.forget(set(dropped) - {current})
        return current

    def _fill(self, tail: Sequence[Track], *, rise: bool) -> None:
        """Queue these after the current entry; the first one comes up from silence.

        Should the current file have ended since `_clear`, libmpv begins with them.
        """
        for index, track in enumerate(tail):
            graph = fade_in(0.0, _FADE_IN_S) if rise and index == 0 else ""
            self._load(Entry(track, graph), "append-play")

    def _leave(self, entry_id: int, fade_s: float) -> None:
        """Let the current entry fade out and end, or cut it where nothing can be heard."""
        entry = self._entries.get(entry_id)
        if self._standing()[0] != entry_id or entry is None:
            return  # it ended by itself meanwhile
        if fade_s > 0.0 and self._sounds():
            self._entries.fading = entry_id
            try:
                # The filters that are there stay as they are, or the level would jump.
                filters = self._filters(entry, fade_out(fade_s))
                self._command("set", "file-local-options/af", filters)
            except PlaybackError as error:
                self._entries.fading = 0
                _LOG.warning("no fade, the track is cut: %s", error)
            else:
                return
        self._command("playlist-next", "force")

    def _sounds(self) -> bool:
        """Whether a file is playing just now."""
        return not self._read("pause") and self._read("time-pos") is not None

    def _playlist(self) -> list[Mapping[str, Any]]:
        """The playlist of libmpv: ``id`` for each entry, ``current`` for one."""
        return self._read("playlist") or []

    def _standing(self) -> tuple[int, dict[int, Entry]]:
        """Id of the current entry, 0 for none, and what waits after it, in one look."""
        entries = self._playlist()
        at = next((n for n, e in enumerate(entries) if e.get("current")), len(entries))
        current = int(entries[at]["id"]) if at < len(entries) else 0
        known = ((int(e["id"]), self._entries.get(int(e["id"]))) for e in entries[at + 1 :])
        return current, {entry_id: entry for entry_id, entry in known if entry}

    def _forget_played(self) -> None:
        """Take what was played off the playlist, or it grows all day."""
        entries = self._playlist()
        played = next((n for n, e in enumerate(entries) if e.get("current")), 0)
        for _ in range(played):
            self._command("playlist-remove", "0")

    # libmpv.

    def _command(self, *args: str, **named: str) -> Any:  # noqa: ANN401 - what libmpv replies
        """Run a command of libmpv."""
        try:
            return self._handle.command(*args, **named)
        except _REFUSALS as error:
            what = f"libmpv refuses {' '.join(args or named.values())}: {_cause(error)}"
            raise PlaybackError(what, remedy="see the log before this") from error

    def _read(self, name: str) -> Any:  # noqa: ANN401 - a property is of any type
        """Read a property of libmpv; None where it has no value now."""
        try:
            return getattr(self._handle, name.replace("-", "_"))
        except _REFUSALS as error:
            what = f"libmpv does not say {name}: {_cause(error)}"
            raise PlaybackError(what, remedy="see the log before this") from error

    @property
    def _handle(self) -> Any:  # noqa: ANN401 - python-mpv has no types
        if self._mpv is None:
            raise PlaybackError("the player is closed", remedy="open a new one")
        return self._mpv


def _some(tracks: Sequence[Track]) -> Sequence[Track]:
    if not tracks:
        message = "there must be at least one track to play"
        raise ValueError(message)
    return tracks


def _cause(error: BaseException) -> str:
    """The words of python-mpv's error, without its pointers."""
    return str(error.args[0]) if error.args else type(error).__name__


@contextmanager
def _known_library() -> Iterator[None]:
    """Tell python-mpv the name of the library while it is imported.

    ``ctypes.util.find_library`` runs ldconfig, and gcc where there is one: half of the
    time that importing python-mpv takes.
    """
    find = ctypes.util.find_library
    ctypes.util.find_library = lambda name: _SONAME if name == "mpv" else find(name)
    try:
        yield
    finally:
        ctypes.util.find_library = find


def _load() -> Any:  # noqa: ANN401 - python-mpv has no types
    """Import python-mpv with libmpv.

    Raises:
        PlaybackError: one of them is missing.
    """
    try:
        ctypes.CDLL(_SONAME)
        with _known_library():
            return importlib.import_module("mpv")
    except ModuleNotFoundError as error:
        remedy = "install it with the other packages of Moodride: pip install python-mpv"
        raise PlaybackError("python-mpv is missing", remedy=remedy) from error
    except OSError as error:
        what = f"libmpv is missing or does not load ({error})"
        raise PlaybackError(what, remedy="install it: sudo apt install libmpv2") from error


def _accepted(module: Any, settings: MpvSettings) -> dict[str, str]:  # noqa: ANN401
    """The options that this libmpv takes, tried on a handle that is never started.

    Raises:
        PlaybackError: it refuses one that we cannot do without.
    """
    accepted: dict[str, str] = {}
    handle = module.backend.mpv_create()
    if not handle:
        raise PlaybackError("libmpv does not start", remedy="is there memory left?")
    try:
        wanted = {name: (value, True) for name, value in options(settings).items()}
        spare = {name: (value, False) for name, value in OPTIONAL.items()}
        for name, (value, needed) in (wanted | spare).items():
            try:
                module.backend.mpv_set_option_string(handle, name.encode(), value.encode())
            except _REFUSALS as error:
                if not needed:
                    continue
                what = f"libmpv refuses {name}={value}: {_cause(error)}"
                remedy = "correct it in the configuration, or use libmpv 0.35 or newer"
                raise PlaybackError(what, where="playback", remedy=remedy) from error
            accepted[name] = value
    finally:
        module.backend.mpv_terminate_destroy(handle)
    return accepted
