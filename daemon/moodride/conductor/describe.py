"""The state as plain data, for `moodride status` and the demo."""

from __future__ import annotations

from moodride.conductor.explain import Document, explain, shares
from moodride.conductor.model import STORM, Context, State, still
from moodride.types import Reading, Track

__all__ = ["describe", "headline", "sign"]


def describe(state: State, context: Context, now: float) -> Document:
    """What an owner wants to know of this moment; JSON-ready."""
    settings = context.config.mood
    fresh = now - state.reading_s <= settings.stale_s
    return {
        "mood": explain(state.mood, settings, now),
        "track": _current(state),
        "queue": [_track(e.track) | {"why": e.why} for e in state.queue],
        "playback": {
            "output": state.output,
            "paused": state.paused,
            "still": still(state, now),
            "waiting_for_sound": state.silent,
            "volume_pct": state.volume_pct,
            "failed_in_a_row": state.failures,
            "unplayable": sorted(i for i, until in state.banned.items() if until > now),
        },
        "vision": {
            "alive": fresh,
            "age_s": None if state.reading is None else round(now - state.reading_s, 1),
            "reading": _reading(state.reading) if fresh else None,
        },
        "camera": {"on": state.camera},
        "ignition": {
            "known": state.ignition is not None,
            "on": state.ignition,
            "off_s": None if state.off_s is None else round(now - state.off_s, 1),
            "parked": state.rests_s is not None,
        },
        "sign": sign(state, now),
        "library": {"tracks": len(context.shelf)},
    }


def sign(state: State, now: float) -> str:
    """What a light should show: off, trouble, camera-off, paused, hand or playing.

    The first that holds, in this order: what the driver cannot hear comes before what he can.
    """
    if state.rests_s is not None:
        return "off"
    if state.silent or state.failures >= STORM:
        return "trouble"
    if not state.camera:
        return "camera-off"
    if state.paused:
        return "paused"
    return "hand" if state.mood.by_hand(now) else "playing"


def headline(state: State, now: float, *, stale_s: float) -> str:
    """One line for ``systemctl status``."""
    track = state.current.track if state.current else None
    playing = f"playing {track.artist} - {track.name} ({track.mood})" if track else "no track yet"
    if state.silent:
        playing = f"waiting for a sound card, {playing}"
    if state.failures >= STORM:
        playing = f"{state.failures} tracks in a row could not be played, {playing}"
    seen = "vision alive" if now - state.reading_s <= stale_s else "no readings from vision"
    if not state.camera:
        seen = "the camera is switched off"
    if state.rests_s is not None:
        playing = f"the ignition is off, {playing}"
    return f"{playing}; {state.mood.why}; {seen}"


def _current(state: State) -> Document | None:
    if state.current is None:
        return None
    track = state.current.track
    more: Document = {"position_s": round(state.position_s, 1), "why": state.current.why}
    return _track(track) | more


def _track(track: Track) -> Document:
    return {
        "id": track.id,
        "name": track.name,
        "artist": track.artist,
        "mood": track.mood.value,
        "length_s": round(track.length_s, 1),
    }


def _reading(reading: Reading | None) -> Document | None:
    if reading is None:
        return None
    return {
        "seq": reading.seq,
        "t_s": round(reading.t_s, 2),
        "face": reading.face is not None,
        "quality": round(reading.face.quality, 2) if reading.face else None,
        "emotion": shares(reading.emotion),
        "valence": reading.valence,
        "arousal": reading.arousal,
    }
