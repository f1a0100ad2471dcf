"""What else than the face counts: who is in the car, the hour, the length of the drive. Pure.

Everything here is off unless ``[mood.context]`` asks for it, and it only ever makes a plan
milder, never another one. A mood that the driver chose by hand is the driver's affair: do not
pass it here.

Where the numbers come from:

* Night is from 0 to 6 h ("when natural alertness is at a minimum") and a drive is long after
  two hours (when a break is due): Highway Code, rule 91. Accidents per car peak at 4 h, 5.7
  times the forenoon's (Akerstedt et al. 2001, Sleep 24(4)); hours of driving and the night
  multiply (Sagaspe et al. 2008, PLoS ONE 3(10):e3493).
* On long drives slow music worsens fatigue and music above 120 bpm attention; medium tempo
  does best (Li, Chen and Zhang 2019, i-Perception 10(4), n = 16). So: no quiet mood for long,
  and the caps of a glad driver. Music is no remedy for sleepiness: only a rest is.
* For a few people together "least misery" is the usual rule: what nobody dislikes (O'Connor et
  al. 2001, PolyLens; Masthoff 2015). We do not know who likes what, so the extremes go. Which
  numbers are extreme is our own choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from moodride.mood.policy import ENERGY_CAP, TEMPO_CAP_BPM, WAKEFUL, Plan, Target
from moodride.settings import ContextSettings, MoodSettings
from moodride.types import Mood, Reading

__all__ = ["Faces", "Surroundings", "adapted"]

GROUP_ENERGY: Final = 0.7
"""Most energy for a group; our own choice, half of all happy songs are below 0.78."""

GROUP_VALENCE_MIN: Final = 0.4
"""A target for a group is no sadder; our own choice, between Sad (0.23) and Happy (0.59)."""

GROUP_ENERGY_MIN: Final = 0.2
"""Nor stiller; our own choice, between Calm (0.12) and Sad (0.36)."""

QUIET: Final = frozenset({Mood.CALM, Mood.SAD})
"""The moods with a median energy below one half."""

SAMPLE_EVERY_S: Final = 0.5
"""Two looks a second are enough to count heads, and bound what is kept."""

SAMPLES_MIN: Final = 3
"""So many looks, over half of the window, are needed to count at all."""

HELD_S: Final = 300.0
"""A count holds this long without a look: nobody gets out of a car that drives. Our choice."""

FACES_MAX: Final = 99
"""More than a bus holds; a broken count goes no higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of this moment besides the face; None is unknown.

    Attributes:
        hour: local time of day, 0 to below 24.
        driven_min: minutes since the service began to play.
        faces: people seen in the car, the driver included.
    """

    hour: float | None = None
    driven_min: float | None = None
    faces: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """How many faces the camera sees: a median that does not flicker. A value.

    The count moves only as far as two thirds of the looks agree on, so that a passenger who is
    seen every other time does not come and go.

    Attributes:
        looks: (monotonic seconds, faces), oldest first, no more than two a second.
        count: the settled count, or None.
    """

    looks: tuple[tuple[float, int], ...] = ()
    count: int | None = None

    def add(self, reading: Reading, now: float, *, over_s: float) -> Faces:
        """The count with this reading; one without a face says nothing of the others.

        Args:
            reading: the newest reading.
            now: when it came, monotonic seconds.
            over_s: looks are counted over so many seconds.
        """
        if reading.face is None:
            return self
        if self.looks and 0.0 <= now - self.looks[-1][0] < SAMPLE_EVERY_S:
            return self
        recent = tuple(look for look in self.looks if now - over_s < look[0] < now)
        faces = min(max(reading.face.faces_seen, 1), FACES_MAX)
        looks = (*recent, (now, faces))
        return Faces(looks=looks, count=_settled(looks, self.count, over_s))

    def seen(self, now: float) -> int | None:
        """The settled count, or None where nothing is known, or not for long."""
        if not self.looks or abs(now - self.looks[-1][0]) > HELD_S:
            return None
        return self.count


def _settled(looks: tuple[tuple[float, int], ...], count: int | None, over_s: float) -> int | None:
    """The median; from a count that held before, only what two thirds agree on."""
    if len(looks) < SAMPLES_MIN or looks[-1][0] - looks[0][0] < over_s / 2.0:
        return count
    ordered = sorted(faces for _, faces in looks)
    if count is None:
        return ordered[(len(ordered) - 1) // 2]
    least, most = ordered[(len(ordered) - 1) // 3], ordered[len(ordered) * 2 // 3]
    return min(max(count, least), most)


def adapted(plan: Plan, surroundings: Surroundings, settings: MoodSettings) -> Plan:
    """The plan with the limits that the moment asks for, and why in its ``note``.

    Args:
        plan: what the policy wants.
        surroundings: what is known of the moment.
        settings: ``context`` says what counts.

    Returns:
        The plan itself where nothing has to be tightened.
    """
    context = settings.context
    notes, after = [], plan
    if context.group and (surroundings.faces or 0) >= context.group_faces:
        before, after = after, _for_group(after)
        notes.append(_said(f"{surroundings.faces} in the car", before, after))
    if late := _late(surroundings, context):
        before, after = after, _kept_awake(after)
        notes.append(_said(late, before, after))
    note = "; ".join(note for note in notes if note)
    return replace(after, note=note) if note else plan


def _late(surroundings: Surroundings, context: ContextSettings) -> str:
    """Why the driver may be tired, in words, or nothing."""
    hour, driven = surroundings.hour, surroundings.driven_min
    if context.night and hour is not None and _is_night(hour, context):
        return "at night"
    if context.long_drive and driven is not None and driven >= context.long_drive_min:
        return f"after {context.long_drive_min:g} min of driving"
    return ""


def _is_night(hour: float, context: ContextSettings) -> bool:
    """Between the two hours, also over midnight; from an hour to itself is never."""
    if not math.isfinite(hour):
        return False
    long_h = context.night_to_h - context.night_from_h
    return (hour - context.night_from_h) % 24.0 < (long_h if long_h >= 0.0 else long_h + 24.0)


def _for_group(plan: Plan) -> Plan:
    """Nothing sad, nothing wild."""
    mild = {Mood.SAD: Mood.CALM, Mood.ENERGETIC: Mood.HAPPY}
    path = tuple(mild.get(mood, mood) for mood in plan.path)
    if path != plan.path:  # calm in the place of sad, and then calm: once is enough
        path = tuple(mood for mood, _ in groupby(path))
    plan = _capped(replace(plan, path=path), GROUP_ENERGY)
    if plan.target is None:
        return plan
    valence = max(plan.target.valence, GROUP_VALENCE_MIN)
    return replace(plan, target=Target(valence, max(plan.target.energy, GROUP_ENERGY_MIN)))


def _kept_awake(plan: Plan) -> Plan:
    """One quiet track at most, then glad ones of medium energy."""
    first, *rest = plan.path
    path = (first, *(mood for mood in rest if mood not in QUIET))
    path += (Mood.HAPPY,) if path[-1] in QUIET else ()
    changed = path != plan.path
    plan = _capped(replace(plan, path=path), ENERGY_CAP)
    if changed or (plan.target is not None and plan.target.energy < WAKEFUL.energy):
        plan = _capped(replace(plan, target=WAKEFUL), ENERGY_CAP)
    return plan


def _capped(plan: Plan, energy: float) -> Plan:
    """The plan with these limits, where its own are not tighter."""
    most = min(energy, 1.0 if plan.max_energy is None else plan.max_energy)
    fastest = min(TEMPO_CAP_BPM, plan.max_tempo_bpm or TEMPO_CAP_BPM)
    target = plan.target
    if target is not None:
        target = Target(target.valence, min(target.energy, most))
    return replace(plan, target=target, max_energy=most, max_tempo_bpm=fastest)


def _said(why: str, before: Plan, after: Plan) -> str:
    """What was tightened, such as ``at night: calm then happy, tempo at most 120``."""
    words = []
    if after.path != before.path:
        words.append(" then ".join(mood.value.lower() for mood in after.path))
    if after.max_energy != before.max_energy:
        words.append(f"energy at most {after.max_energy:g}")
    if after.max_tempo_bpm != before.max_tempo_bpm:
        words.append(f"tempo at most {after.max_tempo_bpm:g}")
    if after.target != before.target and not words:
        words.append("nearer the middle")
    return f"{why}: {', '.join(words)}" if words else ""
