"""The real player: a queue of tracks in libmpv.

libmpv's own playlist is the queue: it skips broken files and goes on while Python is busy.
Nothing here polls or has a thread of its own: python-mpv's event thread calls us, and we
only translate and hand over.

Checked on libmpv 0.35 (Debian 12) and 0.40 (Debian 13).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from moodride.errors import PlaybackError
from moodride.playback.cards import CARDS, card_ids, follow
from moodride.playback.chain import Chain
from moodride.playback.cues import TUNES, Tune, left
from moodride.playback.entries import Entries, Entry
from moodride.playback.fade import fade_in, fade_out, ramps
from moodride.playback.handle import Handle
from moodride.playback.loudness import level
from moodride.playback.options import MpvSettings, device_buffer_s, pace
from moodride.playback.player import EventSink, PlayerSnapshot
from moodride.playback.playlist import Playlist
from moodride.playback.translate import Translator
from moodride.types import Cue, Track

__all__ = ["MpvPlayer"]

_LOG = logging.getLogger(__name__)

_SPARE_S: Final = 0.15
"""How far libmpv's filters may be ahead of the ear besides the buffers it was told."""

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
        clock: monotonic seconds.

    Raises:
        PlaybackError: libmpv or python-mpv is missing, or refuses an option.
    """

    def __init__(
        self,
        on_event: EventSink,
        *,
        settings: MpvSettings | None = None,
        cards: Path = CARDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings or MpvSettings()
        self._cards = cards
        self._clock = clock
        self._device = self._meant()
        self._rise_s = 0.0
        self._seam_s = 0.0
        self._asked: tuple[Tune, float] | None = None
        self._entries = Entries()
        self._translator = Translator(on_event, self._entries)
        self._handle = Handle(replace(self._settings, audio_device=self._device), self._translator)
        self._list = Playlist(self._handle, self._entries)
        said = (self._handle.read(name) for name in ("mpv-version", "ffmpeg-version"))
        _LOG.info("%s, FFmpeg %s", *said)

    # The verbs.

    def start(
        self, tracks: Sequence[Track], *, start_s: float = 0.0, fade_in_s: float = 0.0
    ) -> None:
        """Drop everything and play these, the first from ``start_s`` seconds."""
        first, *rest = _some(tracks)
        chain = self._chain(first, self._rest(0.0), start_s=start_s)
        if fade_in_s > 0.0:
            chain = replace(chain, rise=fade_in(start_s, fade_in_s))
        self._entries.fading = 0
        _, dropped = self._list.standing()
        self._list.load(Entry(first, chain), "replace", start_s=start_s)
        self._entries.forget(dropped)
        self.append(rest)

    def append(self, tracks: Sequence[Track]) -> None:
        """Add to the end of the queue; an idle player begins to play."""
        self._list.forget_played()
        for track in tracks:
            self._list.load(Entry(track, self._chain(track)), "append-play")

    def replan(self, tail: Sequence[Track]) -> None:
        """Replace all that waits; the current track goes on without a sound of it."""
        current = self._list.clear()
        fading = current != 0 and current == self._entries.fading
        if fading:
            self._fill(tail, rise_s=self._rise_s, rest=self._rest())
        else:
            self._fill(tail)

    def switch(self, tracks: Sequence[Track], *, fade_s: float) -> None:
        """Fade the current track out, then play these."""
        tracks = _some(tracks)
        fall_s, self._rise_s = ramps(fade_s)
        current = self._list.clear()
        fading = current != 0 and current == self._entries.fading
        self._fill(tracks, rise_s=self._rise_s, rest=self._rest(None if fading else fall_s))
        if current and not (fading and self._sounds()):
            self._leave(current, fall_s)

    def skip(self, *, fade_s: float) -> None:
        """Fade to the next track of the queue."""
        fall_s, self._rise_s = ramps(fade_s)
        leaving, waiting = self._list.standing()
        fading = leaving != 0 and leaving == self._entries.fading
        current = self._list.clear()
        moved = current != leaving  # the file ended just now, and what waited first plays
        drop = list(waiting).index(current) + 1 if current in waiting else int(fading)
        tail = [entry.track for entry in [*waiting.values()][drop:]]
        self._fill(tail, rise_s=self._rise_s, rest=self._rest(None if fading else fall_s))
        if current and (moved == fading or not (moved or self._sounds())):
            self._leave(current, fall_s)

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Stand still, or go on."""
        self._handle.command("set", "pause", "yes" if paused else "no")

    def hush(self, *, fade_s: float) -> None:
        """Fade what plays to silence: ``fade_s`` from now, nothing of it is heard."""
        self._ramp(0.0, fade_s)

    def rise(self, *, fade_s: float) -> None:
        """Bring back what was hushed: ``fade_s`` from now it is at its level."""
        self._ramp(1.0, fade_s)

    def cue(self, cue: Cue) -> None:
        """Sound a cue over what plays.

        It goes on over a change of tracks, whole notes at a time, whether the change is told
        after it or before. In the last quarter of a second of a file, which may have passed its
        filters, there is none, unless the file is left and a later note sounds over the next.
        """
        current, waiting = self._list.standing()
        entry = self._entries.get(current)
        at_s = self._handle.read("time-pos")
        if entry is None or at_s is None or entry.chain.hushed or not self._heard():
            return
        self._asked = TUNES[cue], self._clock()
        end_s = self._handle.read("duration")
        if end_s is None or at_s < end_s - self._ahead_s:  # else all of it may be through
            level_db = self._settings.cue_db
            chain = entry.chain.with_cue(TUNES[cue], level_db=level_db, at_s=at_s, end_s=end_s)
            self._change(current, entry, chain)
        if current == self._entries.fading and self._rest() is not None:
            self.replan([waits.track for waits in waiting.values()])

    def set_volume_pct(self, volume_pct: float) -> None:
        """Set the driver's volume, 0..100."""
        self._handle.command("set", "volume", f"{min(max(volume_pct, 0.0), 100.0):.2f}")

    def try_output(self) -> None:
        """Look for the sound card again, if the output is "null" but was not asked to be."""
        if self._to_null or self._handle.read("current-ao") != "null":
            return
        meant, self._device = self._device, self._meant()
        if meant == self._device:
            self._handle.command("ao-reload")
        else:
            _LOG.info("sound card: %s is %s now", meant, self._device)
            self._handle.command("set", "audio-device", self._device)  # opens it, too

    def snapshot(self) -> PlayerSnapshot:
        """Say what the player does."""
        current, waiting = self._list.standing()
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
            current = self._list.clear()
            if fade_s > 0.0 and current and self._sounds():
                self._translator.ended.clear()
                if current != self._entries.fading:
                    self._leave(current, fade_s)
                self._translator.ended.wait(fade_s + _DRAIN_S)
        except PlaybackError as error:
            _LOG.warning("no fade at the end: %s", error)
        self._translator.closing = True
        self._handle.close()

    @property
    def _ahead_s(self) -> float:
        """How far libmpv's filters may be ahead of the ear, seconds."""
        return self._settings.audio_buffer_s + device_buffer_s(self._settings) + _SPARE_S

    @property
    def _to_null(self) -> bool:
        """No sound card is asked for."""
        return bool(self._settings.ao == "null" or self._settings.pcm_path)

    def _meant(self) -> str:
        """The device that was asked for, under the id that its card has now."""
        return follow(self._settings.audio_device, card_ids(self._cards))

    # The playlist.

    def _chain(self, track: Track, rest: Tune | None = None, *, start_s: float = 0.0) -> Chain:
        """The filters that a file begins with; the rest of a cue among them."""
        target, at_level = self._settings.loudness_lufs, self._settings.cue_db
        even = level(track.loudness_db, peak_db=track.peak_db, target_db=target)
        chain = Chain(level=even, pace=pace(self._settings))
        if rest is None:
            return chain
        return chain.with_cue(rest, level_db=at_level, at_s=start_s, end_s=None)

    def _fill(
        self, tail: Sequence[Track], *, rise_s: float = 0.0, rest: Tune | None = None
    ) -> None:
        """Queue these after the current entry; the first one comes up from silence.

        Should the current file have ended since the queue was cleared, libmpv begins with them.
        """
        for track in tail:
            chain = self._chain(track, rest)
            if rise_s > 0.0:
                chain = replace(chain, rise=fade_in(0.0, rise_s))
            self._list.load(Entry(track, chain), "append-play")
            rise_s, rest = 0.0, None

    def _leave(self, entry_id: int, fade_s: float) -> None:
        """Let the current entry fade out and end, or cut it where nothing can be heard."""
        entry = self._entries.get(entry_id)
        if self._list.standing()[0] != entry_id or entry is None:
            return
        if fade_s > 0.0 and self._sounds():
            self._entries.fading, self._seam_s = entry_id, self._clock() + fade_s
            if self._change(entry_id, entry, replace(entry.chain, fall=fade_out(fade_s))):
                return
            self._entries.fading = 0
        self._handle.command("playlist-next", "force")

    # The sound.

    def _change(self, entry_id: int, entry: Entry, chain: Chain) -> bool:
        """Give the current file other filters; those that it has stay as they are.

        Returns:
            False where libmpv refuses them; not where the file ended by itself meanwhile.
        """
        try:
            if self._list.set_filters(entry_id, str(chain)):
                entry.chain = chain
        except PlaybackError as error:
            _LOG.warning("the sound stays as it is: %s", error)
            return False
        return True

    def _ramp(self, goal: float, fade_s: float) -> None:
        """Bring the current file to a gain, 0 or 1, that stays."""
        current, _ = self._list.standing()
        entry = self._entries.get(current)
        now_s = self._handle.read("time-pos")
        if entry is None or now_s is None or entry.chain.hushed == (goal == 0.0):
            return
        # What has passed the filters already plays on.
        ahead_s = self._ahead_s
        chain = entry.chain.with_ramp(goal, now_s=now_s, ahead_s=ahead_s, within_s=fade_s)
        self._change(current, entry, chain)

    def _rest(self, fall_s: float | None = None) -> Tune | None:
        """What of the last cue the next file is to sound, because this one ends before.

        Args:
            fall_s: how long this file is still heard; None while it fades already.
        """
        if self._asked is None:
            return None
        tune, asked_s = self._asked
        now_s = self._clock()
        if fall_s is None:
            fall_s = max(self._seam_s - now_s, 0.0)
        rest = left(tune, since_s=now_s - asked_s, fall_s=fall_s)
        return rest if rest is not None and self._sounds() else None

    def _heard(self) -> bool:
        """Whether a file is playing just now, and to a card, or to what was asked for."""
        output = self._handle.read("current-ao")
        return bool(output) and self._sounds() and (output != "null" or self._to_null)

    def _sounds(self) -> bool:
        """Whether a file is playing just now, and its medium delivers."""
        still = self._handle.read("pause") or self._handle.read("paused-for-cache")
        return not still and self._handle.read("time-pos") is not None


def _some(tracks: Sequence[Track]) -> Sequence[Track]:
    if not tracks:
        message = "there must be at least one track to play"
        raise ValueError(message)
    return tracks
