"""A drive told again: recorded readings through smoothing, decider and policy. Pure.

Time is the readings' own. Decisions are asked for as often as the service asks for them
(`conductor.service.TICK_S`), with what it knows besides the face, so what comes out is what the
music would have been told. Only the hour is unknown: readings do not say when they were made.
The car is a fresh one, so nothing changes by itself before ``learn_s`` seconds of the face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from moodride.mood import decider
from moodride.mood.context import Faces, Surroundings
from moodride.mood.policy import Plan, Policy, named
from moodride.settings import MoodSettings
from moodride.types import Distribution, Mood, Reading

__all__ = ["JUMP_S", "TICK_S", "Moment", "Oddity", "in_order", "timeline"]

TICK_S: Final = 0.25
"""Seconds between two questions whether something changes, as in the service."""

QUIET_S: Final = 5.0
"""Without a reading for this long it is asked less often."""

QUIET_TICK_S: Final = 1.0
"""So often: in a silence things only run out, and a second more or less is no matter."""

JUMP_S: Final = 3.0 * 3600.0
"""A silence longer than this is no silence but a clock that was set: every span of the
configuration has run out by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is known at one question of the service.

    Attributes:
        t_s: seconds since the first reading, jumps of its clock taken out.
        judgement: what the last ``window_s`` say.
        felt: of each rule of the policy its judged probability, 0..1, over the window:
            a feeling ends by it; empty where nothing was read.
        insistence: of each rule how insistently it shows, 0..2: a feeling begins at 1.
        feeling: the rule that holds, "" for none.
        plan: what the music follows from now on.
        why: the reason in words.
        change: what was decided at this moment, or None.
        interrupts: that change asks for another mood while the track still plays.
    """

    t_s: float
    judgement: decider.Judgement
    felt: Mapping[str, float]
    insistence: Mapping[str, float]
    feeling: str
    plan: Plan
    why: str
    change: decider.Decision | None = None
    interrupts: bool = False

    @property
    def mood(self) -> Mood:
        """The mood that the plan begins with."""
        return self.plan.path[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A reading whose time does not follow the one before.

    Attributes:
        index: which reading, counted from 0.
        why: what is odd, in words.
        left_out: it alone is odd and is not used; else the clock was set, and time goes
            on from there as if nothing had been between.
    """

    index: int
    why: str
    left_out: bool


def timeline(
    readings: Iterable[Reading],
    settings: MoodSettings,
    *,
    odd: Callable[[Oddity], None] | None = None,
) -> Iterator[Moment]:
    """Tell the drive again, one `Moment` for each question of the service.

    Lazy: readings are taken one by one, and an hour of them needs no more memory than a
    minute. The first moment is before the first reading, the last one at the last.

    Args:
        readings: in the order of their writing, at any rate, with any gaps.
        settings: of the mood.
        odd: is told of each reading whose time does not follow.
    """
    state, faces, ask = decider.start(settings, 0.0), Faces(), _Asking(settings)
    tick_s, heard_s, asked_s = 0.0, -1.0, -1.0
    for now, reading in in_order(readings, odd=odd):
        while tick_s < now:
            state, moment = ask(state, faces, tick_s)
            yield moment
            asked_s = tick_s
            tick_s += TICK_S if tick_s - heard_s < QUIET_S else QUIET_TICK_S
        state = decider.observe(state, reading, now, settings)
        faces = faces.add(reading, now, over_s=settings.context.group_window_s)
        heard_s = now
    if heard_s > asked_s:
        state, moment = ask(state, faces, heard_s)
        yield moment


class _Asking:
    """The question whether something changes, and what is known at that moment."""

    def __init__(self, settings: MoodSettings) -> None:
        self._settings = settings
        self._rules: Policy = named(settings)

    def __call__(
        self, state: decider.MoodState, faces: Faces, now: float
    ) -> tuple[decider.MoodState, Moment]:
        """Ask at ``now``, with what the conductor knows besides the face."""
        before = state.plan.path[0]
        around = Surroundings(driven_min=now / 60.0, faces=faces.seen(now))
        state, change = decider.decide(state, now, self._settings, surroundings=around)
        judgement = decider.judge(state, now, self._settings)
        moment = Moment(
            t_s=now,
            judgement=judgement,
            felt=self._felt(judgement.judged),
            insistence=self._by_name(judgement.insistence),
            feeling=state.feeling,
            plan=state.plan,
            why=state.why,
            change=change,
            interrupts=bool(change and change.at_once and _next(change.plan, before) is not before),
        )
        return state, moment

    def _felt(self, judged: Distribution | None) -> dict[str, float]:
        """The probability of each rule."""
        if judged is None:
            return {}
        return self._by_name(rule.probability(judged) for rule in self._rules)

    def _by_name(self, values: Iterable[float]) -> dict[str, float]:
        return {rule.name: value for rule, value in zip(self._rules, values, strict=True)}


def _next(plan: Plan, heard: Mood) -> Mood:
    """The mood of the track that comes next: the music does not begin with what plays already."""
    return plan.mood_at(1) if heard is plan.path[0] else plan.path[0]


def in_order(
    readings: Iterable[Reading], *, odd: Callable[[Oddity], None] | None = None
) -> Iterator[tuple[float, Reading]]:
    """Give each reading its seconds since the first one, never falling.

    A time that runs backwards, or leaps ahead by more than `JUMP_S`, is weighed by the
    reading after it: where that one follows the times before, the odd one alone is wrong
    and is left out; else the clock was set, and time goes on from there.
    """
    told = odd or _untold
    now, before = 0.0, None
    held: tuple[int, Reading] | None = None
    for index, reading in enumerate(readings):
        if held is not None and before is not None:
            at, strange = held
            held = None
            if _follows(reading.t_s, before):
                told(Oddity(index=at, why=_lonely(strange.t_s, before), left_out=True))
            else:
                told(Oddity(index=at, why=_set(strange.t_s, before), left_out=False))
                before = strange.t_s
                yield now, strange
        if before is None or _follows(reading.t_s, before):
            now += 0.0 if before is None else reading.t_s - before
            before = reading.t_s
            yield now, reading
        else:
            held = index, reading
    if held is not None and before is not None:
        at, strange = held
        told(Oddity(index=at, why=_lonely(strange.t_s, before), left_out=True))


def _follows(t_s: float, before: float) -> bool:
    """Can this be the next time? No comparison holds for what is no number."""
    return 0.0 <= t_s - before <= JUMP_S


def _lonely(t_s: float, before: float) -> str:
    return f"its time, {t_s:.1f} s, does not follow {before:.1f} s"


def _set(t_s: float, before: float) -> str:
    return f"the clock jumps from {before:.1f} to {t_s:.1f} s; time goes on from there"


def _untold(_: Oddity) -> None:
    """Nobody wants to know."""
