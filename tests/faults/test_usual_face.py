"""A restarted `moodride run` still knows how the driver usually looks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from service_kit import Rig, playing, rig

from moodride.config import READINGS
from moodride.memory.usual import UsualStore
from moodride.mood.baseline import Usual
from moodride.testing.driver import FakeDriver
from moodride.types import EMOTIONS, Emotion
from moodride.wire import ReadingSender

KNOWN = Usual(p=(0.5, 0.02, 0.01, 0.4, 0.03, 0.01, 0.02, 0.01), seen_s=7200.0)


def told(status: dict[str, Any]) -> tuple[float, ...]:
    return tuple(status["mood"]["usual"][emotion.value] for emotion in EMOTIONS)


def look_sad(car: Rig, folder: Path, *, readings: int) -> None:
    sender, driver = ReadingSender(folder / "run" / READINGS), FakeDriver()
    for _ in range(readings):
        assert sender.send(driver.shows(Emotion.SADNESS, 0.9))
        time.sleep(0.05)
    car.until(lambda s: s["readings"]["received"] >= readings)


def test_usual_face_when_run_is_stopped_and_started_is_back(tmp_path: Path) -> None:
    store = UsualStore(tmp_path / "state")
    store.save(KNOWN)
    with rig(tmp_path) as car:
        music = car.start("run")
        assert told(car.until(playing)) == pytest.approx(KNOWN.p, abs=0.001)
        look_sad(car, tmp_path, readings=30)
        music.terminate()
        assert music.wait(10) == 0
        kept = store.load()
        assert kept is not None
        assert KNOWN.seen_s + 0.5 < kept.seen_s < KNOWN.seen_s + 20.0
        assert kept.p[3] > KNOWN.p[3]
        killed = car.start("run", log="again")
        assert told(car.until(playing)) == pytest.approx(kept.p, abs=0.001)
        killed.kill()
        killed.wait()
        assert store.load() == kept, "nothing new was seen"


def test_usual_face_when_it_cannot_be_read_does_not_stop_the_music(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "usual.json").write_bytes(b"\0" * 300)
    with rig(tmp_path) as car:
        car.start("run")
        status = car.until(playing)
        assert told(status) == pytest.approx(Usual().p, abs=0.001)
        assert car.log("run").count("kept as usual.json.damaged") == 1
