"""The benchmark's own ruler: it finds an answer to the sample, and knows a dry device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks_kit import benchmark

press = benchmark("press")

AT = 60_000
OFFSET = 1_234


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    samples: np.ndarray = press.write_noise(tmp_path_factory.mktemp("noise") / "noise.wav")
    return samples


def heard(noise: np.ndarray) -> np.ndarray:
    """What a device was given: some silence, and the noise from its middle on."""
    piece = noise[400_000 : 400_000 + 2 * press.RATE]
    return np.concatenate([np.zeros(5_000, np.int16), piece])


def test_finds_the_first_sample_that_was_changed(noise: np.ndarray) -> None:
    sound = heard(noise)
    sound[AT + OFFSET :] = sound[AT + OFFSET :] // 2
    found = press._answer_s(sound, noise, AT)
    assert found == pytest.approx(OFFSET / press.RATE, abs=20 / press.RATE)


def test_leaves_a_press_out_when_the_device_ran_dry(noise: np.ndarray) -> None:
    sound = heard(noise)
    sound[AT + OFFSET : AT + OFFSET + 1000] = 0
    assert press._answer_s(sound, noise, AT) is None
    before = heard(noise)
    before[AT - 1000 : AT - 500] = 0
    assert press._answer_s(before, noise, AT) is None


def test_says_so_when_a_press_changes_nothing(noise: np.ndarray) -> None:
    with pytest.raises(SystemExit, match="changed nothing"):
        press._answer_s(heard(noise), noise, AT)


def test_counts_the_card_to_the_worst_and_leaves_out_what_ran_dry() -> None:
    row = press.row(("skip", [(0, 0.002), (0, 0.004)], [0.060, None]), 50.0)
    assert row == ["skip", "3.0", "60", "60", "110", "1"]
    assert press.row(("skip", [(0, 0.002)], [None]), 50.0)[2:] == ["-", "-", "-", "1"]


def test_writes_noise_that_is_nowhere_like_itself(tmp_path: Path) -> None:
    noise = press.write_noise(tmp_path / "noise.wav")
    assert press._find(noise, noise[77_777:82_577].copy()) == 77_777
    assert press._find(noise, np.zeros(4800, np.int16)) is None
