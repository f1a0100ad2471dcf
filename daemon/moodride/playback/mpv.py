"""The real player: a queue of tracks in libmpv.

libmpv's own playlist is the queue: it skips broken files and goes on while Python is busy.
We keep no second list; what waits is read back from libmpv. Nothing here polls or has a
thread of its own: python-mpv's event thread calls us, and we only translate and hand over.

Checked on libmpv 0.35 (Debian 12) and 0.40 (Debian 13).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from moodride.errors import PlaybackError
from moodride.playback.cards import CARDS, card_ids, follow
from moodride.playback.entries import Entries, Entry
from moodride.playback.fade import fade_in, fade_out, ramps
from moodride.playback.handle import Handle, address
from moodride.playback.loudness import level
from moodride.playback.options import MpvSettings, pace
from moodride.playback.player import EventSink, PlayerSnapshot
from moodride.playback.translate import Translator
from moodride.types import Track

__all__ = ["MpvPlayer"]

_LOG = logging.getLogger(__name__)

_DRAIN_S: Final = 1.5
"""What `MpvPlayer.close` waits for besides the fade: the sound that is on its way already."""


class MpvPlayer:
    """Plays through libmpv; see `moodride.playback.player.Player` for the verbs.

    A verb takes one turn of libmpv's loop (a millisecond or so) and never waits for sound
    or files. If libmpv itself hangs in a driver, so does the verb, and the watchdog of the
    service is the way out.

    Args:
        on_event: takes the events, on libmpv's event thread.
        settings: where to and how to play.
        cards: the kernel's list of sound cards.

    Raises:
        PlaybackError: libmpv or python-mpv is missing, or refuses an option.
    """

    def __init__(
        self, on_event: EventSink, *, settings: MpvSettings | None = None, cards: Path = CARDS
    ) -> None:
        self._settings = settings or MpvSettings()
        self._cards = cards
        self._device = self._meant()
        self._rise_s = 0.0
        self._entries = Entries()
        self._translator = Translator(on_event, self._entries)
        self._handle = Handle(replace(self._settings, audio_device=self._device), self._translator)
        said = (self._handle.read(name) for name in ("mpv-version", "ffmpeg-version"))
        _LOG.info("%s, FFmpeg %s", *said)

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
        fading = current != 0 and current == self._entries.fading
        self._fill(tail, rise_s=self._rise_s if fading else 0.0)

    def switch(self, tracks: Sequence[Track], *, fade_s: float) -> None:
        """Fade the current track out, then play these."""
        tracks = _some(tracks)
        fall_s, self._rise_s = ramps(fade_s)
        current = self._clear()
        self._fill(tracks, rise_s=self._rise_s)
        if current and (current != self._entries.fading or not self._sounds()):
            self._leave(current, fall_s)

    def skip(self, *, fade_s: float) -> None:
        """Fade to the next track of the queue."""
        fall_s, self._rise_s = ramps(fade_s)
        leaving, waiting = self._standing()
        fading = leaving != 0 and leaving == self._entries.fading
        current = self._clear()
        moved = current != leaving  # the file ended just now, and what waited first plays
        drop = list(waiting).index(current) + 1 if current in waiting else int(fading)
        self._fill([entry.track for entry in [*waiting.values()][drop:]], rise_s=self._rise_s)
        if current and (moved == fading or not (moved or self._sounds())):
            self._leave(current, fall_s)

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Stand still, or go on."""
        self._handle.command("set", "pause", "yes" if paused else "no")

    def set_volume_pct(self, volume_pct: float) -> None:
        """Set the driver's volume, 0..100."""
        self._handle.command("set", "volume", f"{min(max(volume_pct, 0.0), 100.0):.2f}")

    def try_output(self) -> None:
        """Look for the sound card again, if the output is "null" but was not asked to be."""
        asked = self._settings.ao == "null" or self._settings.pcm_path
        if asked or self._handle.read("current-ao") != "null":
            return
        meant, self._device = self._device, self._meant()
        if meant == self._device:
            self._handle.command("ao-reload")
        else:
            _LOG.info("sound card: %s is %s now", meant, self._device)
            self._handle.command("set", "audio-device", self._device)  # opens it, too

    def snapshot(self) -> PlayerSnapshot:
        """Say what the player does."""
        current, waiting = self._standing()
        position = self._handle.read("time-pos")
        entry = self._entries.get(current)
        length = self._handle.read("duration") or (entry.track.length_s if entry else 0.0)
        return PlayerSnapshot(
            path=entry.track.path if entry else "",
            # Between gapless files libmpv counts up from below zero: the last one is heard still.
            position_s=None if entry is None or position is None else max(float(position), 0.0),
            duration_s=float(length),
            queue=tuple(waits.track.path for waits in waiting.values()),
            output=self._handle.read("current-ao") or "",
            paused=bool(self._handle.read("pause")),
            volume_pct=float(self._handle.read("volume")),
            idle=bool(self._handle.read("idle-active")),
            starved=bool(self._handle.read("paused-for-cache")),
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
        self._handle.close()

    def _meant(self) -> str:
        """The device that was asked for, under the id that its card has now."""
        return follow(self._settings.audio_device, card_ids(self._cards))

    # The playlist.

    def _load(self, entry: Entry, flags: str, *, start_s: float = 0.0) -> None:
        """Hand one file to libmpv. Named arguments: 0.38 moved the positions."""
        filters = self._filters(entry)
        # %length% before a value keeps its commas and quotes.
        pairs = f"af=%{len(filters)}%{filters}"
        if start_s > 0.0:
            pairs += f",start={start_s:.3f}"
        named = {"name": "loadfile", "flags": flags, "options": pairs}
        url = address(entry.track.path)
        run = self._handle.command
        self._entries.add(entry, lambda: int(run(**named, url=url)["playlist_entry_id"]))

    def _filters(self, entry: Entry, fall: str = "") -> str:
        """The filters of a file."""
        track, target = entry.track, self._settings.loudness_lufs
        even = level(track.loudness_db, peak_db=track.peak_db, target_db=target)
        return ",".join(g for g in (even, entry.rise, fall, pace(self._settings)) if g)

    def _clear(self) -> int:
        """Drop all that waits; returns the id of the current entry, 0 for none."""
        _, dropped = self._standing()
        self._handle.command("playlist-clear")
        current, _ = self._standing()
        self._entries.forget(set(dropped) - {current})
        return current

    def _fill(self, tail: Sequence[Track], *, rise_s: float) -> None:
        """Queue these after the current entry; the first one comes up from silence.

        Should the current file have ended since `_clear`, libmpv begins with them.
        """
        for index, track in enumerate(tail):
            graph = fade_in(0.0, rise_s) if rise_s > 0.0 and index == 0 else ""
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
                self._handle.command("set", "file-local-options/af", filters)
            except PlaybackError as error:
                self._entries.fading = 0
                _LOG.warning("no fade, the track is cut: %s", error)
            else:
                return
        self._handle.command("playlist-next", "force")

    def _sounds(self) -> bool:
        """Whether a file is playing just now, and its medium delivers."""
        still = self._handle.read("pause") or self._handle.read("paused-for-cache")
        return not still and self._handle.read("time-pos") is not None

    def _playlist(self) -> list[Mapping[str, Any]]:
        """The playlist of libmpv: ``id`` for each entry, ``current`` for one."""
        return self._handle.read("playlist") or []

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
            self._handle.command("playlist-remove", "0")


def _some(tracks: Sequence[Track]) -> Sequence[Track]:
    if not tracks:
        message = "there must be at least one track to play"
        raise ValueError(message)
    return tracks
