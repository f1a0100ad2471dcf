"""The options of what is in the driver's hands: the button, its answers, the ignition.

Apart from `moodride.settings`, which shows them with the others, because that page is long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from annotated_types import Ge, Le, MaxLen

__all__ = ["ControlSettings", "IgnitionSettings", "Meaning", "Section", "Text"]

Text = Annotated[str, MaxLen(4096)]

Meaning = Literal[
    "next",
    "next-mood",
    "automatic",
    "camera",
    "previous",
    "play-pause",
    "volume-up",
    "volume-down",
    "wrong-mood",
    "nothing",
]
"""What a gesture or a key asks for; the values of `moodride.types.PressKind`, or nothing."""

REMOTE_KEYS: Final = (
    "KEY_NEXTSONG=next",
    "KEY_PREVIOUSSONG=previous",
    "KEY_PLAYPAUSE=play-pause",
    "KEY_PLAYCD=play-pause",
    "KEY_PAUSECD=play-pause",
    "KEY_VOLUMEUP=volume-up",
    "KEY_VOLUMEDOWN=volume-down",
)
"""Keys of remotes and steering wheels, and what they say."""


class Section:
    """What the sections have in common: pydantic refuses keys that are not there."""

    __slots__ = ()
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic wants it so


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings(Section):
    """The button, and how it is answered."""

    button_keys: Annotated[tuple[Text, ...], MaxLen(32)] = ("BTN_0", "KEY_PROG1")
    """Key codes of the one button; see linux/input-event-codes.h."""
    remote_keys: Annotated[tuple[Text, ...], MaxLen(64)] = REMOTE_KEYS
    """Other keys and what each asks for, as "KEY_NEXTSONG=next".

    One that is a key of the button too is the button; named twice, the last one counts.
    """
    short: Meaning = "next"
    """What a short press asks for."""
    double: Meaning = "next-mood"
    """What two short presses ask for."""
    long: Meaning = "automatic"
    """What a long press asks for."""
    very_long: Meaning = "camera"
    """What a very long press asks for; it has passed through the long one."""
    debounce_s: Annotated[float, Ge(0.0), Le(0.1)] = 0.03
    """A contact may chatter for so long after an edge."""
    double_s: Annotated[float, Ge(0.1), Le(1.0)] = 0.4
    """Two presses within this are a double press; at least twice `debounce_s`."""
    long_s: Annotated[float, Ge(0.4), Le(3.0)] = 1.2
    """A press held this long is a long press."""
    very_long_s: Annotated[float, Ge(1.0), Le(20.0)] = 4.0
    """A press held this long is a very long press; more than `long_s`."""
    hand_hold_s: Annotated[float, Ge(0.0), Le(86400.0)] = 0.0
    """How long a mood set by hand holds; 0 is for the drive."""
    hand_after_cut_s: Annotated[float, Ge(0.0), Le(86400.0)] = 900.0
    """After a power cut, which may have ended the drive, it holds so much longer at most."""
    cues: bool = True
    """Short tones over the music answer a press."""
    cue_db: Annotated[float, Ge(-40.0), Le(-6.0)] = -20.0
    """Peak of those tones, dB full scale, before the driver's volume."""
    led: Text = ""
    """A light of /sys/class/leds that shows how it goes; empty is none."""

    def __post_init__(self) -> None:
        """Refuse times that cross, and keys without a meaning."""
        if self.very_long_s <= self.long_s:
            raise ValueError(
                f"very_long_s ({self.very_long_s}) must be above long_s ({self.long_s})"
            )
        meanings = Meaning.__args__  # type: ignore[attr-defined]
        for pair in self.remote_keys:
            key, equals, meaning = pair.partition("=")
            if not (key and equals and meaning in meanings):
                raise ValueError(
                    f"{pair[:40]!r} in remote_keys is not KEY=MEANING with one of "
                    f"{', '.join(meanings)}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnitionSettings(Section):
    """The line that says whether the car is on; without one the power cut is the end."""

    line: Text = ""
    """input:KEY, gpio:CHIP:OFFSET or supply:NAME; empty is none. See docs/hardware.md."""
    active_low: bool = False
    """The line is low, or the key is up, while the car is on."""
    ignore_below_s: Annotated[float, Ge(0.0), Le(60.0)] = 5.0
    """Off for a shorter time is cranking, and nothing happens."""
    off_after_s: Annotated[float, Ge(0.0), Le(86400.0)] = 30.0
    """Off for so long, the machine is switched off; at least `ignore_below_s`."""
    power_off: bool = True
    """Ask systemd to switch the machine off; else the music only stands still."""

    def __post_init__(self) -> None:
        """Refuse times that cross."""
        if self.off_after_s < self.ignore_below_s:
            raise ValueError(
                f"off_after_s ({self.off_after_s}) must not be below "
                f"ignore_below_s ({self.ignore_below_s})"
            )
