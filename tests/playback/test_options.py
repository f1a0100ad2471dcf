from __future__ import annotations

import pytest

from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings, device_buffer_s, options, spare

ANSWER_S = 0.15
"""From a press to its sound at most."""

PIECE_S = 0.022
"""Two of the pieces that pass the filters at 48 kHz: libmpv has filtered so much more."""


def test_keeps_so_little_ready_that_a_press_is_heard_in_time() -> None:
    settings = MpvSettings()
    assert settings.audio_buffer_s + device_buffer_s(settings) + PIECE_S < ANSWER_S
    assert options(settings)["audio-buffer"] == "0.050"
    assert spare(settings)["alsa-buffer-time"] == "50000"
    assert spare(settings)["pulse-buffer"] == "50"


@pytest.mark.parametrize(("asked_s", "card_s"), [(0.0, 0.02), (0.02, 0.02), (0.2, 0.1), (9.0, 0.1)])
def test_asks_for_no_longer_buffer_of_the_card_than_libmpv_does(
    asked_s: float, card_s: float
) -> None:
    assert device_buffer_s(MpvSettings(audio_buffer_s=asked_s)) == card_s


def test_is_understood_by_libmpv() -> None:
    player = MpvPlayer(lambda _event: None, settings=MpvSettings(ao="null"))
    said = [player._handle.read(name) for name in ("alsa-buffer-time", "alsa-periods")]
    buffer_s = player._handle.read("audio-buffer")
    player.close()
    assert said == [50_000, 4]
    assert buffer_s == pytest.approx(0.05)
