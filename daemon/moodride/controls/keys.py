"""Which keys do what: from the settings, by their names, to the kernel's codes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from moodride.controls.device import Bindings
from moodride.controls.ignition_line import WHERE, InputLine, parse_line
from moodride.controls.press import MEANINGS, Gesture, PressTimes
from moodride.errors import ControlError
from moodride.settings_car import REMOTE_KEYS
from moodride.types import PressKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from moodride.settings_car import ControlSettings

__all__ = ["Keys", "bindings_of", "check_keys", "keys_of", "refuse_shared"]

_LOG = logging.getLogger(__name__)

_NOTHING: Final = "nothing"
_STUCK_AFTER_S: Final = 26.0
"""Held for so much longer than very long, a key is stuck: by default 30 s in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Which keys do what, by their names in the kernel.

    Attributes:
        button: keys read as the button, with its gestures.
        remote: keys that mean one thing each, told when pushed. One that is a button
            too is the button: that can say more.
        meanings: what each gesture of the button asks for; one left out does nothing.
        times: the times that tell gestures apart.
    """

    button: tuple[str, ...] = ("BTN_0", "KEY_PROG1")
    remote: Mapping[str, PressKind] = field(default_factory=lambda: _remote(REMOTE_KEYS))
    meanings: Mapping[Gesture, PressKind] = field(default_factory=lambda: MEANINGS)
    times: PressTimes = field(default_factory=PressTimes)


def keys_of(controls: ControlSettings) -> Keys:
    """Return what the settings say of buttons and remotes.

    "nothing" is left out. Where a remote's key is named twice, the last one counts.
    Whatever is configured, a key is stuck later than it is held very long, and a second
    press can come later than chatter.
    """
    gestures = {
        Gesture.SHORT: controls.short,
        Gesture.DOUBLE: controls.double,
        Gesture.LONG: controls.long,
        Gesture.VERY_LONG: controls.very_long,
    }
    return Keys(
        button=tuple(name.strip() for name in controls.button_keys),
        remote=_remote(controls.remote_keys),
        meanings={g: PressKind(meaning) for g, meaning in gestures.items() if meaning != _NOTHING},
        times=PressTimes(
            debounce_s=controls.debounce_s,
            double_s=max(controls.double_s, 2.0 * controls.debounce_s),
            long_s=controls.long_s,
            very_long_s=controls.very_long_s,
            stuck_s=controls.very_long_s + _STUCK_AFTER_S,
        ),
    )


def _remote(pairs: Iterable[str]) -> dict[str, PressKind]:
    """What is written as ``KEY=MEANING``, without what means nothing."""
    split = (pair.partition("=") for pair in pairs)
    meant = {name.strip(): meaning.strip() for name, _, meaning in split}
    return {n: PressKind(meaning) for n, meaning in meant.items() if meaning != _NOTHING}


def check_keys(keys: Keys) -> None:
    """Refuse names that the kernel does not know; for ``moodride check``.

    Raises:
        ControlError: the first wrong name and those most like it, or evdev is missing.
    """
    codes = _key_codes()
    for name in (*keys.button, *keys.remote):
        if name not in codes:
            near = get_close_matches(name.upper(), codes, 3)
            remedy = f"did you mean {' or '.join(near)}?" if near else "evtest(1) tells its name"
            raise ControlError(f"the kernel knows no key {name!r}", where="buttons", remedy=remedy)


def refuse_shared(line: str, keys: Keys) -> None:
    """Refuse an ignition line that is a key of the button or of a remote, too.

    Args:
        line: ``ignition.line``; one that cannot be read is told of where it is opened.
        keys: the keys in use.

    Raises:
        ControlError: it would be a press whenever the car is started.
    """
    try:
        parsed = parse_line(line)
    except ControlError:
        return
    if isinstance(parsed, InputLine) and parsed.key in {*keys.button, *keys.remote}:
        raise ControlError(
            f"{parsed.key} is a key of the button or of a remote, too",
            where=WHERE,
            remedy="give the ignition a key of its own",
        )


def bindings_of(keys: Keys) -> Bindings:
    """Look the names up; those that do not help are left out, and that is logged.

    Raises:
        ControlError: evdev is missing.
    """
    codes = _key_codes()
    unknown = [name for name in (*keys.button, *keys.remote) if name not in codes]
    if unknown:
        _LOG.warning("buttons: the kernel knows no key %s; left out", ", ".join(unknown))
    buttons = frozenset(codes[name] for name in keys.button if name in codes)
    # By code: one key can have several names, as BTN_0 and BTN_MISC.
    both = [name for name in keys.remote if codes.get(name) in buttons]
    if both:
        _LOG.warning("buttons: %s is the button, and no key of a remote", ", ".join(both))
    return Bindings(
        buttons=buttons,
        remote={
            codes[name]: kind
            for name, kind in keys.remote.items()
            if name in codes and codes[name] not in buttons
        },
        meanings=keys.meanings,
        times=keys.times,
    )


def _key_codes() -> dict[str, int]:
    try:
        from evdev import ecodes  # noqa: PLC0415  lazily: it brings asyncio
    except ImportError as error:
        raise ControlError(
            str(error), where="buttons", remedy="install evdev-binary, or use `moodride press`"
        ) from error
    return {name: code for name, code in ecodes.ecodes.items() if name.startswith(("KEY_", "BTN_"))}
