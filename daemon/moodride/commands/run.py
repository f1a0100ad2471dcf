"""`moodride run`: the music process, its real parts put together, first sound first."""

from __future__ import annotations

import ctypes
import logging
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from moodride.commands.library import Library, Music
from moodride.commands.sound import mpv_settings
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import Context
from moodride.conductor.service import Inbox, Service
from moodride.config import CONTROL, READINGS, Loaded, runtime_folder, state_folder
from moodride.errors import MoodrideError
from moodride.notify import Notifier
from moodride.playback.mpv import MpvPlayer
from moodride.settings import Config
from moodride.types import PlayerEvent, PressKind
from moodride.wire import ReadingReceiver

__all__ = ["run"]

log = logging.getLogger(__name__)

LIBRARY_RETRY_S: Final = 3.0

_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 128 * 1024


def run(loaded: Loaded) -> int:
    """Play until SIGTERM or SIGINT.

    Raises:
        MoodrideError: another one is running, or there is nothing to play or to play with.
    """
    _give_memory_back()
    config = loaded.config
    folder = runtime_folder(config)
    receiver = ReadingReceiver(folder / READINGS)
    try:
        library = Library(config)
        music = library.load()
        inbox = Inbox()
        service = _service(config, music, inbox)
    except MoodrideError:
        receiver.close()
        raise
    with _signals(service):
        try:
            service.begin()
            problems = [*loaded.problems, *music.problems]
            watch = _Watch(library, music, service, problems)
            with _surroundings(loaded, watch, receiver=receiver, inbox=inbox, service=service):
                service.run()
        finally:
            service.close()
            receiver.close()
    return 0


def _give_memory_back() -> None:
    """Have large buffers returned to the kernel when they are freed.

    libmpv takes some 10 MB to open a file. glibc learns from the first one freed to keep such
    buffers in its heap (mallopt(3), the dynamic M_MMAP_THRESHOLD), and the process stays that much
    larger for good: measured 96 MB against 85 MB from the second track on. A fixed threshold
    stops it.
    """
    with suppress(OSError, AttributeError):  # another C library: it only costs memory
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _service(config: Config, music: Music, inbox: Inbox) -> Service:
    context = Context(
        shelf=music.shelf,
        missing=music.missing,
        substitute=music.substitute,
        own=music.own,
        config=config,
        seed=config.choice.seed or secrets.randbelow(2**31),
        wants_sound=config.playback.output != "null",
    )

    def event(event: PlayerEvent) -> None:
        inbox.put(event)

    keeper = Keeper(state_folder(config))
    player = MpvPlayer(event, settings=mpv_settings(config.playback))
    return Service(context=context, player=player, inbox=inbox, keeper=keeper, notifier=Notifier())


@contextmanager
def _surroundings(
    loaded: Loaded, watch: _Watch, *, receiver: ReadingReceiver, inbox: Inbox, service: Service
) -> Iterator[None]:
    """All that may come after the first sound: readings, control socket, buttons."""
    over = threading.Event()
    problems = watch.problems
    parts = _Controls(loaded.config, inbox, service, problems)

    def extra() -> dict[str, object]:
        disk = service.disk_problem
        return {
            "problems": [*problems, *([disk] if disk else [])],
            "buttons": parts.buttons,
            "library": watch.told,
            "readings": {"received": receiver.received, "refused": receiver.refused},
        }

    service.extra = extra
    threads = [
        threading.Thread(target=_read, args=(receiver, inbox, over), name="readings"),
        threading.Thread(target=watch.run, args=(over,), name="library"),
    ]
    for thread in threads:
        thread.daemon = True
        thread.start()
    try:
        yield
    finally:
        over.set()
        parts.close()
        for thread in threads:
            thread.join(timeout=1.0)


class _Controls:
    """Buttons and control socket; whichever cannot be had, the music plays on without it."""

    def __init__(self, config: Config, inbox: Inbox, service: Service, problems: list[str]) -> None:
        from moodride.controls.evdev import EvdevButtons, Keys  # noqa: PLC0415 - after the sound
        from moodride.controls.press import MEANINGS, Gesture, PressTimes  # noqa: PLC0415
        from moodride.controls.status import ControlServer  # noqa: PLC0415

        controls = config.controls
        # Camera off has no meaning yet; unmapped, a very long press stays the long one it was.
        meanings: dict[Gesture, PressKind] = {
            g: kind for g, kind in MEANINGS.items() if g is not Gesture.VERY_LONG
        }
        times = PressTimes(double_s=controls.double_s, long_s=controls.long_s)
        keys = Keys(button=controls.button_keys, times=times, meanings=meanings)
        self._buttons = EvdevButtons(inbox.put, keys=keys)
        self._server = ControlServer(
            runtime_folder(config) / CONTROL, status=lambda: service.status, press=inbox.put
        )
        for part in (self._buttons, self._server):
            try:
                part.start()
            except MoodrideError as error:
                log.warning("%s; the music plays on without it", error)
                problems.append(str(error))

    @property
    def buttons(self) -> list[str]:
        """Names of the input devices that are read."""
        return list(self._buttons.devices)

    def close(self) -> None:
        """Let both go."""
        self._server.close()
        self._buttons.close()


class _Watch:
    """Looks for music that comes and goes: a late stick, one that is pulled out, a scan."""

    def __init__(
        self, library: Library, music: Music, service: Service, problems: list[str]
    ) -> None:
        self._library = library
        self._music = music
        self._service = service
        self.problems = problems

    @property
    def told(self) -> dict[str, object]:
        """Where the music is from, for `moodride status`."""
        music = self._music
        return {
            "tracks": len(music.shelf),
            "where": str(music.where),
            "away": list(music.away),
            "substitute": music.substitute,
        }

    def run(self, over: threading.Event) -> None:
        """Look until the end."""
        while not over.wait(LIBRARY_RETRY_S):
            # The owner's catalogue may be mended, or its files may turn up, at any time.
            if self._music.substitute or self._library.changed():
                self._look()

    def _look(self) -> None:
        before = self._music
        try:
            # While the demo library plays, it has been said already what is wrong.
            music = self._library.find() if before.substitute else self._library.load()
        except MoodrideError as error:
            if not before.substitute:
                log.warning("library: %s; what plays goes on", error)
            return
        log.info("library: %d tracks by %s", len(music.shelf), music.where)
        self._music = music
        self.problems[:] = [line for line in self.problems if line not in before.problems]
        self.problems += music.problems
        self._service.library_changed(
            music.shelf, missing=music.missing, substitute=music.substitute, own=music.own
        )


def _read(receiver: ReadingReceiver, inbox: Inbox, over: threading.Event) -> None:
    """Pass the newest reading on until the end."""
    while not over.is_set():
        reading = receiver.receive(0.25)
        if reading is not None:
            inbox.put_reading(reading)


@contextmanager
def _signals(service: Service) -> Iterator[None]:
    """SIGTERM and SIGINT only set a flag."""

    def handle(_number: int, _frame: object) -> None:
        service.stop()

    before = {n: signal.signal(n, handle) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
