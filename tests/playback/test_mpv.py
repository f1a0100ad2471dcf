from __future__ import annotations

import ctypes
import ctypes.util
import locale
import logging
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playback.sounds import tone, track, until

from moodride.errors import PlaybackError
from moodride.playback import handle as room
from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.types import EndReason, PlayerEvent, PlayerGone, TrackEnded, TrackStarted


@pytest.fixture
def events() -> list[PlayerEvent]:
    return []


@pytest.fixture
def player(events: list[PlayerEvent]) -> Iterator[MpvPlayer]:
    made = MpvPlayer(events.append, settings=MpvSettings(ao="null"))
    yield made
    made.close()


def ends(events: list[PlayerEvent]) -> list[TrackEnded]:
    return [event for event in events if isinstance(event, TrackEnded)]


def test_says_what_to_install_when_libmpv_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SONAME", "libmpv.so.404")
    with pytest.raises(PlaybackError, match=r"libmpv is missing.*; install it: .*libmpv2"):
        MpvPlayer(lambda _event: None)


def test_says_what_to_install_when_python_mpv_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpv", None)
    with pytest.raises(PlaybackError, match=r"python-mpv is missing; .*pip install python-mpv"):
        MpvPlayer(lambda _event: None)


def test_leaves_the_search_for_libraries_as_it_was_when_loaded(player: MpvPlayer) -> None:
    assert ctypes.util.find_library.__module__ == "ctypes.util"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (MpvSettings(ao="null", sample_format="s99"), "audio-format=s99"),
        (MpvSettings(ao="null", samplerate_hz=-1), "audio-samplerate=-1"),
        (MpvSettings(ao="null", audio_buffer_s=99.0), "audio-buffer=99"),
    ],
)
def test_names_the_option_when_libmpv_refuses_it(settings: MpvSettings, named: str) -> None:
    with pytest.raises(PlaybackError, match=named):
        MpvPlayer(lambda _event: None, settings=settings)


def test_names_the_option_when_we_misspell_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "options", lambda _settings: {"gapless-audoi": "yes"})
    with pytest.raises(PlaybackError, match="gapless-audoi=yes: mpv option does not exist"):
        MpvPlayer(lambda _event: None)


def test_fails_loudly_when_we_misspell_a_property_or_command(player: MpvPlayer) -> None:
    with pytest.raises(PlaybackError, match="time-poss"):
        player._handle.read("time-poss")
    with pytest.raises(PlaybackError, match="paus"):
        player._handle.command("set", "paus", "yes")
    with pytest.raises(PlaybackError, match="playlist-nxt"):
        player._handle.command("playlist-nxt")


def test_reads_numbers_with_a_point_when_the_locale_uses_commas() -> None:
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        locale.setlocale(locale.LC_NUMERIC, "")
        player = MpvPlayer(lambda _event: None, settings=MpvSettings(ao="null"))
        assert locale.setlocale(locale.LC_NUMERIC) == "C"
        player.close()
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


def test_says_so_once_when_libmpv_goes_down_by_itself(
    player: MpvPlayer, events: list[PlayerEvent]
) -> None:
    player._handle.command("quit")
    until(lambda: PlayerGone() in events, what="the end of libmpv")
    with pytest.raises(PlaybackError):
        player.snapshot()
    player.close()
    assert events.count(PlayerGone()) == 1


NAMES = [
    "a, b=c%20.wav",
    "mit Leerzeichen  .wav",
    "träumerei 夢 🎵.wav",
    "'quote\".wav",
    "-dash.wav",
    "--volume=0",
    "new\nline\r\t.wav",
    "\x01\x1b[31m\x7f.wav",
    "%%41$(echo)`${path}.wav",
    "*?[a]{b}!~#&;|<>.wav",
    "memory:",
    "back\\slash.wav",
    os.fsdecode(b"no \xff\xfe UTF-8 \xe4\xf6.wav"),
    os.fsdecode(b"\xed\xa0\x80 half a character.wav"),
    " ",
    "x" * 251 + ".wav",
    os.fsdecode(b"\xff" * 255),
]
"""All that a file system lets a file be called, and programs trip over."""


def test_plays_files_with_odd_names(
    player: MpvPlayer, events: list[PlayerEvent], tmp_path: Path
) -> None:
    sound = tone(tmp_path / "sound.wav", 400.0, 0.1, rate=8000)
    folder = tmp_path / os.fsdecode(b"http:") / os.fsdecode(b"\xfc")
    folder.mkdir(parents=True)
    tracks = []
    for name in NAMES:
        (folder / name).hardlink_to(sound)
        tracks.append(track(f"{tmp_path}/http://{folder.name}/{name}"))
    player.start(tracks, start_s=0.02, fade_in_s=0.05)
    queue = player.snapshot().queue
    until(lambda: len(ends(events)) == len(NAMES), what="all played")
    paths = [one.path for one in tracks]
    assert [e.path for e in events if isinstance(e, TrackStarted)] == paths
    assert [e.path for e in ends(events)] == paths
    assert {e.reason for e in ends(events)} == {EndReason.EOF}
    assert queue == tuple(paths[-len(queue) :])


ELSEWHERE = ["edl://a.wav", "-", "--pause", "http://127.0.0.1:9/a.wav", "fd://0", "av://lavfi:sine"]
"""What libmpv would take for an option, for its standard input or for another protocol."""


def test_takes_a_path_for_a_file_when_it_looks_like_something_else(
    player: MpvPlayer, events: list[PlayerEvent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ELSEWHERE:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        tone(path, 400.0, 0.1, rate=8000)
    player.start([track(name) for name in ELSEWHERE])
    until(lambda: len(ends(events)) == len(ELSEWHERE), what="all played")
    assert [(e.path, e.reason) for e in ends(events)] == [(n, EndReason.EOF) for n in ELSEWHERE]


@pytest.mark.parametrize("name", ["half \ud800.wav", "", "a\0b.wav", "n" * 300, "d/" * 3000])
def test_skips_what_no_file_can_be_called(
    player: MpvPlayer, events: list[PlayerEvent], tmp_path: Path, name: str
) -> None:
    good = track(tone(tmp_path / "good.wav", 400.0, 0.1, rate=8000))
    bad = track(name)
    player.start([bad, good])
    until(lambda: TrackEnded(path=good.path, reason=EndReason.EOF) in events, what="good ends")
    assert next((e.path, e.reason) for e in ends(events)) == (name, EndReason.ERROR)


def harmful(folder: Path) -> dict[str, Path]:
    """Files that are no sound, some of them made to be followed elsewhere."""
    elsewhere = tone(folder / "elsewhere.wav", 400.0, 0.2, rate=8000)
    made = {
        "empty": b"",
        "noise": random.Random(7).randbytes(100_000),
        "text.mp3": b"this is no sound\n" * 1000,
        "list.m3u": f"#EXTM3U\n{elsewhere}\n".encode(),
        "list.m3u8": (
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
            b"http://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
        ),
        "list.pls": f"[playlist]\nFile1={elsewhere}\n".encode(),
        "cut.wav": elsewhere.read_bytes()[:30],
        "list.edl": f"# mpv EDL v0\n{elsewhere}\n".encode(),
        "list.cue": f'FILE "{elsewhere}" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'.encode(),
        "list.concat": f"ffconcat version 1.0\nfile {elsewhere}\n".encode(),
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    (folder / "a folder").mkdir()
    tone(folder / "a folder" / "inside.wav", 400.0, 0.2, rate=8000)
    return {name: folder / name for name in [*made, "a folder", "not there.wav"]}


def test_skips_everything_that_is_no_sound(
    player: MpvPlayer, events: list[PlayerEvent], tmp_path: Path
) -> None:
    files = harmful(tmp_path)
    good = track(tone(tmp_path / "good.wav", 400.0, 0.2, rate=8000))
    player.start([*(track(path) for path in files.values()), good])
    until(lambda: TrackEnded(path=good.path, reason=EndReason.EOF) in events, what="good ends")
    bad = [e for e in ends(events) if e.path != good.path]
    assert [(Path(e.path).name, e.reason) for e in bad] == [(n, EndReason.ERROR) for n in files]
    assert all(e.detail for e in bad)
    assert [e for e in events if isinstance(e, TrackStarted)] == [TrackStarted(path=good.path)]


def test_logs_no_line_of_a_broken_file_as_a_warning(
    player: MpvPlayer, events: list[PlayerEvent], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    player.start([track(path) for path in harmful(tmp_path).values()])
    with caplog.at_level(logging.INFO):
        until(lambda: player.snapshot().idle and len(ends(events)) > 5, what="all skipped")
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_keeps_no_list_of_what_was_played(
    player: MpvPlayer, events: list[PlayerEvent], tmp_path: Path
) -> None:
    short = track(tone(tmp_path / "short.wav", 400.0, 0.05, rate=8000))
    player.start([short] * 10)
    until(lambda: len(ends(events)) == 10, what="all played")
    player.append([track(tone(tmp_path / "long.wav", 400.0, 5.0, rate=8000))])
    player.append([short])
    assert len(player._list.raw()) <= 12
    until(lambda: bool(player.snapshot().position_s), what="long plays")
    player.append([short])
    assert len(player._list.raw()) == 3
    assert len(player._entries._entries) == 3


FIRST_IMPORTS = """
import sys
programs = []
sys.addaudithook(lambda event, args: programs.append(args) if "Popen" in event else None)
from moodride.playback.mpv import MpvPlayer
assert "mpv" not in sys.modules, "imported before it is needed"
from moodride.playback.options import MpvSettings
MpvPlayer(lambda event: None, settings=MpvSettings(ao="null")).close()
heavy = {"numpy", "pandas", "cv2", "onnxruntime", "PIL"} & set(sys.modules)
assert not heavy, heavy
assert not programs, programs
"""


def test_imports_nothing_heavy_and_runs_no_program_when_loaded() -> None:
    # ctypes runs ldconfig and gcc to find a library, which doubles the time to the first sound.
    done = subprocess.run(
        [sys.executable, "-c", FIRST_IMPORTS], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
