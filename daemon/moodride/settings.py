"""Every option of Moodride: its unit, range, default and meaning.

``config/moodride.toml`` is the same list for an owner to read; a test holds the two
against each other. These are plain dataclasses that carry their limits with them, so that
the music process need not load pydantic to hold them; `moodride.validate` has it check them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from moodride.settings_car import ControlSettings, IgnitionSettings, Section, Text
from moodride.types import Emotion, Mood

__all__ = [
    "BUILT_IN_POLICIES",
    "NAME_MAX",
    "POLICIES_MAX",
    "RULES_MAX",
    "ChoiceSettings",
    "Config",
    "ContextSettings",
    "ControlSettings",
    "IgnitionSettings",
    "LibrarySettings",
    "MemorySettings",
    "MoodSettings",
    "PathSettings",
    "PlaybackSettings",
    "PolicySettings",
    "RuleSettings",
    "VisionSettings",
    "check_name",
]

Share = Annotated[float, Ge(0.0), Le(1.0)]
Language = Annotated[str, MinLen(2), MaxLen(2)]

BUILT_IN_POLICIES: Final = ("safe", "match", "lift")
"""Names of the policies that come with Moodride; they are written in `moodride.mood.policy`."""

NAME_MAX: Final = 32
"""Characters in the name of a policy or a rule: they are said in reasons and logs."""

POLICIES_MAX: Final = 16
"""Policies of an owner's own."""

RULES_MAX: Final = 8
"""Rules in one policy: there are eight emotions, and each is in one rule at most."""

PATH_MAX: Final = 8
"""Moods in a path; its last one lasts."""


def check_name(name: str, what: str) -> None:
    """Refuse a name that could not be typed, or would garble a line of the log.

    Raises:
        ValueError: it is empty, too long, or has other characters than ASCII letters,
            digits, ``_`` and ``-``.
    """
    if not 1 <= len(name) <= NAME_MAX:
        raise ValueError(f"the name of a {what} has 1 to {NAME_MAX} characters")
    if not (name.isascii() and name.replace("_", "").replace("-", "").isalnum()):
        raise ValueError(f"the name of a {what} is made of a-z, A-Z, 0-9, _ and -")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionSettings(Section):
    """Where the pictures come from and which networks read them."""

    source: Text = "0"
    """Camera index, /dev/v4l/by-id path, video file, or folder of images."""
    rate_hz: Annotated[float, Ge(0.2), Le(30.0)] = 5.0
    """Analyses a second."""
    width: Annotated[int, Ge(160), Le(3840)] = 640
    """Width asked of the camera, pixels."""
    height: Annotated[int, Ge(120), Le(2160)] = 480
    """Height asked of the camera, pixels."""
    loop: bool = False
    """Start a file again when it ends."""
    seat: Literal["auto", "left", "right"] = "auto"
    """Side of the picture on which the driver sits."""
    face_card: Text = "models/retinaface/card.toml"
    """Card of the face detector."""
    emotion_card: Text = "models/emotion/card.toml"
    """Card of the emotion network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings(Section):
    """One feeling and its music, in a policy of the owner's own.

    In a file it is the table ``[mood.policies.POLICY.NAME]``.
    """

    name: str
    """One word for reasons and logs; in a file the last part of the table's name."""
    emotions: Annotated[tuple[Emotion, ...], MinLen(1), MaxLen(len(Emotion))]
    """Their probabilities are added. Surprise can be none of them."""
    path: Annotated[tuple[Mood, ...], MinLen(1), MaxLen(PATH_MAX)]
    """Moods of the next tracks; the last one lasts."""
    valence: Share | None = None
    """Tracks near this valence (0 sad, 1 glad) are likelier; goes together with energy."""
    energy: Share | None = None
    """Tracks near this energy (0 still, 1 intense) are likelier; goes together with valence."""
    max_energy: Share | None = None
    """No track above this energy; left out, there is no limit."""
    max_tempo_bpm: Annotated[float, Ge(40.0), Le(300.0)] | None = None
    """No faster track, beats per minute; left out, there is no limit."""
    prefer_valence: bool = False
    """Glad tracks first."""
    urgent: bool = False
    """May interrupt the playing track."""
    extra: Annotated[float, Ge(0.0), Le(0.4)] = 0.0
    """Added to ``mood.enter`` where stronger evidence is wanted."""

    def __post_init__(self) -> None:
        """Refuse what could never work, or would not do what it says."""
        check_name(self.name, "rule")
        if Emotion.SURPRISE in self.emotions:
            raise ValueError("surprise never changes the mood by itself: leave it out of emotions")
        twice = [e.value for e in Emotion if self.emotions.count(e) > 1]
        if twice:
            raise ValueError(f"{twice[0]} is named twice in emotions")
        if (self.valence is None) is not (self.energy is None):
            raise ValueError("valence and energy are one point: give both or neither")
        most = 1.0 if self.max_energy is None else self.max_energy
        if self.energy is not None and self.energy > most:
            raise ValueError(f"energy ({self.energy}) is above max_energy ({most})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings(Section):
    """A policy of the owner's own; in a file the tables ``[mood.policies.NAME.*]``."""

    name: str
    """What ``mood.policy`` calls it."""
    rules: Annotated[tuple[RuleSettings, ...], MinLen(1), MaxLen(RULES_MAX)]
    """One for each feeling; an emotion in none of them changes nothing."""

    def __post_init__(self) -> None:
        """Refuse names of ours, and an emotion that two rules want."""
        check_name(self.name, "policy")
        if self.name in BUILT_IN_POLICIES:
            raise ValueError(f"{self.name} is built in: give your own policy another name")
        owner: dict[Emotion, str] = {}
        for rule in self.rules:
            for emotion in rule.emotions:
                if emotion in owner:
                    raise ValueError(
                        f"{emotion.value} is in two rules, {owner[emotion]} and {rule.name}"
                    )
                owner[emotion] = rule.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings(Section):
    """What else than the face may tighten the limits; all of it is off unless asked for."""

    group: bool = False
    """Several people in the car: moderate music, nothing sad."""
    group_faces: Annotated[int, Ge(2), Le(8)] = 2
    """So many faces are several, the driver's included."""
    group_window_s: Annotated[float, Ge(5.0), Le(300.0)] = 30.0
    """Faces are counted over this many seconds."""
    night: bool = False
    """Gentle limits at night, and no quiet music for long; needs a clock that is right."""
    night_from_h: Annotated[float, Ge(0.0), Le(24.0)] = 0.0
    """The night begins, local time in hours."""
    night_to_h: Annotated[float, Ge(0.0), Le(24.0)] = 6.0
    """And ends."""
    long_drive: bool = False
    """The same limits after a long drive."""
    long_drive_min: Annotated[float, Ge(10.0), Le(600.0)] = 120.0
    """A drive is long after this many minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodSettings(Section):
    """How readings become a mood, and when the music may follow."""

    window_s: Annotated[float, Ge(0.5), Le(120.0)] = 15.0
    """Seconds of readings that are averaged."""
    evidence_min: Share = 0.4
    """Share of the window that must hold valid readings; below it the mood is unknown."""
    quality_min: Share = 0.2
    """Readings of a poorer face count for nothing."""
    enter: Share = 0.25
    """A judged probability above this speaks for a feeling, one below it against."""
    leave: Share = 0.2
    """A feeling ends when its mean over the window falls below this."""
    insist_s: Annotated[float, Ge(0.05), Le(60.0)] = 1.75
    """A feeling begins when what is above `enter` adds up to so many seconds."""
    soothe_s: Annotated[float, Ge(0.05), Le(60.0)] = 0.5
    """The same of anger and fear, after which soothing music may come at once."""
    lasting_s: Annotated[float, Ge(0.0), Le(60.0)] = 6.0
    """No feeling begins that has not shown for so long."""
    usual_face: bool = True
    """Judge by the departure from the driver's usual face."""
    learn_s: Annotated[float, Ge(0.0), Le(3600.0)] = 60.0
    """A fresh car learns the usual face for so long before anything changes by itself."""
    dwell_s: Annotated[float, Ge(0.0), Le(3600.0)] = 90.0
    """A mood lasts at least this long before an ordinary change."""
    interrupt_every_s: Annotated[float, Ge(0.0), Le(3600.0)] = 300.0
    """A playing track is interrupted at most once in this time."""
    change: Literal["track-end", "at-once"] = "track-end"
    """When an ordinary change of mood is heard."""
    stale_s: Annotated[float, Ge(0.2), Le(60.0)] = 3.0
    """Silence of the vision process after which `status` calls it gone."""
    absent_s: Annotated[float, Ge(1.0), Le(7200.0)] = 600.0
    """Without a face for this long the mood eases back to the baseline."""
    lock_s: Annotated[float, Ge(0.0), Le(3600.0)] = 120.0
    """After a press no automatic change for this long."""
    baseline: Mood = Mood.HAPPY
    """The mood to start with and to come back to."""
    policy: Text = "safe"
    """What each feeling leads to: safe, match, lift or one of ``policies``."""
    policies: Annotated[tuple[PolicySettings, ...], MaxLen(POLICIES_MAX)] = ()
    """Policies of the owner's own; see docs/mood-policy.md."""
    context: ContextSettings = ContextSettings()
    """What else than the face counts."""

    def __post_init__(self) -> None:
        """Refuse thresholds that cross, and a policy that is not there."""
        if self.leave >= self.enter:
            raise ValueError(f"leave ({self.leave}) must be below enter ({self.enter})")
        names = [policy.name for policy in self.policies]
        if len(set(names)) < len(names):
            raise ValueError("two policies have one name")
        if self.policy not in (*BUILT_IN_POLICIES, *names):
            raise ValueError(f"no policy is named {self.policy[:NAME_MAX]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LibrarySettings(Section):
    """The music."""

    index: Text = ""
    """The index that `moodride library` fills; empty is library.sqlite in the state folder."""
    catalogue: Text = "data/catalogue.csv"
    """A CSV in the columns of data_moods.csv plus path; plays where the index has nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSettings(Section):
    """Which tracks are drawn."""

    seed: Annotated[int, Ge(0), Le(2**31)] = 0
    """0 draws a new seed at each start; any other number repeats the same choice."""
    taste: bool = True
    """Learn from skips and from what is heard to the end; off forgets nothing."""
    prefer_languages: Annotated[tuple[Language, ...], MaxLen(32)] = ()
    """Songs in these languages are likelier, ISO 639-1 codes."""
    avoid_languages: Annotated[tuple[Language, ...], MaxLen(32)] = ()
    """Songs in these come only where nothing else is left."""

    def __post_init__(self) -> None:
        """Refuse a language that is both wanted and not."""
        both = [code for code in self.prefer_languages if code in self.avoid_languages]
        if both:
            raise ValueError(f"{both[0]} is in prefer_languages and in avoid_languages")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackSettings(Section):
    """How it sounds."""

    output: Text = "auto"
    """auto, null (no sound), pcm:FILE (a wave file), or a name of libmpv's --ao list."""
    device: Text = ""
    """libmpv's audio device, such as alsa/plughw:CARD=Device; empty is the system's default."""
    volume_pct: Annotated[float, Ge(0.0), Le(100.0)] = 70.0
    """Volume at the first start."""
    start_volume_max_pct: Annotated[float, Ge(0.0), Le(100.0)] = 80.0
    """A resumed volume is never louder than this."""
    fade_s: Annotated[float, Ge(0.0), Le(2.0)] = 1.5
    """Fade when a change of mood interrupts a track."""
    skip_fade_s: Annotated[float, Ge(0.0), Le(1.0)] = 0.2
    """Ramps at a skip: down with the old track, up with the new one."""
    fade_in_s: Annotated[float, Ge(0.0), Le(10.0)] = 2.0
    """Fade at the first sound."""
    loudness_lufs: Annotated[float, Ge(-30.0), Le(-10.0)] = -16.0
    """Every track is brought to this loudness, as far as its peaks allow."""
    buffer_s: Annotated[float, Ge(0.02), Le(1.0)] = 0.05
    """Sound that libmpv keeps ready, and the card as much again, within 0.02 to 0.1 s.

    A press is heard so much later, and a machine may stall so long unheard: 0.05 answers within
    150 ms; where a slow machine crackles, 0.08 is heard within 190 ms.
    """
    resume_back_s: Annotated[float, Ge(0.0), Le(30.0)] = 3.0
    """A resumed track begins so much earlier than it was left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings(Section):
    """What survives."""

    save_every_s: Annotated[float, Ge(1.0), Le(60.0)] = 5.0
    """Age of the resume point at most, while playing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings(Section):
    """Folders; empty is what systemd or the desktop's session says."""

    runtime: Text = ""
    """Folder of the sockets."""
    state: Text = ""
    """Folder of the journal and the resume point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Section):
    """The whole configuration."""

    vision: VisionSettings = VisionSettings()
    mood: MoodSettings = MoodSettings()
    library: LibrarySettings = LibrarySettings()
    choice: ChoiceSettings = ChoiceSettings()
    playback: PlaybackSettings = PlaybackSettings()
    controls: ControlSettings = ControlSettings()  # noqa: RUF009 - frozen
    ignition: IgnitionSettings = IgnitionSettings()  # noqa: RUF009 - frozen
    memory: MemorySettings = MemorySettings()
    paths: PathSettings = PathSettings()
