"""libmpv through python-mpv, with our errors. The only importer of ``mpv``.

Names are bytes on their way to libmpv: a file may be called what is no UTF-8, and
python-mpv would refuse to encode it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import locale
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from moodride.errors import PlaybackError
from moodride.playback.options import MpvSettings, options, spare
from moodride.playback.translate import Translator

__all__ = ["Handle", "address"]

_SONAME: Final = "libmpv.so.2"

_MP4: Final = "file-format==mov,mp4,m4a,3gp,3g2,mj2"
_END: Final = f"${{?{_MP4}:100%}}${{!{_MP4}:none}}"
"""Where a file ends, for libmpv to work out.

FFmpeg 5.1 plays the filling in the last packet of an M4A file, up to 23 ms of silence before
the next track. The container says how long the sound is; others only guess (an MP3 without a
header), and their guess must cut nothing off.
"""

# What python-mpv raises when libmpv refuses; it has no base class of its own.
_REFUSALS: Final = (AttributeError, MemoryError, RuntimeError, SystemError, TypeError, ValueError)


class Handle:
    """A libmpv that runs.

    Args:
        settings: where to and how to play.
        translator: takes what libmpv says, on its event thread.

    Raises:
        PlaybackError: libmpv or python-mpv is missing, or refuses an option.
    """

    def __init__(self, settings: MpvSettings, translator: Translator) -> None:
        module = _load()
        # python-mpv sets it at import, but who imports us may have changed it since.
        locale.setlocale(locale.LC_NUMERIC, "C")
        names = {k.replace("-", "_"): v for k, v in _accepted(module, settings).items()}
        self._loaded: int = module.MpvEventID.FILE_LOADED
        self._mpv: Any = module.MPV(log_handler=translator.log, loglevel="error", **names)
        self._mpv.register_event_callback(self._trim)
        self._mpv.register_event_callback(translator.event)
        self._mpv.observe_property("current-ao", translator.output)

    def command(self, *args: str, **named: str | bytes) -> Any:  # noqa: ANN401 - what libmpv replies
        """Run a command of libmpv.

        Raises:
            PlaybackError: it refuses, or the player is closed.
        """
        try:
            return self._open.command(*args, **named)
        except _REFUSALS as error:
            said = (v if isinstance(v, str) else os.fsdecode(v) for v in args or named.values())
            what = f"libmpv refuses {' '.join(said)}: {_cause(error)}"
            raise PlaybackError(what, remedy="see the log before this") from error

    def read(self, name: str) -> Any:  # noqa: ANN401 - a property is of any type
        """Read a property of libmpv; None where it has no value now.

        Raises:
            PlaybackError: there is no such property, or the player is closed.
        """
        try:
            return getattr(self._open, name.replace("-", "_"))
        except _REFUSALS as error:
            what = f"libmpv does not say {name}: {_cause(error)}"
            raise PlaybackError(what, remedy="see the log before this") from error

    def close(self) -> None:
        """Stop and free everything."""
        handle, self._mpv = self._mpv, None
        if handle is not None:
            handle.terminate()

    def _trim(self, event: Any) -> None:  # noqa: ANN401 - python-mpv has no types
        """Say where the file ends that was just opened; on the event thread, without waiting."""
        handle = self._mpv  # read once: another thread may close the player meanwhile
        if handle is not None and event.event_id.value == self._loaded:
            handle.command_async("expand-properties", "set", "file-local-options/end", _END)

    @property
    def _open(self) -> Any:  # noqa: ANN401 - python-mpv has no types
        if self._mpv is None:
            raise PlaybackError("the player is closed", remedy="open a new one")
        return self._mpv


def address(path: str) -> bytes:
    """A path as libmpv takes it: always a file, never an option or an address of the net.

    Args:
        path: as `os.fsdecode` makes it; what is no UTF-8 in it stays what it is on the disk.
    """
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:  # half a character, from no disk: no file is called so
        raw = path.encode(errors="backslashreplace")
    return raw if raw.startswith(b"/") else b"./" + raw


def _cause(error: BaseException) -> str:
    """The words of python-mpv's error, without its pointers."""
    return str(error.args[0]) if error.args else type(error).__name__


@contextmanager
def _known_library() -> Iterator[None]:
    """Tell python-mpv the name of the library while it is imported.

    ``ctypes.util.find_library`` runs ldconfig, and gcc where there is one: half of the
    time that importing python-mpv takes.
    """
    find = ctypes.util.find_library
    ctypes.util.find_library = lambda name: _SONAME if name == "mpv" else find(name)
    try:
        yield
    finally:
        ctypes.util.find_library = find


def _load() -> Any:  # noqa: ANN401 - python-mpv has no types
    """Import python-mpv with libmpv.

    Raises:
        PlaybackError: one of them is missing.
    """
    try:
        ctypes.CDLL(_SONAME)
        with _known_library():
            return importlib.import_module("mpv")
    except ModuleNotFoundError as error:
        remedy = "install it with the other packages of Moodride: pip install python-mpv"
        raise PlaybackError("python-mpv is missing", remedy=remedy) from error
    except OSError as error:
        what = f"libmpv is missing or does not load ({error})"
        raise PlaybackError(what, remedy="install it: sudo apt install libmpv2") from error


def _accepted(module: Any, settings: MpvSettings) -> dict[str, str]:  # noqa: ANN401
    """The options that this libmpv takes, tried on a handle that is never started.

    Raises:
        PlaybackError: it refuses one that we cannot do without.
    """
    accepted: dict[str, str] = {}
    handle = module.backend.mpv_create()
    if not handle:
        raise PlaybackError("libmpv does not start", remedy="is there memory left?")
    try:
        wanted = {name: (value, True) for name, value in options(settings).items()}
        others = {name: (value, False) for name, value in spare(settings).items()}
        for name, (value, needed) in (wanted | others).items():
            try:
                module.backend.mpv_set_option_string(handle, name.encode(), value.encode())
            except _REFUSALS as error:
                if not needed:
                    continue
                what = f"libmpv refuses {name}={value}: {_cause(error)}"
                remedy = "correct it in the configuration, or use libmpv 0.35 or newer"
                raise PlaybackError(what, where="playback", remedy=remedy) from error
            accepted[name] = value
    finally:
        module.backend.mpv_terminate_destroy(handle)
    return accepted
