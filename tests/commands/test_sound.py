from __future__ import annotations

from pathlib import Path

import pytest

from moodride.commands.sound import device_hint, mpv_settings
from moodride.settings import PlaybackSettings
from moodride.settings_car import ControlSettings


def test_tells_libmpv_what_the_configuration_says() -> None:
    settings = mpv_settings(
        PlaybackSettings(output="pcm:/tmp/out.wav", volume_pct=33.0, loudness_lufs=-20.0)
    )
    assert (settings.ao, settings.pcm_path) == ("", "/tmp/out.wav")
    assert (settings.volume_pct, settings.loudness_lufs) == (33.0, -20.0)


def test_tells_libmpv_how_much_to_keep_ready_and_how_loud_cues_are() -> None:
    settings = mpv_settings(PlaybackSettings(buffer_s=0.3), ControlSettings(cue_db=-26.0))
    assert (settings.audio_buffer_s, settings.cue_db) == (0.3, -26.0)
    assert mpv_settings(PlaybackSettings()).audio_buffer_s == 0.05


@pytest.mark.parametrize(
    ("device", "hint"),
    [
        ("alsa/hw:1", "call it CARD=Device"),
        ("alsa/plughw:CARD=2,DEV=0", "`aplay -l` lists the names"),
    ],
)
def test_warns_when_a_card_is_named_by_its_number(tmp_path: Path, device: str, hint: str) -> None:
    cards = tmp_path / "cards"
    cards.write_text(" 1 [Device         ]: USB-Audio - USB Audio Device\n")
    assert device_hint(PlaybackSettings(device=device), cards=cards).endswith(hint)


@pytest.mark.parametrize("device", ["", "alsa/plughw:CARD=Device", "pipewire"])
def test_says_nothing_when_a_card_is_named_by_its_id(tmp_path: Path, device: str) -> None:
    assert device_hint(PlaybackSettings(device=device), cards=tmp_path / "none") == ""
