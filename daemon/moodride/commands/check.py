"""`moodride check`: one line for each thing that has to be right, and its remedy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moodride.commands.library import find_music
from moodride.config import CONTROL, Loaded, runtime_folder, state_folder
from moodride.errors import MoodrideError, ServiceError
from moodride.types import MOODS

if TYPE_CHECKING:
    from moodride.vision.card import Card

__all__ = ["check"]

Check = Callable[[], str]


def check(loaded: Loaded, *, source: str | None = None) -> int:
    """Print the lines; 0 if all is well, 1 if something is wrong.

    A running service holds camera and sound card: then it is asked instead of them.
    """
    wrong = 0
    for name, probe in _checks(loaded, source):
        try:
            line, mark = probe(), "good "
        except MoodrideError as error:
            line, mark = str(error), "WRONG"
            wrong += 1
        except Exception as error:  # noqa: BLE001 - the other lines still have to be said
            line, mark = f"unforeseen {type(error).__name__}: {error}", "WRONG"
            wrong += 1
        click.echo(f"{mark} {name:<14} {line}")
        sys.stdout.flush()
    return 1 if wrong else 0


def _checks(loaded: Loaded, source: str | None) -> Iterator[tuple[str, Check]]:
    config = loaded.config
    yield "configuration", lambda: _configuration(loaded)
    yield "policy", lambda: _policy(loaded)
    yield "face model", lambda: _face_model(Path(config.vision.face_card))
    yield "emotion model", lambda: _emotion_model(Path(config.vision.emotion_card))
    yield "camera", lambda: _camera(loaded, source or config.vision.source)
    yield "sound", lambda: _sound(loaded)
    yield "library", lambda: _library(loaded)
    yield "buttons", lambda: _buttons(loaded)
    yield "ignition", lambda: _ignition(loaded)
    yield "light", lambda: _light(loaded)
    yield "usual face", lambda: _usual_face(loaded)
    yield "state", lambda: _folder(state_folder(config), "paths.state")
    yield "sockets", lambda: _folder(runtime_folder(config), "paths.runtime")


def _configuration(loaded: Loaded) -> str:
    if loaded.problems:
        raise MoodrideError(" | ".join(loaded.problems))
    return ", ".join(str(path) for path in loaded.files)


def _policy(loaded: Loaded) -> str:
    """What each feeling leads to: ours by name, the owner's own in words."""
    from moodride.mood.policy import in_words, named  # noqa: PLC0415
    from moodride.settings import BUILT_IN_POLICIES  # noqa: PLC0415

    mood = loaded.config.mood
    context = mood.context
    counted = [key for key in ("group", "night", "long_drive") if getattr(context, key)]
    besides = f"; besides the face: {', '.join(counted).replace('_', ' ')}" if counted else ""
    own = "" if mood.policy in BUILT_IN_POLICIES else f", {in_words(named(mood))}"
    return f"{mood.policy}{own}{besides}"


def _face_model(path: Path) -> str:
    import numpy as np  # noqa: PLC0415 - each check loads its own

    from moodride.vision.card import load_card  # noqa: PLC0415
    from moodride.vision.retinaface import FaceDetector  # noqa: PLC0415
    from moodride.vision.watch import track_card_of  # noqa: PLC0415

    cards = [load_card(path)]
    if near := track_card_of(cards[0]):
        cards.append(load_card(near))
    for card in cards:
        # Only an answer shows whether the network is what the rest of the card says.
        FaceDetector(card).detect(np.zeros((48, 64), np.uint8))
    sizes = ", ".join(f"{card.name} {card.input.width}x{card.input.height}" for card in cards)
    return f"{sizes}, {_matches(*cards)}"


def _emotion_model(path: Path) -> str:
    import numpy as np  # noqa: PLC0415

    from moodride.vision.card import load_card  # noqa: PLC0415
    from moodride.vision.emotions import EmotionReader  # noqa: PLC0415

    card = load_card(path)
    reader = EmotionReader.load(path)
    reader.read_aligned(np.zeros((reader.size, reader.size), np.uint8))
    return f"{card.name}, {card.input.width}x{card.input.height}, {_matches(card)}"


def _matches(*cards: Card) -> str:
    """Say by what the files were known: a published one has no sha256 on its card."""
    by_sha256 = all(card.file.sha256 for card in cards)
    return "sha256 matches" if by_sha256 else "git blob id matches"


def _running(loaded: Loaded) -> dict[str, Any] | None:
    """The status of the running daemon, or None."""
    from moodride.commands.status import ask_status  # noqa: PLC0415

    try:
        return ask_status(runtime_folder(loaded.config) / CONTROL)
    except ServiceError:
        return None


def _camera(loaded: Loaded, source: str) -> str:
    from moodride.controls.camera import CameraSwitch  # noqa: PLC0415

    switch = CameraSwitch(runtime_folder(loaded.config), state_folder(loaded.config))
    if source == loaded.config.vision.source and not switch.on:
        return "switched off by the driver; a very long press switches it on"
    running = _running(loaded)
    if running and running["vision"]["alive"] and source == loaded.config.vision.source:
        return f"{source}: read by the running moodride watch"
    from moodride.vision.camera import SourceOptions, check_source  # noqa: PLC0415

    vision = loaded.config.vision
    options = SourceOptions(rate_hz=vision.rate_hz, width=vision.width, height=vision.height)
    return f"{source}: {check_source(source, options)}"


def _sound(loaded: Loaded) -> str:
    running = _running(loaded)
    if running and not running["playback"]["waiting_for_sound"]:
        return f"{running['playback']['output']}, in use by the running moodride"
    from moodride.commands.sound import device_hint, heard_output  # noqa: PLC0415

    playback = loaded.config.playback
    hint = device_hint(playback)
    return heard_output(playback) + (f"; {hint}" if hint else "")


def _library(loaded: Loaded) -> str:
    music = find_music(loaded.config)
    if music.problems:
        raise MoodrideError(" | ".join(music.problems))
    moods = [mood.value for number, mood in enumerate(MOODS) if number in music.shelf.moods]
    away = f", away: {', '.join(music.away)}" if music.away else ""
    return f"{len(music.shelf)} tracks, {', '.join(sorted(moods))}, in {music.where}{away}"


def _buttons(loaded: Loaded) -> str:
    from moodride.controls.keys import check_keys, keys_of  # noqa: PLC0415

    keys = keys_of(loaded.config.controls)
    check_keys(keys)
    meant = ", ".join(f"{gesture} {kind}" for gesture, kind in keys.meanings.items())
    return f"{', '.join(keys.button)}: {meant or 'nothing'} (none needed at the start)"


def _ignition(loaded: Loaded) -> str:
    """The line, and how it is: the running service holds a GPIO line."""
    from moodride.controls.ignition import open_line  # noqa: PLC0415
    from moodride.controls.ignition_line import WHERE, check_line, parse_line  # noqa: PLC0415
    from moodride.controls.keys import keys_of, refuse_shared  # noqa: PLC0415

    settings = loaded.config.ignition
    line = parse_line(settings.line)
    words = check_line(settings.line)
    refuse_shared(settings.line, keys_of(loaded.config.controls))
    if line is None:
        return words
    running = _running(loaded) or {}
    hands = running.get("controls") or {}
    watched = hands.get("ignition_line"), hands.get("ignition_active_low")
    if watched == (settings.line, settings.active_low):
        if problem := hands.get("ignition_problem"):
            raise MoodrideError(f"{problem}, says the running moodride")
        if running["ignition"]["known"]:
            return f"{words}: {_level(on=running['ignition']['on'])}, says the running moodride"
    source = open_line(line, active_low=settings.active_low)
    try:
        on = source.read()
    except MoodrideError:
        raise  # it says already what is wrong, and where
    except OSError as error:
        why = error.strerror or str(error)
        raise MoodrideError(
            f"{words} cannot be read, {why}", where=WHERE, remedy="see docs/hardware.md, Ignition"
        ) from error
    finally:
        source.close()
    return f"{words}: {_level(on=on)}"


def _level(*, on: bool) -> str:
    return "on" if on else "off"


def _light(loaded: Loaded) -> str:
    from moodride.controls.led import Led  # noqa: PLC0415

    name = loaded.config.controls.led
    hands = (_running(loaded) or {}).get("controls") or {} if name else {}
    if hands.get("led_wanted") == name and (problem := hands.get("led_problem")):
        raise MoodrideError(f"{problem}, says the running moodride")
    return Led(name).check()


def _usual_face(loaded: Loaded) -> str:
    from moodride.commands.usual import in_words  # noqa: PLC0415

    return in_words(loaded)


def _folder(folder: Path, key: str) -> str:
    """Can it be made and written?"""
    remedy = f"let this user write there, or set {key}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".moodride-check"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        why = error.strerror or str(error)
        raise MoodrideError(
            f"cannot be written, {why}", where=str(folder), remedy=remedy
        ) from error
    return str(folder)
