"""`moodride run`: the music process, its real parts put together, first sound first."""

from __future__ import annotations

import ctypes
import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from moodride.commands.librarian import Librarian
from moodride.commands.library import Library, Music
from moodride.commands.reload import Reload
from moodride.commands.sound import mpv_settings
from moodride.conductor.clerk import Clerk
from moodride.conductor.inbox import Inbox
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import Context
from moodride.conductor.service import Service
from moodride.config import READINGS, Loaded, runtime_folder, state_folder
from moodride.controls.camera import CameraSwitch
from moodride.controls.camera_aside import SwitchAside
from moodride.controls.power import PowerRequest
from moodride.errors import MoodrideError
from moodride.notify import Notifier
from moodride.playback.mpv import MpvPlayer
from moodride.types import PlayerEvent
from moodride.wire import ReadingReceiver

__all__ = ["run"]

log = logging.getLogger(__name__)

LIBRARY_RETRY_S: Final = 3.0

_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 128 * 1024


def run(loaded: Loaded) -> int:
    """Play until SIGTERM or SIGINT, or until the terminal is closed.

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
        service = _service(loaded, music, inbox)
    except MoodrideError:
        receiver.close()
        raise
    again = threading.Event()
    with _signals(service, again):
        try:
            service.begin()
            reload = Reload(loaded, service.reconfigure)
            watch = _Watch(library, music, service, reload=reload, again=again)
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


def _service(loaded: Loaded, music: Music, inbox: Inbox) -> Service:
    config = loaded.config
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

    folder = runtime_folder(config)
    return Service(
        context=context,
        player=MpvPlayer(event, settings=mpv_settings(config.playback, config.controls)),
        inbox=inbox,
        keeper=Clerk(Keeper(state_folder(config))),
        notifier=Notifier(),
        camera=SwitchAside(CameraSwitch(folder, state_folder(config))),
        power=PowerRequest(folder),
        librarian=Librarian(loaded),
    )


@contextmanager
def _surroundings(
    loaded: Loaded, watch: _Watch, *, receiver: ReadingReceiver, inbox: Inbox, service: Service
) -> Iterator[None]:
    """All that may come after the first sound: readings, and what is in the driver's hands."""
    from moodride.commands.hands import Hands  # noqa: PLC0415 - after the sound

    over = threading.Event()
    missing = service.show_switches()
    hands = Hands(
        loaded.config,
        inbox=inbox,
        status=lambda: service.status,
        reload=watch.reload,
        leave=service.stop,
        problems=missing,
    )

    def extra() -> dict[str, object]:
        disk = service.disk_problem
        return {
            "problems": [*watch.problems, *missing, *hands.problems, *([disk] if disk else [])],
            "controls": hands.told,
            "library": watch.told,
            "readings": {"received": receiver.received, "refused": receiver.refused},
        }

    service.extra, service.shown = extra, hands.show
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
        service.shown = lambda _status: None
        hands.close()
        for thread in threads:
            thread.join(timeout=1.0)


class _Watch:
    """Looks for what changes while the music plays: sticks that come and go, a scan, settings."""

    def __init__(
        self,
        library: Library,
        music: Music,
        service: Service,
        *,
        reload: Reload,
        again: threading.Event,
    ) -> None:
        self._library = library
        self._music = music
        self._service = service
        self._reload = reload
        self._again = again
        self._lock = threading.Lock()  # the control socket reloads in a thread of its own

    @property
    def problems(self) -> list[str]:
        """What is wrong with the configuration and the library, a line each."""
        return [*self._reload.problems, *self._music.problems]

    def reload(self) -> Mapping[str, list[str]]:
        """Read the configuration again, and look for music that turned up."""
        with self._lock:
            told = self._reload()
            self._look()
        return told

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
            try:
                with self._lock:
                    if self._again.is_set():  # SIGHUP: `systemctl reload moodride`
                        self._again.clear()
                        self._reload()
                    self._look()
            except Exception:  # the next look may find what this one could not
                log.exception("configuration and library: not looked after this time")

    def _look(self) -> None:
        """The owner's catalogue may be mended, or its files may turn up, at any time."""
        if not (self._music.substitute or self._library.changed()):
            return
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
def _signals(service: Service, again: threading.Event) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP only set a flag.

    SIGHUP is `systemctl reload moodride`, whose unit sends it; elsewhere it says that the
    terminal was closed, and what played on then could not be ended there. Who starts it with
    nohup(1) wants just that.
    """
    # See systemd.exec(5); a shell may have it, too, from the unit of its terminal.
    by_systemd = "INVOCATION_ID" in os.environ and not os.isatty(0)

    def handle(number: int, _frame: object) -> None:
        if number == signal.SIGHUP and by_systemd:
            again.set()
        else:
            service.stop()

    wanted = [signal.SIGTERM, signal.SIGINT]
    if by_systemd or signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    before = {n: signal.signal(n, handle) for n in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
