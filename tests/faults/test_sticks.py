"""A stick comes, is scanned, plays, and is pulled out; all with real processes."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from service_kit import Rig, make_library, playing, rig

from moodride.types import MOODS

EACH = 2


def make_stick(folder: Path, *, seconds: float) -> Path:
    """Tones in folders that are named after moods."""
    made = make_library(folder / "made", seconds=seconds, each=EACH).parent
    for mood in MOODS:
        (folder / "stick" / mood.value).mkdir(parents=True)
        for number in range(EACH):
            name = f"{mood.value.lower()}-{number}.wav"
            (made / name).rename(folder / "stick" / mood.value / f"Tones - {name}")
    shutil.rmtree(made)
    return folder / "stick"


def of_the_stick(status: dict[str, Any]) -> bool:
    """Ids of files are made of hexadecimal digits, those of the catalogue of words."""
    return playing(status) and len(status["track"]["id"]) == 32


def scan(car: Rig, stick: Path) -> None:
    done = car.start("library", "scan", str(stick), log="scan")
    assert done.wait(60) == 0, car.log("scan")


def test_stick_when_scanned_joins_and_when_pulled_gives_way(tmp_path: Path) -> None:
    with rig(tmp_path, seconds=60.0) as car:
        stick = make_stick(tmp_path, seconds=60.0)
        music = car.start("run")
        first = car.until(playing)
        assert first["library"]["where"] == str(car.catalogue)
        scan(car, stick)
        joined = car.until(lambda s: s["library"]["tracks"] == EACH * len(MOODS))
        assert joined["track"]["id"] == first["track"]["id"], "what plays is left alone"
        for _ in range(3):  # what waits was drawn before
            car.press("next")
        played = car.until(of_the_stick)["track"]["id"]
        stick.rename(tmp_path / "pulled")
        alone = car.until(lambda s: s["library"]["where"] == str(car.catalogue))
        assert not any(len(t["id"]) == 32 for t in alone["queue"]), "its tracks left the queue"
        car.press("next")
        car.until(lambda s: playing(s) and not of_the_stick(s))
        (tmp_path / "pulled").rename(stick)
        car.until(lambda s: s["library"]["tracks"] == EACH * len(MOODS))
        for _ in range(3):
            car.press("next")
        again = car.until(of_the_stick)
        assert again["track"]["id"] != played, "it was heard already"
        assert music.poll() is None
        assert "Traceback" not in car.log("run")
    journal = sqlite3.connect(tmp_path / "state" / "journal.sqlite")
    plays = [row[0] for row in journal.execute("SELECT track_id FROM plays ORDER BY seq")]
    assert played in plays
    assert first["track"]["id"] in plays


def test_drive_that_ended_on_a_stick_goes_on_when_the_stick_comes_late(tmp_path: Path) -> None:
    with rig(tmp_path, seconds=60.0, config="[memory]\nsave_every_s = 1.0\n") as car:
        car.config.write_text(car.config.read_text().replace(str(car.catalogue), "none.csv"))
        stick = make_stick(tmp_path, seconds=60.0)
        scan(car, stick)
        music = car.start("run")
        left = car.until(lambda s: of_the_stick(s) and s["track"]["position_s"] > 5.0)
        music.kill()
        music.wait()
        stick.rename(tmp_path / "pulled")
        car.start("run")
        demo = car.until(playing)
        assert demo["library"]["substitute"]
        assert any(str(stick) in line for line in demo["problems"])
        (tmp_path / "pulled").rename(stick)
        back = car.until(lambda s: not s["library"]["substitute"])
        assert back["queue"][0]["id"] == left["track"]["id"]
        assert back["problems"] == []
