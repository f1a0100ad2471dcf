"""What ``ignition.line`` says: text to one of three kinds of line; pure but for `check_line`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from moodride.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ANY_SUPPLY",
    "WHERE",
    "GpioLine",
    "InputLine",
    "Line",
    "SupplyLine",
    "check_line",
    "parse_line",
    "switch_codes",
]

WHERE: Final = "ignition.line"

ANY_SUPPLY: Final = "*"
"""As the name of a supply: every one that is fed from outside."""

_FORMS: Final = "input:KEY_NAME, gpio:gpiochip0:27 or supply:NAME"
_TEXT_MAX: Final = 200
_KEY: Final = re.compile(r"(KEY|BTN|SW)_[A-Z0-9_]{1,60}")
_CHIP: Final = re.compile(r"[\w.@-]{1,64}", re.ASCII)
_SUPPLY: Final = re.compile(r"\*|[\w@+-][\w.@+:-]{0,99}", re.ASCII)
_OFFSET_MAX: Final = 4095


@dataclass(frozen=True, slots=True)
class InputLine:
    """A key or switch of an input device, by its name in linux/input-event-codes.h."""

    key: str


@dataclass(frozen=True, slots=True)
class GpioLine:
    """A line of a GPIO chip: the name of its node in /dev, or its label, and the offset."""

    chip: str
    offset: int


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """A folder of /sys/class/power_supply, or `ANY_SUPPLY`."""

    name: str


Line = InputLine | GpioLine | SupplyLine


def parse_line(text: str) -> Line | None:
    """Read what the configuration says.

    Args:
        text: ``ignition.line``.

    Returns:
        The line, or None: there is none, and the power cut is the end.

    Raises:
        ControlError: it is none of the three forms; says what is wrong and what to write.
    """
    text = text.strip()
    if not text:
        return None
    kind, colon, rest = text[:_TEXT_MAX].partition(":")
    makers: dict[str, Callable[[str], Line]] = {
        "input": _input,
        "gpio": _gpio,
        "supply": _supply,
    }
    if not colon or kind not in makers:
        near = get_close_matches(kind.lower(), makers, 1)
        meant = f"did you mean {near[0]}:? " if near else ""
        raise _wrong(f"{text[:40]!r} is no line", f"{meant}write {_FORMS}")
    return makers[kind](rest)


def check_line(text: str) -> str:
    """Refuse what can never work; for ``moodride check``.

    Returns:
        What the line is, in words.

    Raises:
        ControlError: it is no line, or the kernel knows no such key: those most like it.
    """
    line = parse_line(text)
    if isinstance(line, InputLine):
        switch_codes(line.key)
        return f"{line.key} of any input device that has it"
    if isinstance(line, GpioLine):
        return f"line {line.offset} of {line.chip}"
    if isinstance(line, SupplyLine):
        return "any supply from outside" if line.name == ANY_SUPPLY else f"the supply {line.name}"
    return "none: the power is cut"


def switch_codes(name: str) -> tuple[int, int]:
    """Return the type and the code of a key, button or switch.

    The library ``evdev``, which knows them, takes 0.06 s to import: never before the sound.

    Raises:
        ControlError: the kernel knows none of that name, or evdev is missing.
    """
    try:
        from evdev import ecodes  # noqa: PLC0415 - lazily, see above
    except ImportError as error:
        raise _wrong(str(error), "install evdev-binary, or use a gpio: or supply: line") from error
    known = {key: code for key, code in ecodes.ecodes.items() if _KEY.fullmatch(key)}
    if name not in known:
        near = get_close_matches(name, known, 3)
        remedy = f"did you mean {' or '.join(near)}?" if near else "evtest(1) tells its name"
        raise _wrong(f"the kernel knows no key {name!r}", remedy)
    return (int(ecodes.EV_SW if name.startswith("SW_") else ecodes.EV_KEY), int(known[name]))


def _input(rest: str) -> InputLine:
    if not _KEY.fullmatch(rest.upper()):
        raise _wrong(
            f"{rest[:40]!r} is no name of a key",
            "write one of linux/input-event-codes.h, such as input:KEY_PROG2 or input:SW_DOCK",
        )
    return InputLine(rest.upper())


def _gpio(rest: str) -> GpioLine:
    chip, colon, offset = rest.rpartition(":")
    numeric = offset.isascii() and offset.isdigit() and int(offset[:9]) <= _OFFSET_MAX
    if not colon or not numeric or not _CHIP.fullmatch(chip) or set(chip) <= {"."}:
        raise _wrong(
            f"{rest[:40]!r} is no chip and offset",
            f"write gpio:CHIP:OFFSET with an offset of 0 to {_OFFSET_MAX}, such as "
            "gpio:gpiochip0:27; gpioinfo(1) shows them",
        )
    return GpioLine(chip, int(offset))


def _supply(rest: str) -> SupplyLine:
    if not _SUPPLY.fullmatch(rest):
        raise _wrong(
            f"{rest[:40]!r} is no name of a supply",
            "write one that `ls /sys/class/power_supply` shows, or supply:* for any",
        )
    return SupplyLine(rest)


def _wrong(what: str, remedy: str) -> ControlError:
    return ControlError(what, where=WHERE, remedy=remedy)
