from __future__ import annotations

from pathlib import Path

import pytest

from moodride.errors import PlaybackError
from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.playback.probe import find_output


def test_says_null_when_asked_for_no_sound() -> None:
    assert find_output(MpvSettings(ao="null")) == "null"


def test_says_null_when_the_card_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asound.conf").touch()
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    assert find_output(MpvSettings(ao="alsa", audio_device="alsa/no_such_card")) == "null"


def test_leaves_the_file_alone_when_sound_goes_to_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "kept.wav"
    kept.write_bytes(b"precious")
    find_output(MpvSettings(ao="null", pcm_path=str(kept)))
    assert kept.read_bytes() == b"precious"


def test_says_what_to_look_at_when_nothing_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MpvPlayer, "start", lambda *_args: None)
    with pytest.raises(
        PlaybackError, match=r"no audio output opened .*; see that playback\.device"
    ):
        find_output(MpvSettings(ao="null"), within_s=0.05)
